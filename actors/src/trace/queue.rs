//! Finished spans on their way to whoever sends them: a bounded queue. Who ends a span never waits for a collector.
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::span::Span;

/// How many spans a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueOptions {
    /// So many may wait; what comes beyond that is dropped and counted (`OTEL_BSP_MAX_QUEUE_SIZE`).
    pub capacity: usize,
    /// With so many it is time to send them (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`).
    pub batch: usize,
}

/// Spans that wait to be sent.
#[derive(Debug)]
pub struct SpanQueue {
    options: QueueOptions,
    state: Mutex<State>,
    /// The first of those that wait has come.
    is_any_there: Notify,
    /// A whole batch has come.
    is_batch_there: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Span>,
    /// Those that found no room since this was asked for last.
    dropped: u64,
}

impl SpanQueue {
    /// An empty one.
    pub fn new(options: QueueOptions) -> Self {
        Self {
            options,
            state: Mutex::default(),
            is_any_there: Notify::new(),
            is_batch_there: Notify::new(),
        }
    }

    /// Takes the spans of a trace, or as many of them as there is room for.
    pub(super) fn push(&self, spans: Vec<Span>) {
        let mut state = self.lock();
        let room = self.options.capacity.saturating_sub(state.waiting.len());
        let dropped = spans.len().saturating_sub(room);
        state.dropped = state
            .dropped
            .saturating_add(u64::try_from(dropped).unwrap_or(u64::MAX));
        let before = state.waiting.len();
        state.waiting.extend(spans.into_iter().take(room));
        let is_first = before == 0 && !state.waiting.is_empty();
        let is_complete = before < self.options.batch && state.waiting.len() >= self.options.batch;
        drop(state);
        if is_first {
            self.is_any_there.notify_one();
        }
        if is_complete {
            self.is_batch_there.notify_one();
        }
    }

    /// Takes a batch out, the oldest first; empty where nothing waits.
    pub fn take(&self) -> Vec<Span> {
        let mut state = self.lock();
        let count = self.options.batch.min(state.waiting.len());
        state.waiting.drain(..count).collect()
    }

    /// How many have found no room since this was asked last.
    pub fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.lock().dropped)
    }

    /// Whether a whole batch waits.
    pub fn has_batch(&self) -> bool {
        self.lock().waiting.len() >= self.options.batch
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Resolves when something waits. For one waiter.
    pub async fn any(&self) {
        while self.waiting() == 0 {
            self.is_any_there.notified().await;
        }
    }

    /// Resolves when a whole batch may be there. For one waiter.
    pub async fn batch(&self) {
        self.is_batch_there.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change is whole before anything can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt as _;

    use super::super::{Caller, Outcome, Sampler, SpanKind, Tracer};
    use super::*;

    fn tracer(capacity: usize, batch: usize) -> (Tracer, Arc<SpanQueue>) {
        let queue = Arc::new(SpanQueue::new(QueueOptions { capacity, batch }));
        (Tracer::new(Sampler::default(), Arc::clone(&queue)), queue)
    }

    fn push(tracer: &Tracer, name: &'static str) {
        let trace = tracer.begin(Caller::default());
        tracer.end(trace, SpanKind::Internal, || Outcome::new(name, Vec::new()));
    }

    fn names(spans: Vec<Span>) -> Vec<String> {
        spans
            .into_iter()
            .map(|span| span.outcome.name.into_owned())
            .collect()
    }

    #[test]
    fn what_finds_no_room_is_counted_and_the_rest_stays_in_order() {
        let (tracer, queue) = tracer(3, 2);
        for name in ["a", "b", "c", "d", "e"] {
            push(&tracer, name);
        }
        assert_eq!(
            (queue.waiting(), queue.take_dropped(), queue.take_dropped()),
            (3, 2, 0)
        );
        assert_eq!(names(queue.take()), ["a", "b"]);
        push(&tracer, "f");
        assert_eq!(names(queue.take()), ["c", "f"]);
        assert!(queue.take().is_empty());
    }

    #[test]
    fn whoever_waits_for_any_hears_of_the_first() {
        let (tracer, queue) = tracer(10, 2);
        for _ in 0..2 {
            assert_eq!(queue.any().now_or_never(), None);
            let mut any = Box::pin(queue.any());
            assert_eq!(any.as_mut().now_or_never(), None);
            push(&tracer, "a");
            assert_eq!(any.now_or_never(), Some(()));
            assert_eq!(queue.any().now_or_never(), Some(()), "it waits still");
            queue.take();
        }
    }

    #[test]
    fn a_whole_batch_is_told_once() {
        let (tracer, queue) = tracer(10, 2);
        push(&tracer, "a");
        assert_eq!(queue.batch().now_or_never(), None);
        push(&tracer, "b");
        push(&tracer, "c");
        assert!(queue.has_batch());
        assert_eq!(queue.batch().now_or_never(), Some(()));
        assert_eq!(queue.batch().now_or_never(), None);
        queue.take();
        push(&tracer, "d");
        assert_eq!(queue.batch().now_or_never(), Some(()));
    }
}
