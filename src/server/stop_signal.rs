//! The stop signal: how the connections of one HTTP worker hear that a graceful stop has begun.
//!
//! Each connection asks at every turn, some twice a request, whether the stop has begun. actix-server's own signal
//! locks what all workers share for that; this one looks at a cell of the worker's thread.
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use actix_server::GracefulShutdownSignal;

/// One worker's signal.
#[derive(Debug, Default)]
pub(super) struct WorkerStop {
    begun: Cell<bool>,
    waiting: RefCell<Waiting>,
}

/// The tasks to wake, by place; new ones take the free places first.
#[derive(Debug, Default)]
struct Waiting {
    tasks: Vec<Option<Waker>>,
    free: Vec<usize>,
}

impl WorkerStop {
    /// Follows the server's signal, on the worker's thread.
    pub(super) fn follow(signal: GracefulShutdownSignal) -> Rc<Self> {
        let stop = Rc::new(Self::default());
        let own = Rc::clone(&stop);
        actix_rt::spawn(async move {
            signal.notified().await;
            own.begin();
        });
        stop
    }

    /// Resolves when the stop begins, or at once where it has begun.
    pub(super) fn begun(self: &Rc<Self>) -> Begun {
        Begun {
            stop: Rc::clone(self),
            place: None,
        }
    }

    fn begin(&self) {
        self.begun.set(true);
        let tasks = std::mem::take(&mut *self.waiting.borrow_mut()).tasks;
        tasks.into_iter().flatten().for_each(Waker::wake);
    }
}

/// See [`WorkerStop::begun`].
#[derive(Debug)]
pub(super) struct Begun {
    stop: Rc<WorkerStop>,
    place: Option<usize>,
}

impl Future for Begun {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.stop.begun.get() {
            return Poll::Ready(());
        }
        let place = {
            let Waiting { tasks, free } = &mut *self.stop.waiting.borrow_mut();
            let place = self.place.or_else(|| free.pop()).unwrap_or(tasks.len());
            match tasks.get_mut(place) {
                Some(Some(task)) if task.will_wake(cx.waker()) => {}
                Some(task) => *task = Some(cx.waker().clone()),
                None => tasks.push(Some(cx.waker().clone())),
            }
            place
        };
        self.place = Some(place);
        Poll::Pending
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        let Waiting { tasks, free } = &mut *self.stop.waiting.borrow_mut();
        // No place is left once the stop has begun.
        if let Some(place) = self.place
            && let Some(task) = tasks.get_mut(place)
        {
            *task = None;
            free.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[actix_web::test]
    async fn wakes_all_who_wait_and_whoever_comes_later() {
        let stop = Rc::new(WorkerStop::default());
        let waiting: Vec<_> = (0..3).map(|_| actix_rt::spawn(stop.begun())).collect();
        actix_rt::task::yield_now().await;
        assert_eq!(stop.waiting.borrow().tasks.len(), 3);
        stop.begin();
        for task in waiting {
            task.await.unwrap();
        }
        stop.begun().await;
    }

    #[actix_web::test]
    async fn places_are_used_again() {
        let stop = Rc::new(WorkerStop::default());
        for _ in 0..100 {
            let (mut first, mut second) = (stop.begun(), stop.begun());
            assert!((&mut first).now_or_never().is_none());
            assert!((&mut second).now_or_never().is_none());
            assert!((&mut first).now_or_never().is_none());
        }
        assert_eq!(stop.waiting.borrow().tasks.len(), 2);
    }
}
