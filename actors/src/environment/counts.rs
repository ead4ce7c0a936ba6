//! How long documents take from their arrival until every worker serves them.
use crate::counts::WorkHistogram;

/// Counts of one EnvironmentActor since its start, in nanoseconds.
#[derive(Debug, Default)]
pub struct DocumentCounts {
    /// From when a document with new content has come until it is compiled, the wait for memory and for a thread included.
    pub applied: WorkHistogram,
    /// From when a snapshot is sent to the workers until each has acknowledged it, or is late.
    pub published: WorkHistogram,
}
