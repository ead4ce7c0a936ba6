//! The thread of one actor, which ends with it.
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::{Arbiter, ArbiterHandle};
use tokio::sync::oneshot;

/// An arbiter that runs one actor, or one other long work, and nothing else.
#[derive(Clone)]
pub struct ActorThread {
    /// Taken by whoever ends it.
    arbiter: Arc<Mutex<Option<Arbiter>>>,
}

impl ActorThread {
    /// Starts the thread; the handle is what the actor starts on. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no further thread, or no descriptors for its runtime.
    pub fn start() -> io::Result<(Self, ArbiterHandle)> {
        let arbiter = Arbiter::try_new()?;
        let handle = arbiter.handle();
        let arbiter = Arc::new(Mutex::new(Some(arbiter)));
        Ok((Self { arbiter }, handle))
    }

    /// Ends the thread, and with it whatever of the actor is left; waits for it at most this long, since blocking work that
    /// has begun is finished first. Whether the thread is gone.
    pub async fn end(&self, patience: Duration) -> bool {
        let arbiter = self.arbiter.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(arbiter) = arbiter else { return true };
        arbiter.stop();
        match joined(arbiter) {
            Ok(gone) => tokio::time::timeout(patience, gone).await.is_ok(),
            Err(refused) => {
                log::debug!("the end of a thread is not waited for: {refused}");
                false
            }
        }
    }
}

impl fmt::Debug for ActorThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ActorThread")
    }
}

/// Resolves when the arbiter's thread is gone. A thread waits for it that nothing waits for in turn: on the runtime's
/// blocking pool, a thread that never ends would hold up the end of the process.
fn joined(arbiter: Arbiter) -> io::Result<oneshot::Receiver<()>> {
    let (gone, is_gone) = oneshot::channel();
    std::thread::Builder::new()
        .name("join".to_owned())
        .spawn(move || {
            // A panic of an actor was reported by its lifeline.
            let _ = arbiter.join();
            let _ = gone.send(());
        })?;
    Ok(is_gone)
}
