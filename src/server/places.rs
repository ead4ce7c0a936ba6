//! Places: how many connections of all workers there are, and how many of them hold a place.
//!
//! A connection is open from its acceptance until its socket is closed. It holds a place from its acceptance until its
//! end is announced, or until it makes room for another one, which is earlier.
use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::open_files::Shares;

/// The places of the process; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shares: Shares,
    /// How many connections are served: that of the shares, until it is changed.
    served: AtomicUsize,
    taken: AtomicUsize,
    open: AtomicUsize,
    /// How many were opened so far.
    opened: AtomicUsize,
    /// How many were asked for something when their end had been announced between two requests.
    crossed: AtomicUsize,
    /// The same by what they speak, each at the place of its protocol; those that have not said so yet are in none.
    by_protocol: [Spoken; Protocol::ALL.len()],
    /// Tells those who wait for a number that one has changed.
    changed: Notify,
}

/// What is spoken over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

impl Protocol {
    /// All of them, each at the place of its number.
    pub(crate) const ALL: [Self; 2] = [Self::Http1, Self::Http2];
}

/// The connections of one protocol.
#[derive(Debug, Default)]
struct Spoken {
    open: AtomicUsize,
    opened: AtomicUsize,
}

impl Shared {
    fn is_over(&self) -> bool {
        self.taken.load(Ordering::Relaxed) > self.served.load(Ordering::Relaxed)
    }

    fn spoken(&self, protocol: Protocol) -> Option<&Spoken> {
        self.by_protocol.get(protocol as usize)
    }

    fn change(&self, change: impl FnOnce(&Self)) {
        change(self);
        self.changed.notify_waiters();
    }
}

impl Places {
    /// Makes places of which none is taken.
    pub(crate) fn new(shares: Shares) -> Self {
        Self {
            shared: Arc::new(Shared {
                served: AtomicUsize::new(shares.served),
                shares,
                taken: AtomicUsize::new(0),
                open: AtomicUsize::new(0),
                opened: AtomicUsize::new(0),
                crossed: AtomicUsize::new(0),
                by_protocol: Default::default(),
                changed: Notify::new(),
            }),
        }
    }

    /// Sets how many connections are served from now on. Where there are more, those that are idle leave.
    pub(crate) fn serve(&self, served: usize) {
        self.shared.served.store(served, Ordering::Relaxed);
    }

    /// Tells whether more places are taken than there are.
    pub(super) fn are_too_few(&self) -> bool {
        self.shared.is_over()
    }

    /// Takes a place, whether there is one or not.
    pub(super) fn take(&self) -> Place {
        self.shared.taken.fetch_add(1, Ordering::SeqCst);
        Place {
            shared: Arc::clone(&self.shared),
            passing: None,
        }
    }

    /// Counts an open connection, until what this gives is dropped.
    pub(super) fn open(&self) -> OpenConnection {
        self.shared.change(|shared| {
            shared.open.fetch_add(1, Ordering::SeqCst);
            shared.opened.fetch_add(1, Ordering::SeqCst);
        });
        OpenConnection {
            shared: Arc::clone(&self.shared),
            protocol: None,
        }
    }

    /// Notes that a request has crossed the end of its connection.
    pub(super) fn note_crossed(&self) {
        self.shared.crossed.fetch_add(1, Ordering::Relaxed);
    }

    /// How many have so far.
    pub(super) fn crossed(&self) -> usize {
        self.shared.crossed.load(Ordering::Relaxed)
    }

    /// How many connections of a protocol are open, and how many were opened so far.
    pub(crate) fn of_protocol(&self, protocol: Protocol) -> (usize, usize) {
        let counts = self.shared.spoken(protocol);
        let get = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        counts.map_or((0, 0), |counts| (get(&counts.open), get(&counts.opened)))
    }

    /// How many connections are served at a time.
    pub(crate) fn served(&self) -> usize {
        self.shared.served.load(Ordering::Relaxed)
    }

    /// The limits of it all.
    pub(super) fn shares(&self) -> Shares {
        self.shared.shares
    }

    /// Resolves when no place is taken: the end of each connection has been announced to its client.
    pub(super) async fn none_taken(&self) {
        self.until(|shared| shared.taken.load(Ordering::SeqCst) == 0)
            .await;
    }

    /// Tells how many connections are open.
    pub(crate) fn open_now(&self) -> usize {
        self.shared.open.load(Ordering::Relaxed)
    }

    /// Resolves when no connection is open.
    pub(super) async fn none_open(&self) {
        self.until(|shared| shared.open.load(Ordering::SeqCst) == 0).await;
    }

    /// Resolves when none has been open for this long.
    pub(super) async fn none_open_for(&self, quiet: Duration) {
        loop {
            // One that has come and gone counts, too: who waits for it looks too late.
            let before = self.shared.opened.load(Ordering::SeqCst);
            self.none_open().await;
            let next = self.until(|shared| shared.opened.load(Ordering::SeqCst) != before);
            if tokio::time::timeout(quiet, next).await.is_err() {
                return;
            }
        }
    }

    /// Whether a connection was opened within this time from now; it takes all of it.
    pub(super) async fn one_comes_within(&self, time: Duration) -> bool {
        let before = self.shared.opened.load(Ordering::SeqCst);
        tokio::time::sleep(time).await;
        self.shared.opened.load(Ordering::SeqCst) != before
    }

    async fn until(&self, is_so: impl Fn(&Shared) -> bool) {
        loop {
            let mut changed = pin!(self.shared.changed.notified());
            // It hears of changes from here on, also of one that comes while the number is looked at.
            changed.as_mut().enable();
            if is_so(&self.shared) {
                return;
            }
            changed.await;
        }
    }
}

/// The place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    passing: Option<Passing>,
}

impl Place {
    /// Tells whether more places are taken than there are.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.shared.is_over()
    }

    /// Makes it the place of one that is to hear that there is none.
    pub(super) fn in_passing(mut self, passing: &Rc<Cell<usize>>) -> Self {
        passing.set(passing.get() + 1);
        self.passing = Some(Passing(Rc::clone(passing)));
        self
    }

    /// Tells whether there is no place for its connection, now that it asks.
    pub(super) fn is_none(&self) -> bool {
        self.passing.is_some() && self.is_one_too_many()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.change(|shared| {
            shared.taken.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// One open connection.
#[derive(Debug)]
pub(super) struct OpenConnection {
    shared: Arc<Shared>,
    protocol: Option<Protocol>,
}

impl OpenConnection {
    /// Counts it among those of this protocol from now on.
    pub(super) fn speaks(&mut self, protocol: Protocol) {
        if self.protocol.replace(protocol).is_none()
            && let Some(counts) = self.shared.spoken(protocol)
        {
            counts.open.fetch_add(1, Ordering::Relaxed);
            counts.opened.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        if let Some(counts) = self.protocol.and_then(|protocol| self.shared.spoken(protocol)) {
            counts.open.fetch_sub(1, Ordering::Relaxed);
        }
        self.shared.change(|shared| {
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// One of the connections in passing, which its worker counts.
#[derive(Debug)]
struct Passing(Rc<Cell<usize>>);

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn places() -> Places {
        Places::new(Shares::of(64, 1, 1))
    }

    #[tokio::test]
    async fn a_place_is_free_before_its_connection_is_gone() {
        let all = places();
        let (first, second) = ((all.open(), all.take()), (all.open(), all.take()));
        drop(second);
        assert!(all.none_taken().now_or_never().is_none());
        let (connection, place) = first;
        let (mut none_taken, mut none_open) = (pin!(all.none_taken()), pin!(all.none_open()));
        assert!((&mut none_taken).now_or_never().is_none());
        assert!((&mut none_open).now_or_never().is_none());
        drop(place);
        none_taken.await;
        assert!((&mut none_open).now_or_never().is_none());
        drop(connection);
        none_open.await;
    }

    #[test]
    fn open_connections_are_counted_by_what_they_speak() {
        let all = places();
        let (mut one, mut other, silent) = (all.open(), all.open(), all.open());
        one.speaks(Protocol::Http1);
        one.speaks(Protocol::Http1);
        other.speaks(Protocol::Http2);
        drop((one, silent));
        let counts = Protocol::ALL.map(|protocol| all.of_protocol(protocol));
        assert_eq!(counts, [(0, 1), (1, 1)]);
    }

    #[test]
    fn another_number_of_places_holds_for_whoever_comes() {
        let all = places();
        let taken: Vec<_> = (0..3).map(|_| all.take()).collect();
        assert!(taken.iter().all(|place| !place.is_one_too_many()));
        all.serve(2);
        assert!(all.take().is_one_too_many());
        all.serve(4);
        assert!(!all.take().is_one_too_many());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_comes_and_goes_is_noticed() {
        let all = places();
        let open = all.open();
        assert!(!all.one_comes_within(Duration::from_secs(1)).await);
        let (comes, ()) = tokio::join!(all.one_comes_within(Duration::from_secs(1)), async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            drop((open, all.open()));
        });
        assert!(comes);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_comes_begins_the_quiet_anew() {
        let all = places();
        let begun = tokio::time::Instant::now();
        let quiet = async {
            all.none_open_for(Duration::from_secs(1)).await;
            begun.elapsed()
        };
        let visits = async {
            for _ in 0..3 {
                tokio::time::sleep(Duration::from_millis(900)).await;
                drop(all.open());
            }
        };
        let (took, ()) = tokio::join!(quiet, visits);
        assert_eq!(took, Duration::from_millis(3 * 900 + 1000));
    }
}
