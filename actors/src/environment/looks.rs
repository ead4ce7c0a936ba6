//! Looks at documents' files: blocking, and for ever where a network file system hangs.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::Semaphore;

use crate::threads::Threads;

/// Looks at once into one folder, whose files share their file system's fate: where it hangs it holds so many threads.
const A_FOLDER: usize = 2;
/// Looks at once. A look takes microseconds, so that threads are few where nothing hangs; with so many folders that hang,
/// documents from files are not looked for any more.
const AT_MOST: usize = 256;

/// The looks of one EnvironmentActor, bounded for each folder.
#[derive(Debug)]
pub(super) struct Looks {
    threads: Threads,
    folders: Mutex<HashMap<PathBuf, Weak<Semaphore>>>,
}

impl Looks {
    pub(super) fn new() -> Self {
        Self {
            threads: Threads::new("files", AT_MOST),
            folders: Mutex::default(),
        }
    }

    /// Runs a look at this file in its folder's turn; `None` where it panicked, or where there is no thread for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        path: &Path,
        look: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        // The semaphore is never closed.
        let turn = self.folder(path).acquire_owned().await.ok();
        let look = move || {
            // Until the look has ended, even where its caller has gone.
            let _turn = turn;
            look()
        };
        self.threads.run(look).await
    }

    fn folder(&self, path: &Path) -> Arc<Semaphore> {
        let folder = path.parent().unwrap_or(path);
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turns) = folders.get(folder).and_then(Weak::upgrade) {
            return turns;
        }
        folders.retain(|_, turns| turns.strong_count() > 0);
        let turns = Arc::new(Semaphore::new(A_FOLDER));
        folders.insert(folder.to_owned(), Arc::downgrade(&turns));
        turns
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[actix_rt::test]
    async fn a_folder_that_hangs_holds_few_threads_and_no_other_folder() {
        let looks = Looks::new();
        let (release, blocked) = mpsc::channel::<()>();
        let blocked = Arc::new(Mutex::new(blocked));
        for number in 0..A_FOLDER {
            let (blocked, (begin, begun)) = (Arc::clone(&blocked), oneshot::channel());
            let hang = move || {
                begin.send(()).unwrap();
                let _ = blocked.lock().unwrap().recv();
            };
            let path = PathBuf::from(format!("/hanging/{number}.json"));
            // Nobody waits for it from then on, as after another configuration; it goes on.
            tokio::select! {
                biased;
                _ = looks.run(&path, hang) => panic!("it hangs"),
                begun = begun => begun.unwrap(),
            }
        }
        let mut third = Box::pin(looks.run(Path::new("/hanging/third.json"), || 3));
        assert!(third.as_mut().now_or_never().is_none());
        for number in 0..AT_MOST {
            let path = PathBuf::from(format!("/folder{number}/environment.json"));
            assert_eq!(looks.run(&path, || 1).await, Some(1));
        }
        assert!(third.as_mut().now_or_never().is_none());
        drop(release);
        assert_eq!(third.await, Some(3));
        assert!(looks.folders.lock().unwrap().len() <= 2, "folders are forgotten");
    }
}
