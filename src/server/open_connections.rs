//! How many connections the server has, for whoever waits until there are none.
use std::time::Duration;

use tokio::sync::watch;

/// The connections of all workers; clones count together.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenConnections {
    counts: watch::Sender<Counts>,
}

/// The counts. `connections` falls when a connection is gone, `unfinished` when its end is announced, which is earlier.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    connections: usize,
    unfinished: usize,
}

impl OpenConnections {
    /// Counts one more, until what this gives is dropped.
    pub(super) fn count(&self) -> OpenConnection {
        self.counts.send_modify(|counts| {
            counts.connections += 1;
            counts.unfinished += 1;
        });
        OpenConnection {
            all: self.clone(),
            is_unfinished: true,
        }
    }

    /// Resolves when there is none.
    pub(super) async fn none(&self) {
        self.until(|counts| counts.connections == 0).await;
    }

    /// Resolves when the end of each has been announced to its client.
    pub(super) async fn none_unfinished(&self) {
        self.until(|counts| counts.unfinished == 0).await;
    }

    /// Resolves when there has been none for this long.
    pub(super) async fn none_for(&self, quiet: Duration) {
        loop {
            self.none().await;
            let next = self.until(|counts| counts.connections > 0);
            if tokio::time::timeout(quiet, next).await.is_err() {
                return;
            }
        }
    }

    async fn until(&self, is_so: impl Fn(&Counts) -> bool) {
        // The sender lives in `self`, so the channel cannot close.
        let _ = self.counts.subscribe().wait_for(is_so).await;
    }
}

/// One counted connection.
#[derive(Debug)]
pub(super) struct OpenConnection {
    all: OpenConnections,
    is_unfinished: bool,
}

impl OpenConnection {
    /// Its client has been told that nothing more will come.
    pub(super) fn finished(&mut self) {
        if std::mem::take(&mut self.is_unfinished) {
            self.all.counts.send_modify(|counts| counts.unfinished -= 1);
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.finished();
        self.all.counts.send_modify(|counts| counts.connections -= 1);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn the_announced_end_comes_before_the_end() {
        let all = OpenConnections::default();
        let (mut first, second) = (all.count(), all.count());
        drop(second);
        assert!(all.none_unfinished().now_or_never().is_none());
        first.finished();
        first.finished();
        all.none_unfinished().await;
        assert!(all.none().now_or_never().is_none());
        drop(first);
        all.none().await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_comes_begins_the_quiet_anew() {
        let all = OpenConnections::default();
        let begun = tokio::time::Instant::now();
        let quiet = async {
            all.none_for(Duration::from_secs(1)).await;
            begun.elapsed()
        };
        let visits = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(900)).await;
                let connection = all.count();
                tokio::time::sleep(Duration::from_millis(50)).await;
                drop(connection);
            }
        };
        let (took, ()) = tokio::join!(quiet, visits);
        assert_eq!(took, Duration::from_millis(3 * 950 + 1000));
    }
}
