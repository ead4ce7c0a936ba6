//! How long documents take from their arrival until every worker serves them.
use crate::counts::{Histogram, WORK};

/// Counts of one EnvironmentActor since its start, in nanoseconds.
#[derive(Debug)]
pub struct DocumentCounts {
    /// From when a document with new content has come until it is compiled, the wait for memory and for a thread included.
    pub applied: Histogram<{ WORK.len() }>,
    /// From when a snapshot is sent to the workers until each has acknowledged it, or is late.
    pub published: Histogram<{ WORK.len() }>,
}

impl Default for DocumentCounts {
    fn default() -> Self {
        Self {
            applied: Histogram::new(&WORK),
            published: Histogram::new(&WORK),
        }
    }
}
