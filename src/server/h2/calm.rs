//! Calm: what a client may send that asks for nothing.
//!
//! Frames that make work and move no request on are paid for from an account. Time fills it, and so do answers that go
//! out. Where it is empty the client floods, and its connection ends (`ENHANCE_YOUR_CALM`). That is one rule for the
//! floods that have names: rapid reset (CVE-2023-44487), resets that the server is made to send (CVE-2025-8671), SETTINGS,
//! PING, empty DATA and CONTINUATION frames, and windows that are opened byte by byte (CVE-2019-9511 to 9518).
//!
//! The library has bounds of its own for some of them: 20 requests given up before they are looked at, and 1,024 resets
//! of its own in the whole life of a connection. A balancer's connection has many clients and a long life, so those are
//! switched off or out of reach (`driver`), and this account is the bound.
use super::watch::FrameHead;

/// What the account holds at most, and at first: 200 requests that are given up at once, or 1,000 PINGs.
const MOST: u32 = 2_000;
/// What a tick of the worker's adds: ten requests that are given up.
const EACH_TICK: u32 = 100;
/// What an answer adds that has begun: as much as a request costs that is given up.
pub(super) const AN_ANSWER: u32 = 10;
/// What a head costs, and what it adds once it has become a request: one that is refused or malformed costs it.
pub(super) const A_REQUEST: u32 = 1;
/// A piece of a body with fewer bytes is small, where the client's windows had room for no more.
pub(super) const SMALL: usize = 1024;
/// The bytes of a body that pay for an update of a window. Clients open two windows, the stream's and the connection's, for
/// each piece that they have read: Go's does so for 4 KiB.
const BYTES_AN_UPDATE: usize = 512;
/// The updates that are paid for at most: those for 50 MB that are under way to a client.
const MOST_UPDATES: u32 = 100_000;
/// DATA with fewer bytes carries less than its header does.
const TINY: u32 = 16;

const END_STREAM: u8 = 0x1;

/// What a client earns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Earned {
    /// What pays for any frame.
    pub points: u32,
    /// Updates of windows. They come when a client has read what was sent, so they are kept apart and for longer.
    pub updates: u32,
}

impl Earned {
    /// What a piece of a body adds. `is_cut`: the client's windows had room for no more.
    pub(super) fn by_piece(bytes: usize, is_cut: bool) -> Self {
        let updates = if is_cut && bytes < SMALL {
            0
        } else {
            2 + bytes / BYTES_AN_UPDATE
        };
        Self {
            points: 0,
            updates: u32::try_from(updates).unwrap_or(u32::MAX),
        }
    }

    /// So many points.
    pub(super) fn points(points: u32) -> Self {
        Self { points, updates: 0 }
    }

    /// Both together.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            points: self.points.saturating_add(other.points),
            updates: self.updates.saturating_add(other.updates),
        }
    }
}

/// The account of one connection.
#[derive(Debug)]
pub(super) struct Calm {
    points: u32,
    updates: u32,
    /// When time was added last, in the worker's time.
    at: u32,
}

impl Calm {
    /// Begins with a full account.
    pub(super) fn new(now: u32) -> Self {
        Self {
            points: MOST,
            updates: 0,
            at: now,
        }
    }

    /// Adds what the client has earned.
    pub(super) fn earn(&mut self, earned: Earned) {
        self.points = self.points.saturating_add(earned.points).min(MOST);
        self.updates = self.updates.saturating_add(earned.updates).min(MOST_UPDATES);
    }

    /// Pays for a frame; `false`: there is not enough, and the client floods.
    pub(super) fn pays_for(&mut self, frame: FrameHead, now: u32) -> bool {
        if frame.kind == FrameHead::WINDOW_UPDATE && self.updates > 0 {
            self.updates -= 1;
            return true;
        }
        let price = price(frame);
        if price > self.points {
            let ticks = now.wrapping_sub(self.at);
            self.at = now;
            self.earn(Earned::points(ticks.saturating_mul(EACH_TICK)));
        }
        let left = self.points.checked_sub(price);
        self.points = left.unwrap_or(0);
        left.is_some()
    }
}

/// What a frame costs.
fn price(frame: FrameHead) -> u32 {
    match frame.kind {
        FrameHead::HEADERS => A_REQUEST,
        FrameHead::DATA if frame.length >= TINY || frame.flags & END_STREAM != 0 => 0,
        FrameHead::RST_STREAM => AN_ANSWER,
        // Each one that is no acknowledgement changes the windows of all streams.
        FrameHead::SETTINGS | FrameHead::GOAWAY => 20,
        FrameHead::PING | FrameHead::CONTINUATION => 2,
        // Windows, priorities, and what nobody knows.
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8) -> FrameHead {
        FrameHead {
            kind,
            flags: 0,
            length: 0,
        }
    }

    /// How many of these pass at once.
    fn most(kind: u8) -> usize {
        let mut calm = Calm::new(0);
        (0..10_000).take_while(|_| calm.pays_for(frame(kind), 0)).count()
    }

    #[test]
    fn floods_end() {
        assert_eq!(most(FrameHead::RST_STREAM), 200);
        assert_eq!(most(FrameHead::SETTINGS), 100);
        assert_eq!(most(FrameHead::PING), 1_000);
        assert_eq!(most(FrameHead::CONTINUATION), 1_000);
        assert_eq!(most(FrameHead::DATA), 2_000);
        assert_eq!(most(FrameHead::WINDOW_UPDATE), 2_000);
        assert_eq!(most(99), 2_000);
        assert_eq!(most(FrameHead::HEADERS), 2_000);
    }

    #[test]
    fn a_client_may_give_up_as_many_requests_as_it_waits_for() {
        let mut calm = Calm::new(0);
        for _ in 0..100_000 {
            assert!(calm.pays_for(frame(FrameHead::RST_STREAM), 0));
            calm.earn(Earned::points(AN_ANSWER));
        }
    }

    #[test]
    fn requests_are_free_and_heads_that_become_none_are_not() {
        let mut calm = Calm::new(0);
        for _ in 0..100_000 {
            assert!(calm.pays_for(frame(FrameHead::HEADERS), 0));
            calm.earn(Earned::points(A_REQUEST));
        }
    }

    #[test]
    fn who_reads_in_small_pieces_may_open_windows_for_each() {
        // All of it is on its way before the first of it is read, and it is read by the KiB.
        let mut calm = Calm::new(0);
        let slices = 40 * 64;
        for _ in 0..slices {
            calm.earn(Earned::by_piece(16 * 1024, true));
        }
        let updates = 2 * slices * 16;
        assert!((0..updates).all(|_| calm.pays_for(frame(FrameHead::WINDOW_UPDATE), 0)));
        assert_eq!(calm.points, MOST);
    }

    #[test]
    fn events_are_small_and_pay_and_what_windows_cut_small_does_not() {
        assert_eq!(Earned::by_piece(100, false).updates, 2);
        assert_eq!(Earned::by_piece(SMALL - 1, true).updates, 0);
        assert_eq!(Earned::by_piece(SMALL, true).updates, 4);
    }

    #[test]
    fn time_fills_the_account_and_not_beyond_its_bound() {
        let mut calm = Calm::new(0);
        while calm.pays_for(frame(FrameHead::PING), 0) {}
        assert!(!calm.pays_for(frame(FrameHead::PING), 0));
        for _ in 0..50 {
            assert!(calm.pays_for(frame(FrameHead::PING), 1));
        }
        assert!(!calm.pays_for(frame(FrameHead::PING), 1));
        let after_years = (0..10_000)
            .take_while(|_| calm.pays_for(frame(FrameHead::PING), u32::MAX))
            .count();
        assert_eq!(after_years, 1_000);
    }

    #[test]
    fn the_end_of_a_body_is_free() {
        let mut calm = Calm::new(0);
        let end = FrameHead {
            kind: FrameHead::DATA,
            flags: END_STREAM,
            length: 0,
        };
        assert!((0..10_000).all(|_| calm.pays_for(end, 0)));
    }
}
