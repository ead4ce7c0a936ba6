//! Metrics: what the process does, in numbers, for whoever asks at the admin port.
//!
//! A request pays for two looks at a counter of time and some additions to numbers that its worker alone writes to. Whoever asks
//! adds them up and asks the actors for theirs: nobody waits for that.
//!
//! # Layout
//! - [`Metrics`]: the numbers that requests write to. `requests`: those of one worker, and `worker`: how it writes to them;
//!   `labels`: methods and statuses; `moment`: the clock.
//! - `sources`: all that is asked at a scrape; `reading`: what it said, as plain data.
//! - `exposition`: a reading as text, in OpenMetrics or in Prometheus' own format.
mod exposition;
mod labels;
mod moment;
mod reading;
mod requests;
mod sources;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actors::counts::Counter;

use crate::error::Reason;
use crate::routes::Patterns;

pub(crate) use exposition::Format;
pub(crate) use labels::MethodNumber;
pub(crate) use moment::Moment;
pub(crate) use sources::{ServerSources, Sources, SwitchedParts};
pub(crate) use worker::WorkerCounts;

use requests::{RequestCounts, RequestTotals};

/// What requests are counted in; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Metrics {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Each is written to by its worker alone.
    workers: Mutex<Vec<Arc<RequestCounts>>>,
    /// Seldom, and then for any worker's requests.
    refused: [Counter; Reason::ALL.len()],
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            workers: Mutex::default(),
            refused: std::array::from_fn(|_| Counter::new()),
        }
    }
}

impl Metrics {
    /// Gives a worker what it alone counts in, where its routes have these patterns. Where a worker has gone its numbers go
    /// on: no sum ever falls.
    pub(crate) fn register(&self, patterns: &Arc<Patterns>) -> WorkerCounts {
        moment::measure_counter();
        let mut workers = self.workers();
        for left in workers.iter_mut() {
            // Whose worker has gone nobody else holds.
            if Arc::get_mut(left).is_some_and(|left| left.is_of(patterns)) {
                return WorkerCounts::new(Arc::clone(left));
            }
        }
        let counts = Arc::new(RequestCounts::new(Arc::clone(patterns)));
        workers.push(Arc::clone(&counts));
        WorkerCounts::new(counts)
    }

    /// Counts a request that is refused.
    pub(crate) fn refused(&self, reason: Reason) {
        if let Some(counter) = self.shared.refused.get(reason.place()) {
            counter.add(1);
        }
    }

    /// What all workers have counted.
    fn totals(&self) -> RequestTotals {
        let mut totals = RequestTotals::default();
        for counts in self.workers().iter() {
            counts.add_to(&mut totals);
        }
        totals
    }

    /// How many requests were refused for each reason.
    fn refusals(&self) -> Vec<(Reason, u64)> {
        let counts = self.shared.refused.iter().map(Counter::get);
        Reason::ALL.into_iter().zip(counts).collect()
    }

    /// How many series of requests there are.
    #[cfg(test)]
    pub(crate) fn series(&self) -> usize {
        self.totals().series().count()
    }

    fn workers(&self) -> MutexGuard<'_, Vec<Arc<RequestCounts>>> {
        // A change is one addition to the list, so it is whole.
        self.shared.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
