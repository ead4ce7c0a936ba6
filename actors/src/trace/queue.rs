//! Finished spans on their way to whoever sends them: a bounded queue. Who ends a span never waits for a collector.
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::span::Span;

/// How many spans a queue holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueOptions {
    /// So many may wait; traces that find no room are dropped and counted (`OTEL_BSP_MAX_QUEUE_SIZE`).
    pub capacity: usize,
    /// With so many it is time to send them (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`).
    pub batch: usize,
}

/// Spans that wait to be sent. What this process has of a trace comes and goes together, for a child without its root says
/// nothing of the request that it was a part of.
#[derive(Debug)]
pub struct SpanQueue {
    options: QueueOptions,
    state: Mutex<State>,
    /// The first of those that wait has come.
    is_any_there: Notify,
    /// A whole batch has come.
    is_batch_there: Notify,
    /// The first is lost since this was asked last.
    is_any_lost: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The spans of one trace each, the oldest first.
    traces: VecDeque<Vec<Span>>,
    /// How many spans they have together.
    spans: usize,
    /// How many spans nobody will get, since this was asked last.
    lost: u64,
}

impl SpanQueue {
    /// An empty one.
    pub fn new(options: QueueOptions) -> Self {
        Self {
            options,
            state: Mutex::default(),
            is_any_there: Notify::new(),
            is_batch_there: Notify::new(),
            is_any_lost: Notify::new(),
        }
    }

    /// Takes the spans of a trace, all of them or none: those that find no room are lost. One that is longer than the whole queue
    /// finds it where nothing waits.
    pub(super) fn push(&self, spans: Vec<Span>) {
        let mut state = self.lock();
        let (before, coming) = (state.spans, spans.len());
        if before > 0 && coming > self.options.capacity.saturating_sub(before) {
            drop(state);
            self.lose(coming);
            return;
        }
        state.spans += coming;
        state.traces.push_back(spans);
        drop(state);
        if before == 0 {
            self.is_any_there.notify_one();
        }
        if before < self.options.batch && before + coming >= self.options.batch {
            self.is_batch_there.notify_one();
        }
    }

    /// Takes a batch out, the oldest first; empty where nothing waits. A trace that is longer than a batch comes in parts.
    pub fn take(&self) -> Vec<Span> {
        let most = self.options.batch;
        let mut state = self.lock();
        let (mut traces, mut spans) = (0, 0);
        for trace in &state.traces {
            if spans + trace.len() > most {
                break;
            }
            traces += 1;
            spans += trace.len();
        }
        let mut taken: Vec<_> = state.traces.drain(..traces).collect();
        if let (true, Some(longer)) = (taken.is_empty(), state.traces.front_mut()) {
            taken.push(longer.drain(..most).collect());
            spans = most;
        }
        state.spans -= spans;
        // Moving spans takes its time, in which nobody waits.
        drop(state);
        let mut batch = Vec::with_capacity(spans);
        batch.extend(taken.into_iter().flatten());
        batch
    }

    /// Counts spans that nobody will get, though they were taken out.
    pub fn lose(&self, count: usize) {
        let mut state = self.lock();
        let before = state.lost;
        state.lost = before.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        let is_first = before == 0 && state.lost > 0;
        drop(state);
        if is_first {
            self.is_any_lost.notify_one();
        }
    }

    /// How many are lost since this was asked last.
    pub fn take_lost(&self) -> u64 {
        std::mem::take(&mut self.lock().lost)
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.lock().spans
    }

    /// Whether a whole batch waits.
    pub fn has_batch(&self) -> bool {
        self.waiting() >= self.options.batch
    }

    /// Resolves when something waits. For one waiter.
    pub async fn any(&self) {
        while self.waiting() == 0 {
            self.is_any_there.notified().await;
        }
    }

    /// Resolves when a whole batch waits. For one waiter.
    pub async fn batch(&self) {
        while !self.has_batch() {
            self.is_batch_there.notified().await;
        }
    }

    /// Resolves when something is lost. For one waiter.
    pub async fn any_lost(&self) {
        while self.lock().lost == 0 {
            self.is_any_lost.notified().await;
        }
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

    use super::super::{Caller, Outcome, Sampler, SpanKind, Tracer, begin};
    use super::*;

    fn tracer(capacity: usize, batch: usize) -> (Tracer, Arc<SpanQueue>) {
        let queue = Arc::new(SpanQueue::new(QueueOptions { capacity, batch }));
        (Tracer::new(Sampler::default(), Arc::clone(&queue)), queue)
    }

    fn push(tracer: &Tracer, name: &'static str) {
        push_with_children(tracer, name, 0);
    }

    fn push_with_children(tracer: &Tracer, name: &'static str, children: usize) {
        let trace = tracer.begin(Caller::default());
        {
            let _entered = trace.enter();
            for _ in 0..children {
                let child = begin().unwrap();
                child.end(SpanKind::Internal, Outcome::new("child", Vec::new()));
            }
        }
        tracer.end(trace, SpanKind::Internal, || Outcome::new(name, Vec::new()));
    }

    fn names(spans: Vec<Span>) -> Vec<String> {
        spans
            .into_iter()
            .map(|span| span.outcome.name.to_string())
            .collect()
    }

    #[test]
    fn what_finds_no_room_is_counted_and_the_rest_stays_in_order() {
        let (tracer, queue) = tracer(3, 2);
        for name in ["a", "b", "c", "d", "e"] {
            push(&tracer, name);
        }
        assert_eq!((queue.waiting(), queue.take_lost(), queue.take_lost()), (3, 2, 0));
        assert_eq!(names(queue.take()), ["a", "b"]);
        push(&tracer, "f");
        assert_eq!(names(queue.take()), ["c", "f"]);
        assert!(queue.take().is_empty());
    }

    #[test]
    fn a_trace_is_kept_whole_or_lost_whole() {
        let (tracer, queue) = tracer(4, 3);
        push(&tracer, "a");
        push_with_children(&tracer, "b", 1);
        push_with_children(&tracer, "c", 1);
        assert_eq!((queue.waiting(), queue.take_lost()), (3, 2), "one more had room");
        push(&tracer, "d");
        assert_eq!(names(queue.take()), ["a", "child", "b"]);
        push_with_children(&tracer, "e", 2);
        assert_eq!(names(queue.take()), ["d"], "the next would be cut");
        assert_eq!(names(queue.take()), ["child", "child", "e"]);
        assert_eq!((queue.waiting(), queue.take_lost()), (0, 0));
    }

    #[test]
    fn a_trace_that_is_longer_than_the_queue_finds_room_alone_and_comes_in_parts() {
        let (tracer, queue) = tracer(1, 1);
        push_with_children(&tracer, "a", 1);
        push_with_children(&tracer, "b", 1);
        assert_eq!((queue.waiting(), queue.take_lost()), (2, 2));
        assert_eq!(names(queue.take()), ["child"]);
        assert_eq!(names(queue.take()), ["a"]);
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
    fn whoever_waits_for_a_batch_hears_of_a_whole_one_alone() {
        let (tracer, queue) = tracer(10, 2);
        push(&tracer, "a");
        let mut batch = Box::pin(queue.batch());
        assert_eq!(batch.as_mut().now_or_never(), None);
        push(&tracer, "b");
        assert_eq!(batch.now_or_never(), Some(()));
        queue.take();
        // It came and went while nobody waited for it.
        push(&tracer, "c");
        push(&tracer, "d");
        queue.take();
        push(&tracer, "e");
        assert_eq!(queue.batch().now_or_never(), None);
        push(&tracer, "f");
        assert_eq!(queue.batch().now_or_never(), Some(()));
    }

    #[test]
    fn whoever_waits_for_losses_hears_of_the_first() {
        let (tracer, queue) = tracer(1, 1);
        push(&tracer, "a");
        let mut lost = Box::pin(queue.any_lost());
        assert_eq!(lost.as_mut().now_or_never(), None);
        push(&tracer, "b");
        assert_eq!(lost.now_or_never(), Some(()));
        queue.lose(0);
        queue.lose(3);
        assert_eq!(queue.take_lost(), 4);
        queue.lose(0);
        assert_eq!(queue.any_lost().now_or_never(), None);
    }
}
