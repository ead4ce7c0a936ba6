//! Spans that have begun. They belong to the thread that began them.
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::caller::{Caller, Propagators, TraceContext};
use super::current::{self, Entered, Within};
use super::ids::{SpanId, TraceId};
use super::sampler::Sampler;
use super::span::{Outcome, Span, SpanKind};

/// This process's part of a trace, as the span that began it: a request, or a poll.
#[derive(Debug)]
pub struct Trace {
    scope: Scope,
    /// The caller's span.
    parent: Option<SpanId>,
}

/// A span within it.
#[derive(Debug)]
pub struct Child {
    /// The span that began the trace, with its record.
    root: Scope,
    parent: SpanId,
    span_id: SpanId,
    begun: Instant,
}

/// What is worked on: whoever runs within it logs its ids, and its children are recorded with it. It is put into its thread's
/// place and out again each time that a future is polled, so that it is no more than a pointer.
#[derive(Debug, Clone)]
pub(super) struct Scope(Rc<Work>);

#[derive(Debug)]
struct Work {
    context: TraceContext,
    recorded: Recorded,
}

/// Where the spans of a trace are recorded.
#[derive(Debug)]
enum Recorded {
    Nowhere,
    /// With this, which began it.
    Here(Record),
    /// With what began it.
    There(Scope),
}

/// What is recorded of a trace.
#[derive(Debug)]
struct Record {
    begun: Instant,
    /// The same by the wall clock, in nanoseconds of the Unix epoch.
    start: u64,
    /// Its children that have ended.
    ended: RefCell<Vec<Span>>,
}

impl Record {
    /// `begun` is now, or was a moment ago.
    fn begin(begun: Instant) -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            begun,
            start: u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX),
            ended: RefCell::default(),
        }
    }

    /// A moment by the wall clock, which jumps in no trace.
    fn at(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.begun).as_nanos();
        self.start
            .saturating_add(u64::try_from(since).unwrap_or(u64::MAX))
    }
}

impl Scope {
    fn new(context: TraceContext, recorded: Recorded) -> Self {
        Self(Rc::new(Work { context, recorded }))
    }

    /// What another thread, or another process, has begun.
    pub(super) fn of(context: TraceContext) -> Self {
        Self::new(context, Recorded::Nowhere)
    }

    pub(super) fn context(&self) -> &TraceContext {
        &self.0.context
    }

    /// What is recorded here; `None`: it is recorded elsewhere, or nowhere.
    fn record(&self) -> Option<&Record> {
        match &self.0.recorded {
            Recorded::Here(record) => Some(record),
            Recorded::There(_) | Recorded::Nowhere => None,
        }
    }

    /// Begins a span within it; `None`: it is not recorded.
    fn begin(&self) -> Option<Child> {
        let root = match &self.0.recorded {
            Recorded::Nowhere => return None,
            Recorded::Here(_) => self,
            Recorded::There(root) => root,
        };
        Some(Child {
            root: root.clone(),
            parent: self.0.context.span_id,
            span_id: SpanId::random(),
            begun: Instant::now(),
        })
    }
}

impl Trace {
    pub(super) fn begin(sampler: Sampler, propagators: Propagators, caller: Caller, begun: Instant) -> Self {
        let trace_id = caller
            .parent
            .map_or_else(TraceId::random, |parent| parent.trace_id);
        let is_sampled = sampler.samples(trace_id, &caller);
        let context = TraceContext {
            trace_id,
            span_id: SpanId::random(),
            is_sampled,
            is_passed_on: propagators.trace_context,
            carried: caller.carried,
        };
        let recorded = match is_sampled {
            true => Recorded::Here(Record::begin(begun)),
            false => Recorded::Nowhere,
        };
        Self {
            scope: Scope::new(context, recorded),
            parent: caller.parent.map(|parent| parent.span_id),
        }
    }

    /// Runs this as a part of it, where it is given.
    pub fn within<F>(trace: Option<&Self>, future: F) -> Within<F> {
        Within::new(trace.map(|trace| trace.scope.clone()), future)
    }

    /// What this thread does is a part of it, until what this gives is dropped.
    pub fn enter(&self) -> Entered {
        Entered::new(self.scope.clone())
    }

    /// All of its spans; `None` where it is not recorded.
    pub(super) fn end(
        self,
        kind: SpanKind,
        outcome: impl FnOnce() -> Outcome,
        ended: Instant,
    ) -> Option<Vec<Span>> {
        let Self { scope, parent } = self;
        let (record, context) = (scope.record()?, scope.context());
        let mut spans = record.ended.take();
        spans.reserve_exact(1);
        spans.push(Span {
            trace_id: context.trace_id,
            span_id: context.span_id,
            parent,
            has_remote_parent: parent.is_some(),
            kind,
            start: record.start,
            end: record.at(ended),
            outcome: outcome(),
            state: context.state(),
        });
        Some(spans)
    }
}

/// Begins a span within what this thread works on; `None` where that is nothing, or is not recorded.
pub fn begin() -> Option<Child> {
    current::look(Scope::begin).flatten()
}

impl Child {
    /// Runs this as a part of it.
    pub fn within<F>(&self, future: F) -> Within<F> {
        let context = TraceContext {
            span_id: self.span_id,
            ..self.root.context().clone()
        };
        let scope = Scope::new(context, Recorded::There(self.root.clone()));
        Within::new(Some(scope), future)
    }

    /// Ends it. One that is dropped instead is recorded nowhere.
    pub fn end(self, kind: SpanKind, outcome: Outcome) {
        let Some(record) = self.root.record() else {
            return;
        };
        let context = self.root.context();
        let span = Span {
            trace_id: context.trace_id,
            span_id: self.span_id,
            parent: Some(self.parent),
            has_remote_parent: false,
            kind,
            start: record.at(self.begun),
            end: record.at(Instant::now()),
            outcome,
            state: context.state(),
        };
        let mut ended = record.ended.borrow_mut();
        if ended.is_empty() {
            // For itself and for what began the trace: as a rule that is all.
            ended.reserve_exact(2);
        }
        ended.push(span);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt as _;

    use super::super::{QueueOptions, RootSampler, SpanQueue, Tracer, within};
    use super::*;

    const PARENT: &[u8] = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn caller() -> Caller {
        Caller::read(
            Propagators::default(),
            [PARENT].into_iter(),
            [&b"a=1"[..]].into_iter(),
            [].into_iter(),
        )
    }

    fn tracer(root: RootSampler) -> (Tracer, Arc<SpanQueue>) {
        let queue = Arc::new(SpanQueue::new(QueueOptions {
            capacity: 100,
            batch: 100,
        }));
        let sampler = Sampler {
            root,
            ..Sampler::default()
        };
        (Tracer::new(sampler, Arc::clone(&queue)), queue)
    }

    fn outcome(name: &'static str) -> Outcome {
        Outcome::new(name, vec![("flagsmith.cache_hit", true.into())])
    }

    #[test]
    fn spans_know_their_parents_and_come_together() {
        let (tracer, queue) = tracer(RootSampler::AlwaysOff);
        let trace = tracer.begin(caller());
        let work = Trace::within(Some(&trace), async {
            let outer = begin().unwrap();
            outer
                .within(async {
                    tokio::task::yield_now().await;
                    begin().unwrap().end(SpanKind::Internal, outcome("inner"));
                })
                .await;
            outer.end(SpanKind::Client, outcome("outer"));
        });
        let mut work = Box::pin(work);
        assert_eq!(work.as_mut().now_or_never(), None);
        assert!(begin().is_none(), "other work of the thread is no part of it");
        work.now_or_never().unwrap();
        assert_eq!(queue.waiting(), 0);
        tracer.end(trace, SpanKind::Server, || outcome("root"));
        let spans = queue.take();
        let names: Vec<_> = spans.iter().map(|span| &*span.outcome.name).collect();
        assert_eq!(names, ["inner", "outer", "root"]);
        let [inner, outer, root] = &spans[..] else {
            panic!("{spans:?}")
        };
        assert_eq!(inner.parent, Some(outer.span_id));
        assert_eq!(outer.parent, Some(root.span_id));
        assert_eq!(root.parent.unwrap().to_string(), "b7ad6b7169203331");
        assert!(root.has_remote_parent && !outer.has_remote_parent);
        for span in &spans {
            assert_eq!(span.trace_id.to_string(), "0af7651916cd43dd8448eb211c80319c");
            assert_eq!(span.trace_state(), "a=1");
            assert!(!format!("{span:?}").contains("a=1"));
            assert!(root.start <= span.start && span.start <= span.end && span.end <= root.end);
        }
        assert!(inner.span_id != outer.span_id && outer.span_id != root.span_id);
    }

    #[test]
    fn a_span_that_waits_keeps_no_baggage() {
        let (tracer, queue) = tracer(RootSampler::AlwaysOn);
        let baggage = format!("k={}", "x".repeat(8000));
        let caller = Caller::read(
            Propagators::default(),
            [PARENT].into_iter(),
            [&b"a=1"[..]].into_iter(),
            [baggage.as_bytes()].into_iter(),
        );
        let carried = Arc::downgrade(caller.carried.as_ref().unwrap());
        let trace = tracer.begin(caller);
        {
            let _entered = trace.enter();
            begin().unwrap().end(SpanKind::Internal, outcome("child"));
        }
        tracer.end(trace, SpanKind::Server, || outcome("root"));
        assert_eq!((queue.waiting(), carried.strong_count()), (2, 0));
    }

    #[test]
    fn what_is_not_recorded_has_ids_all_the_same() {
        let (tracer, queue) = tracer(RootSampler::AlwaysOff);
        let trace = tracer.begin(Caller::default());
        {
            let _entered = trace.enter();
            let context = current::current().unwrap();
            assert!(!context.is_sampled);
            assert!(begin().is_none());
            let fields: Vec<_> = context.fields().collect();
            let parent = format!("00-{}-{}-00", context.trace_id, context.span_id);
            assert_eq!(fields, [("traceparent", parent)]);
        }
        assert_eq!(current::current(), None);
        tracer.end(trace, SpanKind::Server, || panic!("nobody asks for it"));
        assert_eq!(queue.waiting(), 0);
    }

    #[test]
    fn nobody_is_told_where_nothing_is_passed_on() {
        let (tracer, queue) = tracer(RootSampler::AlwaysOn);
        for (trace_context, baggage, expected) in [
            (false, false, &[][..]),
            (false, true, &["baggage"]),
            (true, false, &["traceparent", "tracestate"]),
        ] {
            let propagators = Propagators {
                trace_context,
                baggage,
            };
            let tracer = tracer.clone().with_propagators(propagators);
            let fields = [PARENT, b"a=1", b"k=v"].map(|value| [value].into_iter());
            let [parent, state, carried] = fields;
            let trace = tracer.begin(Caller::read(tracer.propagators(), parent, state, carried));
            {
                let _entered = trace.enter();
                let fields = current::current().unwrap().fields();
                assert_eq!(fields.map(|(name, _)| name).collect::<Vec<_>>(), expected);
            }
            tracer.end(trace, SpanKind::Server, || outcome("root"));
            assert_eq!(queue.take()[0].parent.is_some(), trace_context);
        }
    }

    #[test]
    fn another_thread_goes_on_with_the_context() {
        let (tracer, _) = tracer(RootSampler::AlwaysOn);
        let trace = tracer.begin(caller());
        let context = {
            let _entered = trace.enter();
            current::current()
        };
        let context = context.unwrap();
        let expected = Some(context.clone());
        let there =
            std::thread::spawn(move || within(Some(context), async { current::current() }).now_or_never());
        assert_eq!(there.join().unwrap().unwrap(), expected);
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let (tracer, _) = tracer(RootSampler::AlwaysOn);
        let trace = tracer.begin(Caller::default());
        let work = Trace::within(Some(&trace), async { panic!("injected into a trace") });
        let work = std::panic::AssertUnwindSafe(work);
        assert!(work.catch_unwind().now_or_never().unwrap().is_err());
        assert_eq!(current::current(), None);
    }
}
