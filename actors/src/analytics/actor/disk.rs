//! The disk, on a thread of its own: one that hangs keeps nobody from counting and sending.
use std::sync::{Arc, Mutex, PoisonError};

use crate::analytics::UnsentStore;
use crate::analytics::record::{self, Foreign, Kept};
use crate::threads::Threads;

/// Whoever writes must have read what is there.
const AT_ONCE: usize = 1;

/// Who keeps what is unsent, and the thread that waits for it.
#[derive(Clone)]
pub(super) struct Disk {
    threads: Arc<Threads>,
    store: Arc<Mutex<Box<dyn UnsentStore>>>,
}

impl Disk {
    pub(super) fn new(store: Box<dyn UnsentStore>) -> Self {
        Self {
            threads: Arc::new(Threads::new("unsent", AT_ONCE)),
            store: Arc::new(Mutex::new(store)),
        }
    }

    /// Takes what processes before have left, or what another one has left that ended meanwhile. `None`: there is nothing.
    pub(super) async fn take(self, is_first: bool) -> Option<Result<Kept, Foreign>> {
        let left = self.run(move |store| {
            let file = if is_first { store.take() } else { store.take_more() };
            (!file.is_empty()).then(|| record::read(&file))
        });
        left.await.flatten()
    }

    /// Has this kept. Whether it is.
    pub(super) async fn keep(self, unsent: Vec<u8>) -> bool {
        self.run(move |store| store.keep(&unsent)).await.unwrap_or(false)
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn UnsentStore) -> T + Send + 'static,
    ) -> Option<T> {
        let store = Arc::clone(&self.store);
        let work = move || work(&mut **store.lock().unwrap_or_else(PoisonError::into_inner));
        let silence = "the disk with the unsent evaluation counts (persistence.directory) has not answered for 10 s: counts are \
                       taken and sent as ever, and are kept for a restart once it answers; check it";
        self.threads.run_watched(silence, work).await
    }
}
