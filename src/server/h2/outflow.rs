//! The outflow: what answers of one connection are under way to its socket, and what they wait for.
//!
//! A piece of a body is handed to the library once its stream's window has room for it, and goes on to the wire in the
//! connection's next turn. Of one connection so many bytes are between the two, however many streams it has; all else
//! stays in its body, which is asked for it when there is room.
use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};

use super::calm::{A_PIECE, AN_ANSWER, SMALL};

/// The bytes of answers that a connection has in hand before further ones are asked for; the last piece may go over it.
const MOST_IN_HAND: usize = 64 * 1024;

/// What the exchanges of one connection share on their way out.
#[derive(Debug, Default)]
pub(super) struct Outflow {
    in_hand: Cell<usize>,
    /// Whether the socket takes nothing at the moment.
    is_blocked: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
    /// All bytes of bodies so far.
    sent: Cell<u64>,
    /// What the client has earned since this was taken last.
    earned: Cell<u32>,
    is_stuck: Cell<bool>,
}

impl Outflow {
    /// Resolves when another piece may be sent.
    pub(super) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.is_blocked.get() && self.in_hand.get() < MOST_IN_HAND {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|known| known.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Notes a piece of a body that was handed over.
    pub(super) fn note_piece(&self, bytes: usize) {
        self.in_hand.set(self.in_hand.get() + bytes);
        self.sent.set(self.sent.get() + bytes as u64);
        if bytes >= SMALL {
            self.earn(A_PIECE);
        }
    }

    /// Notes an answer that was sent to its end.
    pub(super) fn note_answer(&self) {
        self.earn(AN_ANSWER);
    }

    fn earn(&self, points: u32) {
        self.earned.set(self.earned.get().saturating_add(points));
    }

    /// What the client has earned since this was called last.
    pub(super) fn take_earned(&self) -> u32 {
        self.earned.take()
    }

    /// Notes whether the socket has taken all that was written. Once it has, all that was handed over is gone.
    pub(super) fn note_socket(&self, is_blocked: bool) {
        self.is_blocked.set(is_blocked);
        if !is_blocked {
            self.in_hand.set(0);
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Bytes that were handed over and that the socket has not taken.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.get()
    }

    /// All bytes of bodies so far, by which an exchange knows whether others go on while it waits.
    pub(super) fn sent(&self) -> u64 {
        self.sent.get()
    }

    /// Notes that the client has opened no window for too long, for any of its answers.
    pub(super) fn is_stuck_now(&self) {
        self.is_stuck.set(true);
    }

    /// Whether that was so.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.get()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::poll_fn;

    use super::*;

    fn has_room(outflow: &Outflow) -> bool {
        poll_fn(|cx| outflow.poll_room(cx)).now_or_never().is_some()
    }

    #[test]
    fn what_is_in_hand_is_bounded_until_the_socket_has_it() {
        let outflow = Outflow::default();
        let mut pieces = 0;
        while has_room(&outflow) {
            outflow.note_piece(16 * 1024);
            pieces += 1;
        }
        assert_eq!(pieces, 4);
        outflow.note_socket(true);
        assert_eq!(outflow.in_hand(), MOST_IN_HAND);
        assert!(!has_room(&outflow));
        outflow.note_socket(false);
        assert_eq!(outflow.in_hand(), 0);
        assert!(has_room(&outflow));
    }

    #[test]
    fn whoever_waits_is_woken_once() {
        let outflow = Outflow::default();
        outflow.note_socket(true);
        let mut waits = Box::pin(poll_fn(|cx| outflow.poll_room(cx)));
        for _ in 0..3 {
            assert!((&mut waits).now_or_never().is_none());
        }
        assert_eq!(outflow.waiting.borrow().len(), 1);
        outflow.note_socket(false);
        assert!(outflow.waiting.borrow().is_empty());
        assert!(waits.now_or_never().is_some());
    }

    #[test]
    fn small_pieces_earn_nothing() {
        let outflow = Outflow::default();
        outflow.note_piece(SMALL - 1);
        assert_eq!(outflow.take_earned(), 0);
        outflow.note_piece(SMALL);
        outflow.note_answer();
        assert_eq!(outflow.take_earned(), A_PIECE + AN_ANSWER);
        assert_eq!(outflow.take_earned(), 0);
    }
}
