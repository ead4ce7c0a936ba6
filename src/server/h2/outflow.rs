//! The outflow: what answers of one connection are under way to its socket, and what they wait for.
//!
//! A piece of a body is handed to the library once its stream's window has room for it, and goes on to the wire in the
//! connection's next turn. Of one connection so many bytes are between the two, however many streams it has; all else
//! stays in its body, which is asked for it when there is room. Answers that wait for room get it in turn, a piece each.
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::calm::{A_REQUEST, AN_ANSWER, Earned};

/// The bytes of answers that a connection has in hand before further ones are asked for; the last piece may go over it.
const MOST_IN_HAND: usize = 64 * 1024;

/// What the exchanges of one connection share on their way out.
#[derive(Debug, Default)]
pub(super) struct Outflow {
    in_hand: Cell<usize>,
    /// Whether the socket takes nothing at the moment.
    is_blocked: Cell<bool>,
    /// The answers that wait, each with the number of its place.
    waiting: RefCell<VecDeque<(u64, Waker)>>,
    /// How many places there were.
    places: Cell<u64>,
    /// All bytes of bodies and all answers so far.
    sent: Cell<u64>,
    /// What the client has earned since this was taken last.
    earned: Cell<Earned>,
    is_stuck: Cell<bool>,
}

impl Outflow {
    /// Resolves when another piece may be sent. Whoever waits goes first, in the order of their coming; `place` is kept
    /// from piece to piece.
    pub(super) fn poll_room(self: &Rc<Self>, place: &mut Place, cx: &Context<'_>) -> Poll<()> {
        let mut waiting = self.waiting.borrow_mut();
        let is_next = waiting
            .front()
            .is_none_or(|(first, _)| Some(*first) == place.number);
        if is_next && self.has_room() {
            drop(waiting);
            place.leave();
            return Poll::Ready(());
        }
        match waiting
            .iter_mut()
            .find(|(number, _)| Some(*number) == place.number)
        {
            Some((_, waker)) => waker.clone_from(cx.waker()),
            None => {
                let number = self.places.get();
                self.places.set(number + 1);
                place.number = Some(number);
                waiting.push_back((number, cx.waker().clone()));
            }
        }
        Poll::Pending
    }

    /// A place for one answer, which does not wait yet.
    pub(super) fn place(self: &Rc<Self>) -> Place {
        Place {
            outflow: Rc::clone(self),
            number: None,
        }
    }

    fn has_room(&self) -> bool {
        !self.is_blocked.get() && self.in_hand.get() < MOST_IN_HAND
    }

    fn wake_next(&self) {
        if self.has_room()
            && let Some((_, next)) = self.waiting.borrow().front()
        {
            next.wake_by_ref();
        }
    }

    /// Notes a piece of a body that was handed over. `is_cut`: the client's windows had room for no more.
    pub(super) fn note_piece(&self, bytes: usize, is_cut: bool) {
        self.in_hand.set(self.in_hand.get() + bytes);
        self.sent.set(self.sent.get() + bytes as u64);
        self.earn(Earned::by_piece(bytes, is_cut));
    }

    /// Notes a request that has come.
    pub(super) fn note_request(&self) {
        self.earn(Earned::points(A_REQUEST));
    }

    /// Notes an answer that has begun: its request was worked at, and an event stream has no other end than to be given up.
    pub(super) fn note_head(&self) {
        self.earn(Earned::points(AN_ANSWER));
    }

    /// Notes an answer that was sent to its end. It may have no body.
    pub(super) fn note_answer(&self) {
        self.sent.set(self.sent.get() + 1);
    }

    fn earn(&self, earned: Earned) {
        self.earned.set(self.earned.get().and(earned));
    }

    /// What the client has earned since this was called last.
    pub(super) fn take_earned(&self) -> Earned {
        self.earned.take()
    }

    /// Notes whether the socket has taken all that was written. Once it has, all that was handed over is gone.
    pub(super) fn note_socket(&self, is_blocked: bool) {
        self.is_blocked.set(is_blocked);
        if !is_blocked {
            self.in_hand.set(0);
            self.wake_next();
        }
    }

    /// Bytes that were handed over and that the socket has not taken.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.get()
    }

    /// All bytes of bodies and all answers so far, by which an exchange knows whether others go on while it waits.
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

/// The place of one answer among those that wait.
#[derive(Debug)]
pub(super) struct Place {
    outflow: Rc<Outflow>,
    number: Option<u64>,
}

impl Place {
    fn leave(&mut self) {
        if let Some(left) = self.number.take() {
            self.outflow
                .waiting
                .borrow_mut()
                .retain(|(number, _)| *number != left);
            self.outflow.wake_next();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use futures::future::poll_fn;

    use super::*;

    fn has_room(outflow: &Rc<Outflow>, place: &mut Place) -> bool {
        poll_fn(|cx| outflow.poll_room(place, cx))
            .now_or_never()
            .is_some()
    }

    #[test]
    fn what_is_in_hand_is_bounded_until_the_socket_has_it() {
        let outflow = Rc::new(Outflow::default());
        let mut place = outflow.place();
        let mut pieces = 0;
        while has_room(&outflow, &mut place) {
            outflow.note_piece(16 * 1024, false);
            pieces += 1;
        }
        assert_eq!(pieces, 4);
        outflow.note_socket(true);
        assert_eq!(outflow.in_hand(), MOST_IN_HAND);
        assert!(!has_room(&outflow, &mut place));
        outflow.note_socket(false);
        assert_eq!(outflow.in_hand(), 0);
        assert!(has_room(&outflow, &mut place));
    }

    #[test]
    fn whoever_waits_waits_once_and_not_beyond_its_end() {
        let outflow = Rc::new(Outflow::default());
        outflow.note_socket(true);
        let (mut first, mut second) = (outflow.place(), outflow.place());
        for _ in 0..3 {
            assert!(!has_room(&outflow, &mut first));
            assert!(!has_room(&outflow, &mut second));
        }
        assert_eq!(outflow.waiting.borrow().len(), 2);
        outflow.note_socket(false);
        assert!(!has_room(&outflow, &mut second), "the first has come before");
        drop(first);
        assert!(has_room(&outflow, &mut second));
        assert!(outflow.waiting.borrow().is_empty());
    }

    #[test]
    fn answers_go_on_by_turns() {
        let outflow = Rc::new(Outflow::default());
        outflow.note_socket(true);
        let mut places: Vec<_> = (0..3).map(|_| outflow.place()).collect();
        for place in &mut places {
            assert!(!has_room(&outflow, place));
        }
        outflow.note_socket(false);
        let mut order = Vec::new();
        for _ in 0..3 {
            // Whoever is asked first is not the first to be served for that.
            for (number, place) in places.iter_mut().enumerate().rev() {
                if has_room(&outflow, place) {
                    outflow.note_piece(100, false);
                    order.push(number);
                    assert!(!has_room(&outflow, place), "others wait");
                }
            }
        }
        assert_eq!(order, [0, 1, 2, 0]);
    }

    #[test]
    fn what_is_earned_is_taken_once() {
        let outflow = Outflow::default();
        outflow.note_piece(16 * 1024, true);
        outflow.note_piece(1, true);
        outflow.note_request();
        outflow.note_head();
        let earned = Earned {
            points: A_REQUEST + AN_ANSWER,
            updates: 34,
        };
        assert_eq!(outflow.take_earned(), earned);
        assert_eq!(outflow.take_earned(), Earned::default());
    }

    #[test]
    fn answers_without_a_body_go_on_too() {
        let outflow = Outflow::default();
        outflow.note_answer();
        assert_eq!(outflow.sent(), 1);
    }
}
