//! Calm: what a client may send that asks for nothing.
//!
//! Frames that make work and move no request on are paid for from an account. Time fills it, and so do answers that have
//! gone out. Where it is empty the client floods, and its connection ends (`ENHANCE_YOUR_CALM`). That is one rule for the
//! floods that have names: rapid reset (CVE-2023-44487), SETTINGS, PING, empty DATA and CONTINUATION frames, and windows
//! that are opened byte by byte (CVE-2019-9511 to 9518).
use super::watch::FrameHead;

/// What the account holds at most, and at first: 200 requests that are given up at once, or 1,000 PINGs.
const MOST: u32 = 2_000;
/// What a tick of the worker's adds: ten requests that are given up.
const EACH_TICK: u32 = 100;
/// What an answer adds that was sent to its end: as much as a request costs that is given up.
pub(super) const AN_ANSWER: u32 = 10;
/// What a piece of a body adds that is not small: the windows that are opened for it.
pub(super) const A_PIECE: u32 = 3;
/// Pieces and frames of fewer bytes are small.
pub(super) const SMALL: usize = 1024;
/// DATA with fewer bytes carries less than its header does.
const TINY: u32 = 16;

const END_STREAM: u8 = 0x1;

/// The account of one connection.
#[derive(Debug)]
pub(super) struct Calm {
    points: u32,
    /// When time was added last, in the worker's time.
    at: u32,
}

impl Calm {
    /// Begins with a full account.
    pub(super) fn new(now: u32) -> Self {
        Self {
            points: MOST,
            at: now,
        }
    }

    /// Adds what the client has earned.
    pub(super) fn earn(&mut self, points: u32) {
        self.points = self.points.saturating_add(points).min(MOST);
    }

    /// Pays for a frame; `false`: there is not enough, and the client floods.
    pub(super) fn pays_for(&mut self, frame: FrameHead, now: u32) -> bool {
        let price = price(frame);
        if price > self.points {
            let ticks = now.wrapping_sub(self.at);
            self.at = now;
            self.earn(ticks.saturating_mul(EACH_TICK));
        }
        let left = self.points.checked_sub(price);
        self.points = left.unwrap_or(0);
        left.is_some()
    }
}

/// What a frame costs. One that begins a request is not among them: those are bounded by their number at a time.
fn price(frame: FrameHead) -> u32 {
    match frame.kind {
        FrameHead::HEADERS => 0,
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
    fn floods_end_and_requests_do_not() {
        assert_eq!(most(FrameHead::RST_STREAM), 200);
        assert_eq!(most(FrameHead::SETTINGS), 100);
        assert_eq!(most(FrameHead::PING), 1_000);
        assert_eq!(most(FrameHead::CONTINUATION), 1_000);
        assert_eq!(most(FrameHead::DATA), 2_000);
        assert_eq!(most(8), 2_000);
        assert_eq!(most(99), 2_000);
        assert_eq!(most(FrameHead::HEADERS), 10_000);
    }

    #[test]
    fn a_client_may_give_up_as_many_requests_as_it_waits_for() {
        let mut calm = Calm::new(0);
        for _ in 0..100_000 {
            assert!(calm.pays_for(frame(FrameHead::RST_STREAM), 0));
            calm.earn(AN_ANSWER);
        }
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
