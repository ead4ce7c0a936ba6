//! Heavy evaluations: identities that take more work than others can wait for.
//!
//! A worker answers its connections one after the other, so that an evaluation of some milliseconds is one for all of them.
//! It tries each identity lightly; what takes more is evaluated on threads beside the workers, of which there are
//! half as many and which come second, so that the workers go on whatever clients send. How many may wait there is bounded: whoever comes
//! beyond that is refused, and whoever is accepted has its answer soon.
use std::sync::Arc;
use std::time::Duration;

use actors::threads::Threads;
use engine::LightWork;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::{ApiError, Shortage};

/// One thread for so many workers: a worker takes what a core has.
const WORKERS_A_THREAD: usize = 2;

/// How nice these threads are to the workers: as much as can be. Any less, and a worker that wakes where such a thread runs
/// waits for the end of its turn: others' p99 is then three times what it is beside an idle machine.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 19;

/// How long an accepted request may take: where the workers leave these threads next to nothing, whoever waits is told in
/// time (Flagsmith's SDK for Kotlin gives a call 4 s).
const PATIENCE: Duration = Duration::from_secs(3);

/// The threads, and the places before them; shared by all workers.
#[derive(Debug)]
pub(crate) struct HeavyEvaluations {
    threads: Threads,
    places: Arc<Semaphore>,
}

impl HeavyEvaluations {
    /// For so many HTTP workers. `at_once`: how many requests each thread may have, the one at work included.
    pub(crate) fn new(workers: usize, at_once: usize) -> Self {
        let threads = workers.div_ceil(WORKERS_A_THREAD).max(1);
        Self {
            threads: Threads::new("evaluations", threads),
            places: Arc::new(Semaphore::new(
                threads.saturating_mul(at_once).min(Semaphore::MAX_PERMITS),
            )),
        }
    }

    /// What a first try may take: less where [`Self::run`] would refuse.
    pub(super) fn first_try(&self) -> LightWork {
        if self.places.available_permits() == 0 {
            LightWork::Scarce
        } else {
            LightWork::Ample
        }
    }

    /// Evaluates on a thread beside the workers.
    ///
    /// # Errors
    /// 503 where too many wait there already, where its turn does not come in time, and where the evaluation fails.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        evaluate: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| ApiError::Overloaded(Shortage::Evaluations))?;
        let evaluate = move || {
            // Also a request that is given up has its place until a thread has seen that.
            let _place = place;
            let_workers_go_first();
            evaluate()
        };
        match timeout(PATIENCE, self.threads.run(evaluate)).await {
            Ok(evaluated) => evaluated.ok_or(ApiError::Unavailable),
            Err(_) => Err(ApiError::Overloaded(Shortage::Evaluations)),
        }
    }
}

/// Lowers the priority of this thread alone; whoever may not goes on with what it has. It takes less than a microsecond.
#[cfg(target_os = "linux")]
pub(crate) fn let_workers_go_first() {
    // Without an id Linux takes the thread that asks (setpriority(2), "C library/kernel differences").
    if let Err(refused) = rustix::process::setpriority_process(None, NICENESS) {
        log::debug!("evaluations keep the priority of the workers: {refused}");
    }
}

/// Elsewhere the priority is that of the whole process.
#[cfg(not(target_os = "linux"))]
pub(crate) fn let_workers_go_first() {}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whose_turn_does_not_come_is_told_in_time() {
        let heavy = HeavyEvaluations::new(1, 2);
        let (release, blocked) = mpsc::channel::<()>();
        let mut first = Box::pin(heavy.run(move || blocked.recv().is_err()));
        assert!((&mut first).now_or_never().is_none());
        let before = tokio::time::Instant::now();
        assert_eq!(
            heavy.run(|| ()).await,
            Err(ApiError::Overloaded(Shortage::Evaluations))
        );
        assert_eq!(before.elapsed(), PATIENCE);
        drop(release);
    }

    #[actix_web::test]
    async fn who_gives_up_has_its_place_until_its_turn() {
        let heavy = HeavyEvaluations::new(1, 2);
        let (release, blocked) = mpsc::channel::<()>();
        let mut first = Box::pin(heavy.run(move || blocked.recv().is_err()));
        assert!((&mut first).now_or_never().is_none());
        assert_eq!(heavy.first_try(), LightWork::Ample);
        assert_eq!(heavy.run(|| ()).now_or_never(), None, "it waits, and is given up");
        assert_eq!(heavy.first_try(), LightWork::Scarce);
        assert_eq!(
            heavy.run(|| ()).await,
            Err(ApiError::Overloaded(Shortage::Evaluations))
        );
        drop(release);
        // On a busy machine its thread may come too late for it: it gives way to everything else.
        assert!(matches!(first.await, Ok(true) | Err(ApiError::Overloaded(_))));
        while heavy.run(|| ()).await != Ok(()) {
            std::thread::yield_now();
        }
    }
}
