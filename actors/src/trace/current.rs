//! What a thread works on: for as long as a future is polled, or until a guard is dropped.
use std::cell::RefCell;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::caller::TraceContext;
use super::ids::{SpanId, TraceId};
use super::open::Scope;

thread_local! {
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// What this thread works on; `None`: nothing that is traced.
pub fn current() -> Option<TraceContext> {
    look(|scope| scope.context().clone())
}

/// The ids of what this thread works on, for a line of the log.
pub fn current_ids() -> Option<(TraceId, SpanId)> {
    look(|scope| (scope.context().trace_id, scope.context().span_id))
}

pub(super) fn look<T>(look: impl FnOnce(&Scope) -> T) -> Option<T> {
    // At the end of a thread it is gone.
    CURRENT
        .try_with(|current| current.borrow().as_ref().map(look))
        .unwrap_or(None)
}

/// Puts another one in its place, and gives what was there.
fn replace(scope: Option<Scope>) -> Option<Scope> {
    CURRENT.try_with(|current| current.replace(scope)).unwrap_or(None)
}

/// Runs this as a part of what another thread has begun, where it has; nothing of it is recorded here.
pub fn within<F>(context: Option<TraceContext>, future: F) -> Within<F> {
    Within::new(context.map(Scope::of), future)
}

/// Likewise what this thread does until what this gives is dropped.
pub fn enter(context: TraceContext) -> Entered {
    Entered::new(Scope::of(context))
}

/// A thread's work on something, until this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Entered {
    before: Option<Scope>,
    /// It is of this thread.
    thread: PhantomData<*const ()>,
}

impl Entered {
    pub(super) fn new(scope: Scope) -> Self {
        Self {
            before: replace(Some(scope)),
            thread: PhantomData,
        }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

pin_project! {
    /// A future that is a part of something.
    #[derive(Debug)]
    #[must_use]
    pub struct Within<F> {
        // `None`: of whatever polls it.
        scope: Option<Scope>,
        #[pin]
        future: F,
    }
}

impl<F> Within<F> {
    pub(super) fn new(scope: Option<Scope>, future: F) -> Self {
        Self { scope, future }
    }
}

impl<F: Future> Future for Within<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.scope.clone().map(Entered::new);
        this.future.poll(cx)
    }
}
