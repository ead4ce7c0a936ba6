//! Whether documents are stored, for whoever asks: neither the actor nor the disk is waited for.
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::trouble::Trouble;
use crate::threads::Threads;

/// The disk does one thing after the other: what is asked for later must not be done before.
const AT_ONCE: usize = 1;

/// What the store writes with, and what became of it last. Clones share it.
#[derive(Clone)]
pub(super) struct StoreHealth {
    threads: Arc<Threads>,
    trouble: Arc<Mutex<Option<Trouble>>>,
}

/// Why documents are not stored; they are served all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreTrouble {
    /// Another process has the directory, and stores its own.
    Waits(String),
    /// The disk does not take them, or does not answer: why, and what to do.
    Fails(String),
}

impl StoreHealth {
    pub(super) fn new() -> Self {
        Self {
            threads: Arc::new(Threads::new("store", AT_ONCE)),
            trouble: Arc::default(),
        }
    }

    /// Where the disk is waited for.
    pub(super) fn threads(&self) -> &Arc<Threads> {
        &self.threads
    }

    /// Notes what became of the last attempt.
    pub(super) fn note(&self, trouble: Option<Trouble>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    /// Why documents are not stored now, if they are not.
    pub(super) fn trouble(&self) -> Option<StoreTrouble> {
        if self.threads.is_silent() {
            let silence = "its disk has not answered for 10 s; check it";
            return Some(StoreTrouble::Fails(silence.to_owned()));
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let trouble = trouble.as_ref()?;
        let text = trouble.to_string();
        Some(match trouble {
            Trouble::Taken => StoreTrouble::Waits(text),
            Trouble::Disk(..) => StoreTrouble::Fails(text),
        })
    }
}

impl fmt::Debug for StoreHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreHealth")
            .field("trouble", &self.trouble())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_keeps_documents_from_being_stored_is_told() {
        let health = StoreHealth::new();
        assert_eq!(health.trouble(), None);
        health.note(Some(Trouble::Taken));
        assert!(matches!(health.trouble(), Some(StoreTrouble::Waits(_))));
        health.note(Some(Trouble::of("write")(ErrorKind::StorageFull.into())));
        let Some(StoreTrouble::Fails(why)) = health.trouble() else {
            panic!("the disk is full");
        };
        assert!(why.contains("make room"), "{why}");
        health.note(None);

        let (release, hangs) = mpsc::channel::<()>();
        let mut work = pin!(health.threads().run_watched("silence", move || hangs.recv()));
        let waited = tokio::time::timeout(Duration::from_secs(11), &mut work).await;
        assert!(waited.is_err());
        let Some(StoreTrouble::Fails(why)) = health.trouble() else {
            panic!("the disk hangs");
        };
        assert!(why.contains("has not answered"), "{why}");
        drop(release);
        work.await;
        assert_eq!(health.trouble(), None);
    }
}
