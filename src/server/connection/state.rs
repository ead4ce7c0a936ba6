//! What is known of one connection. It lives on the worker's thread, like the connection.
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

#[cfg(test)]
use super::gate::Framing;
use super::given_head::GivenHead;
use super::worker::Worker;
use crate::budget::HeldBytes;
use crate::server::places::Place;

mod end;
mod in_hand;
mod multiplexed;

pub(in crate::server) use end::End;
pub(crate) use in_hand::AsideConnection;

/// What is read of a connection between the end of an answer and the next head, at most: the body that nobody wanted.
/// No head is longer than an eighth of it.
const READ_OFF: usize = 1024 * 1024;

/// What happens to the connection's requests at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request is in progress: a head is awaited.
    Idle,
    /// A request is in progress, and its body may still come.
    Receiving,
    /// A request is in progress, and needs nothing more from the peer.
    Answering,
}

/// What the wrapper around a socket and the requests that come over it share.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    worker: Rc<Worker>,
    phase: Cell<Phase>,
    /// The worker's time when the connection became idle.
    idle_since: Cell<u32>,
    /// The worker's time when the first byte of a head came that is not whole. For the first one, the connection's start.
    head_since: Cell<Option<u32>>,
    /// The number of the head that is not whole, where several requests are under way at a time.
    partial_head: Cell<Option<u64>>,
    /// Whether the last bytes that came ended with a head, so that no other one has begun.
    ends_with_head: Cell<bool>,
    /// How many bytes came while the connection was idle.
    read_off: Cell<usize>,
    /// How many bytes of answers the socket refused when it was offered them last.
    unsent: Cell<usize>,
    /// The same, in the budget of the process.
    held: RefCell<HeldBytes>,
    /// Whether the dispatcher asked for bytes and was told that there are none, though there are.
    is_held_back: Cell<bool>,
    /// Whether the worker lists it among those that may be idle.
    is_listed: Cell<bool>,
    /// Whether its request counts among those that the worker has in hand.
    is_in_hand: Cell<bool>,
    /// The number that its last request had among those of the worker; 0: there was none.
    last_request: Cell<u64>,
    /// How many requests have come.
    requests: Cell<u32>,
    /// The worker's time when it began.
    begun: u32,
    /// How many thousandths of the age that connections reach are its own.
    spread: u16,
    /// Whether it is to end as soon as nothing of its peer's is there.
    takes_leave: Cell<bool>,
    /// Its place among the connections of the process, until it is to leave.
    place: RefCell<Option<Place>>,
    end: Cell<Option<End>>,
    given_head: GivenHead,
    /// Whether it has several requests at a time.
    is_multiplexed: Cell<bool>,
    /// How many they are.
    streams: Cell<u32>,
    /// The task of the connection's dispatcher.
    task: RefCell<Option<Waker>>,
}

impl ConnectionState {
    /// Starts as a connection that awaits its first request.
    pub(super) fn new(worker: &Rc<Worker>, place: Place) -> Rc<Self> {
        let state = Rc::new(Self {
            phase: Cell::new(Phase::Idle),
            idle_since: Cell::new(worker.now()),
            head_since: Cell::new(Some(worker.now())),
            partial_head: Cell::new(None),
            ends_with_head: Cell::new(true),
            read_off: Cell::new(0),
            unsent: Cell::new(0),
            held: RefCell::new(worker.unsent_answers().holder()),
            is_held_back: Cell::new(false),
            is_listed: Cell::new(true),
            is_in_hand: Cell::new(false),
            last_request: Cell::new(0),
            requests: Cell::new(0),
            begun: worker.now(),
            spread: rand::random_range(900..=1_100),
            takes_leave: Cell::new(false),
            place: RefCell::new(Some(place)),
            end: Cell::new(None),
            given_head: GivenHead::none(),
            is_multiplexed: Cell::new(false),
            streams: Cell::new(0),
            task: RefCell::new(None),
            worker: Rc::clone(worker),
        });
        worker.list(&state);
        state
    }

    /// The worker that has the connection.
    pub(in crate::server) fn worker(&self) -> &Rc<Worker> {
        &self.worker
    }

    /// Notes that the request in progress has its whole body, or wants no more of it.
    pub(crate) fn body_is_read(&self) {
        if self.phase.get() == Phase::Receiving {
            self.phase.set(Phase::Answering);
        }
    }

    /// Tells whether bytes of the peer are of use now.
    ///
    /// Those of a further request are not while one is in progress: the dispatcher would queue it. Neither are any while
    /// the peer does not read what it has asked for before.
    pub(super) fn wants_bytes(&self) -> bool {
        self.unsent.get() == 0 && self.phase.get() != Phase::Answering
    }

    /// Tells whether no request is in progress.
    pub(super) fn is_idle(&self) -> bool {
        self.phase.get() == Phase::Idle
    }

    /// Notes bytes that came. `false`: more came than a head has, and the rest is not worth reading.
    pub(super) fn note_read(&self, bytes: &[u8]) -> bool {
        self.ends_with_head
            .set(bytes.ends_with(b"\n\r\n") || bytes.ends_with(b"\n\n"));
        if self.phase.get() != Phase::Idle || bytes.is_empty() {
            return true;
        }
        self.note_head();
        let read_off = self.read_off.get() + bytes.len();
        self.read_off.set(read_off);
        read_off <= READ_OFF
    }

    /// Notes that a head has begun and is not whole.
    pub(super) fn note_head(&self) {
        if self.head_since.get().is_none() {
            self.head_since.set(Some(self.worker.now()));
        }
    }

    /// Gives the first head its whole time from now on: what came before it was not its own.
    pub(in crate::server) fn begin_head_time(&self) {
        self.idle_since.set(self.worker.now());
        self.head_since.set(Some(self.worker.now()));
    }

    /// The head that the dispatcher was given last.
    pub(super) fn given_head(&self) -> &GivenHead {
        &self.given_head
    }

    /// Notes that bytes are there which are not wanted yet.
    pub(super) fn hold_back(&self) {
        self.is_held_back.set(true);
    }

    /// Notes whom to wake, which is the same task for the whole life of a connection.
    pub(in crate::server) fn note_task(&self, task: &Waker) {
        let mut known = self.task.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }

    /// Notes how many bytes the socket did not take.
    pub(in crate::server) fn note_unsent(&self, bytes: usize) {
        if self.unsent.replace(bytes) == bytes {
            return;
        }
        self.held.borrow_mut().set(bytes);
        if bytes == 0 && self.head_since.get().is_some() {
            // Nothing was read meanwhile: that the head did not go on was not the peer's doing.
            self.head_since.set(Some(self.worker.now()));
        }
        self.release();
    }

    /// Lets the dispatcher read what was held back, where it is wanted now.
    fn release(&self) {
        if self.is_held_back.get() && self.wants_bytes() {
            self.is_held_back.set(false);
            self.wake();
        }
    }

    /// Gives the connection's dispatcher a turn.
    pub(in crate::server) fn wake(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    /// Since when no request is in progress, in the worker's time; `None`: one is.
    pub(super) fn idle_since(&self) -> Option<u32> {
        (self.phase.get() == Phase::Idle).then(|| self.idle_since.get())
    }

    /// Since when a head is on its way.
    pub(super) fn head_since(&self) -> Option<u32> {
        self.head_since.get()
    }

    /// The number that its last request had among those of the worker; 0: it has had no answer.
    pub(super) fn last_request(&self) -> u64 {
        self.last_request.get()
    }

    /// Notes that the worker lists it no longer.
    pub(super) fn unlist(&self) {
        self.is_listed.set(false);
    }

    /// How many bytes of answers wait for the peer to read on.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.get()
    }

    /// A request has come.
    pub(super) fn begin_request(&self, has_body: bool) {
        self.phase.set(if has_body {
            Phase::Receiving
        } else {
            Phase::Answering
        });
        self.head_since.set(None);
        self.requests.set(self.requests.get().saturating_add(1));
        self.take_in_hand();
    }

    /// A request has come over a connection without a dispatcher, and its body has so many bytes.
    #[cfg(test)]
    pub(super) fn begin_as_a_test(&self, body: u64) {
        self.given_head
            .begin(|| (body > 0).then_some(Framing::Length(body)));
        self.begin_request(body > 0);
    }

    /// The head of its answer is ready.
    pub(super) fn answer_request(&self) {
        self.phase.set(Phase::Answering);
        self.put_aside();
    }

    /// The dispatcher has taken all of its answer.
    pub(super) fn end_request(self: &Rc<Self>, had_body: bool) {
        self.put_aside();
        let now = self.worker.now();
        self.phase.set(Phase::Idle);
        self.idle_since.set(now);
        self.read_off.set(0);
        // What came behind a head without a body is another head. Where there was a body it may be that.
        if !had_body && !self.ends_with_head.get() {
            self.head_since.set(Some(now));
        }
        self.last_request.set(self.worker.number_request());
        if !self.is_listed.replace(true) {
            self.worker.list(self);
        }
        self.release();
        if self.takes_leave() {
            // Its dispatcher has looked for the last time while the request was in progress.
            self.wake();
        }
    }
}
