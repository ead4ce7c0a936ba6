//! One look for all who ask at the same time.
use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// What was seen at the last look; clones share it.
pub(crate) struct Shared<T> {
    latest: Arc<Mutex<Option<Look<T>>>>,
}

struct Look<T> {
    /// When it was begun: what has happened by then is in it.
    begun: Instant,
    seen: Arc<T>,
}

impl<T> Shared<T> {
    /// What is seen at this moment, or at a later one. Who asks while somebody looks waits for the next look, and all of those
    /// share it: however many ask at a time, there are two looks, and nobody is told what is older than his question.
    pub(super) async fn since(&self, moment: Instant, look: impl Future<Output = T>) -> Arc<T> {
        let mut latest = self.latest.lock().await;
        if let Some(last) = latest.as_ref().filter(|last| last.begun >= moment) {
            return Arc::clone(&last.seen);
        }
        let begun = Instant::now();
        let seen = Arc::new(look.await);
        *latest = Some(Look {
            begun,
            seen: Arc::clone(&seen),
        });
        seen
    }
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self {
            latest: Arc::default(),
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self {
            latest: Arc::clone(&self.latest),
        }
    }
}

impl<T> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use futures::future::join_all;
    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_asks_while_one_looks_shares_the_next_look() {
        let (shared, taken) = (Shared::default(), Cell::new(0));
        let ask = |moment| {
            shared.since(moment, async {
                sleep(Duration::from_millis(10)).await;
                taken.set(taken.get() + 1);
                taken.get()
            })
        };
        let begun = Instant::now();
        let late = async {
            sleep(Duration::from_millis(1)).await;
            join_all((0..50).map(|_| ask(Instant::now()))).await
        };
        let (first, late) = tokio::join!(ask(begun), late);
        assert_eq!(taken.get(), 2);
        assert!(late.iter().all(|seen| Arc::ptr_eq(seen, &late[0])));
        assert!(!Arc::ptr_eq(&first, &late[0]), "it may lack what they know of");
        assert_eq!(begun.elapsed().as_millis(), 20);

        // Who takes what is older gets it at once.
        let known = ask(Instant::now() - Duration::from_millis(15)).await;
        assert!(Arc::ptr_eq(&known, &late[0]));
        assert!(!Arc::ptr_eq(&ask(Instant::now()).await, &known));
        assert_eq!(taken.get(), 3);
    }
}
