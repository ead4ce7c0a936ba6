//! Threads for blocking work, beside those of the runtime: work there is not held up by whatever else blocks.
use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long a thread waits for more work before it ends: longer than the period of any source.
const IDLE: Duration = Duration::from_secs(20);
/// Work that takes longer waits for a disk that hangs.
const SILENCE: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce() + Send>;

/// A bounded number of threads, made as work comes. They end when they had none for a while, or with this value, when the work
/// they do is done.
pub struct Threads {
    name: &'static str,
    at_most: usize,
    /// Whether the operator has heard that the system gives no thread: once, for every piece of work may ask for one.
    is_told: AtomicBool,
    /// Whether the operator has heard that no work ends, and not that some does.
    is_silent: AtomicBool,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    idle: usize,
    /// How much work has ended.
    ended: u64,
    is_over: bool,
}

impl Threads {
    /// Makes none yet; there will be `at_most` so many. `name` is what the system shows of them.
    pub fn new(name: &'static str, at_most: usize) -> Self {
        Self {
            name,
            at_most,
            is_told: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            shared: Arc::default(),
        }
    }

    /// Runs blocking work in its turn; not at all where its caller does not wait any more. `None` where it panicked, or where
    /// the system gives no thread.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let (sender, outcome) = oneshot::channel();
        let work = move || {
            if !sender.is_closed() {
                // Dropped where the work panics. The caller may have gone meanwhile.
                let _ = sender.send(work());
            }
        };
        if let Err(refused) = self.submit(Box::new(work)) {
            if !self.is_told.swap(true, Ordering::Relaxed) {
                log::error!("no thread for blocking work ({refused}); raise the limit of threads");
            }
            return None;
        }
        outcome.await.ok()
    }

    /// As [`Threads::run`]; where none of the work has ended for 10 s the log hears of it once, by this line, and of the next end.
    pub async fn run_watched<T: Send + 'static>(
        &self,
        silence: &str,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let mut outcome = pin!(self.run(work));
        loop {
            let ended = self.shared.state().ended;
            if let Ok(outcome) = timeout(SILENCE, &mut outcome).await {
                if self.is_silent.swap(false, Ordering::Relaxed) {
                    log::info!("the disk answers again (thread {:?})", self.name);
                }
                return outcome;
            }
            // Others before it may take their time.
            let is_silent = self.shared.state().ended == ended;
            if is_silent && !self.is_silent.swap(true, Ordering::Relaxed) {
                log::warn!("{silence}");
            }
        }
    }

    /// Whether none of the work that [`Threads::run_watched`] waits for has ended for 10 s.
    pub fn is_silent(&self) -> bool {
        self.is_silent.load(Ordering::Relaxed)
    }

    fn submit(&self, work: Work) -> io::Result<()> {
        let mut state = self.shared.state();
        state.waiting.push_back(work);
        if state.idle >= state.waiting.len() {
            self.shared.changed.notify_one();
        } else if state.threads < self.at_most {
            let shared = Arc::clone(&self.shared);
            let thread = thread::Builder::new().name(self.name.to_owned());
            match thread.spawn(move || shared.work()) {
                Ok(_) => state.threads += 1,
                // The threads that are there take it in its turn.
                Err(_) if state.threads > 0 => {}
                Err(refused) => {
                    state.waiting.pop_back();
                    return Err(refused);
                }
            }
        }
        Ok(())
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.is_over = true;
        // Nobody waits for it any more.
        state.waiting.clear();
        self.shared.changed.notify_all();
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads")
            .field("name", &self.name)
            .field("at_most", &self.at_most)
            .finish_non_exhaustive()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One thread's life.
    fn work(&self) {
        let mut state = self.state();
        let mut is_tired = false;
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                // The caller hears of a panic by the end of its channel.
                let _ = catch_unwind(AssertUnwindSafe(work));
                (state, is_tired) = (self.state(), false);
                state.ended = state.ended.wrapping_add(1);
            } else if state.is_over || is_tired {
                break;
            } else {
                state.idle += 1;
                let (woken, waited) = self
                    .changed
                    .wait_timeout(state, IDLE)
                    .unwrap_or_else(PoisonError::into_inner);
                (state, is_tired) = (woken, waited.timed_out());
                state.idle -= 1;
            }
        }
        state.threads -= 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt as _;
    use futures::future::join_all;

    use super::*;

    #[actix_rt::test]
    async fn work_is_bounded_and_taken_in_turn() {
        let threads = Arc::new(Threads::new("test", 2));
        let (release, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(Mutex::new(blocked));
        let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
        let work = (0..6).map(|number| {
            let (threads, blocked, started) = (Arc::clone(&threads), Arc::clone(&blocked), started.clone());
            actix_rt::spawn(async move {
                let work = move || {
                    started.send(()).unwrap();
                    let _ = blocked.lock().unwrap().recv();
                    number
                };
                threads.run(work).await
            })
        });
        let work: Vec<_> = work.collect();
        for _ in 0..2 {
            starts.recv().await.unwrap();
        }
        assert_eq!(threads.shared.state().threads, 2);
        assert!(starts.try_recv().is_err());
        drop(release);
        let outcomes = join_all(work).await;
        let numbers: Vec<_> = outcomes.into_iter().map(|outcome| outcome.unwrap()).collect();
        assert_eq!(numbers, (0..6).map(Some).collect::<Vec<_>>());
        assert!(threads.shared.state().threads <= 2);
    }

    #[actix_rt::test]
    async fn a_panic_ends_no_thread_and_is_told() {
        let threads = Threads::new("test", 1);
        assert_eq!(
            threads
                .run(|| -> u8 { panic!("injected into blocking work") })
                .await,
            None
        );
        assert_eq!(threads.run(|| 1).await, Some(1));
        assert_eq!(threads.shared.state().threads, 1);
    }

    /// Work that has begun and goes on until told; nobody waits for it any more.
    async fn abandoned(threads: &Threads) -> mpsc::Sender<()> {
        let (release, blocked) = mpsc::channel::<()>();
        let (begin, begun) = oneshot::channel();
        let work = threads.run(move || {
            begin.send(()).unwrap();
            let _ = blocked.recv();
        });
        tokio::select! {
            biased;
            _ = work => panic!("it is not released"),
            begun = begun => begun.unwrap(),
        }
        release
    }

    #[actix_rt::test]
    async fn what_nobody_waits_for_is_not_begun() {
        let threads = Threads::new("test", 1);
        let release = abandoned(&threads).await;
        let (began, has_begun) = mpsc::channel();
        assert_eq!(threads.run(move || began.send(())).now_or_never(), None);
        drop(release);
        assert_eq!(threads.run(|| 1).await, Some(1));
        assert!(has_begun.recv().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_told_after_ten_seconds_and_so_is_its_end() {
        let threads = Threads::new("test", 1);
        let (release, blocked) = mpsc::channel::<()>();
        let mut work = pin!(threads.run_watched("no answer", move || blocked.recv()));
        let is_silent = || threads.is_silent.load(Ordering::Relaxed);
        assert!(
            timeout(SILENCE - Duration::from_secs(1), &mut work)
                .await
                .is_err()
        );
        assert!(!is_silent());
        assert!(timeout(SILENCE, &mut work).await.is_err());
        assert!(is_silent());
        drop(release);
        assert!(work.await.is_some());
        assert!(!is_silent());
    }

    #[actix_rt::test]
    async fn threads_end_with_their_owner() {
        let threads = Threads::new("test", 4);
        assert_eq!(threads.run(|| 1).await, Some(1));
        let release = abandoned(&threads).await;
        let shared = Arc::downgrade(&threads.shared);
        drop(threads);
        assert!(shared.upgrade().is_some(), "work that has begun is finished");
        drop(release);
        // Each thread holds it until its end.
        while shared.upgrade().is_some() {
            thread::yield_now();
        }
    }
}
