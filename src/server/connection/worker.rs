//! The connections of one HTTP worker: which of them are idle, and for how long.
//!
//! actix-http times the first head of a connection alone, by a clock that is up to half a second late, and the first byte
//! of a second one ends the timer that would close an idle connection: two packets would hold it for ever. Here one timer
//! looks after all of them. Requests note the worker's time, which is a number in a cell, and set no timer of their own.
use std::cell::{Cell, RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::{Rc, Weak};
use std::time::Duration;

use super::handshakes::Handshakes;
use super::portion::AT_ONCE;
use super::refusal::RefusalAnswers;
use super::state::{ConnectionState, End};
use crate::budget::ByteBudget;
use crate::live::Live;
use crate::server::places::{OpenConnection, Places};

mod room;
mod terms;

use terms::TermsInForce;
pub(crate) use terms::{ConnectionTerms, PlannedEnd};

/// Into how many ticks the shortest time is divided, at least. What is timed may take a tick longer than it should.
const TICKS_OF_A_TIME: u32 = 5;

/// A tick is never longer.
const LONGEST_TICK: Duration = Duration::from_secs(1);

/// How much longer than its time the dispatcher may take to close an idle connection before it is taken for one whose
/// timer has ended. Its clock is up to half a second late.
const IDLE_GRACE: Duration = Duration::from_secs(3);

/// A connection that has been idle for so long is not between two requests, so that its end cuts none of them off. A young
/// one has not been there for as long: its first request may be on its way.
const SETTLED: Duration = Duration::from_secs(2);

/// How long connections may take.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct ConnectionTimes {
    /// The longest time from the first byte of a head, or a connection's start, to the head's last.
    pub request_head: Duration,
    /// How long an idle connection stays open.
    pub keep_alive: Duration,
    /// How long what still comes is read off once the end of a connection was announced.
    pub read_off: Duration,
    /// When one ends with which nothing is wrong.
    pub planned_end: PlannedEnd,
}

impl ConnectionTimes {
    fn tick(self) -> Duration {
        let age = self.planned_end.age.unwrap_or(Duration::MAX);
        let shortest = self.request_head.min(age);
        (shortest / TICKS_OF_A_TIME).clamp(Duration::from_millis(1), LONGEST_TICK)
    }

    /// As many ticks as take this long. It is less than what the worker's time can tell apart by far.
    fn ticks(self, time: Duration) -> u32 {
        let ticks = time.as_nanos().div_ceil(self.tick().as_nanos());
        u32::try_from(ticks).unwrap_or(u32::MAX).min(u32::MAX / 4)
    }
}

/// What the connections of one worker share.
#[derive(Debug)]
pub(in crate::server) struct Worker {
    /// The worker's time, in ticks since its start. It begins anew when the number is full, so differences alone count.
    now: Cell<u32>,
    /// Connections that may be idle; those that are not leave it when it is looked through.
    listed: RefCell<VecDeque<Weak<ConnectionState>>>,
    times: ConnectionTimes,
    head_ticks: u32,
    idle_ticks: u32,
    settled_ticks: u32,
    /// Whether the server ends, and every connection with it.
    is_stopping: Cell<bool>,
    unsent_answers: ByteBudget,
    places: Places,
    refusals: RefusalAnswers,
    /// How many of the connections are in passing.
    passing: Rc<Cell<usize>>,
    /// Where bytes are read to, by one connection at a time.
    scratch: RefCell<Vec<u8>>,
    /// How many requests have ended, which puts connections in an order.
    ended_requests: Cell<u64>,
    /// Requests in hand.
    in_flight: Cell<usize>,
    terms: TermsInForce,
    handshakes: Handshakes,
}

impl Worker {
    /// Starts the timer, on the worker's thread; it ends with the last who holds the worker.
    pub(in crate::server) fn start(
        times: ConnectionTimes,
        requests_in_flight: usize,
        unsent_answers: &ByteBudget,
        places: &Places,
        refusals: &RefusalAnswers,
    ) -> Rc<Self> {
        let worker = Rc::new(Self::new(
            times,
            requests_in_flight,
            unsent_answers,
            places,
            refusals,
        ));
        let watched = Rc::downgrade(&worker);
        actix_rt::spawn(async move {
            let mut ticks = tokio::time::interval(times.tick());
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let Some(worker) = watched.upgrade() else { break };
                worker.tick();
            }
        });
        worker
    }

    pub(super) fn new(
        times: ConnectionTimes,
        requests_in_flight: usize,
        unsent_answers: &ByteBudget,
        places: &Places,
        refusals: &RefusalAnswers,
    ) -> Self {
        Self {
            now: Cell::new(0),
            listed: RefCell::new(VecDeque::new()),
            times,
            head_ticks: times.ticks(times.request_head),
            idle_ticks: times.ticks(times.keep_alive.saturating_add(IDLE_GRACE)),
            settled_ticks: times.ticks(SETTLED),
            is_stopping: Cell::new(false),
            unsent_answers: unsent_answers.clone(),
            places: places.clone(),
            refusals: refusals.clone(),
            passing: Rc::new(Cell::new(0)),
            scratch: RefCell::new(vec![0; AT_ONCE]),
            ended_requests: Cell::new(0),
            in_flight: Cell::new(0),
            terms: TermsInForce::new(times, requests_in_flight),
            handshakes: Handshakes::new(),
        }
    }

    /// Where bytes are read to.
    pub(in crate::server) fn scratch(&self) -> RefMut<'_, Vec<u8>> {
        self.scratch.borrow_mut()
    }

    /// What answers to what is no request.
    pub(in crate::server) fn refusals(&self) -> &RefusalAnswers {
        &self.refusals
    }

    /// What gives turns to handshakes.
    pub(in crate::server) fn handshakes(&self) -> &Handshakes {
        &self.handshakes
    }

    /// The worker's time.
    pub(in crate::server) fn now(&self) -> u32 {
        self.now.get()
    }

    /// Counts one more connection as open.
    pub(super) fn open(&self) -> OpenConnection {
        self.places.open()
    }

    /// Notes that a request has crossed the end of its connection.
    pub(super) fn note_crossed(&self) {
        self.places.note_crossed();
    }

    /// How long what still comes is read off once the end of a connection was announced.
    pub(in crate::server) fn read_off(&self) -> Duration {
        self.times.read_off
    }

    /// Follows these from its next tick on.
    pub(in crate::server) fn follow(&self, terms: &Live<ConnectionTerms>) {
        self.terms.follow(terms);
    }

    /// Whether a connection that began then, by the worker's time, has reached its age; `spread`: how many thousandths of that are
    /// its own.
    pub(super) fn is_old(&self, begun: u32, spread: u16) -> bool {
        self.terms.is_age(self.now().wrapping_sub(begun), spread)
    }

    /// After how many requests a connection ends.
    pub(super) fn most_requests(&self) -> Option<u32> {
        self.terms.most_requests()
    }

    /// Tells the connections that they end: the idle ones now, the others when they ask after their answer.
    pub(in crate::server) fn begin_stop(&self) {
        self.is_stopping.set(true);
        let listed = self.listed.borrow();
        listed
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|connection| connection.wake());
    }

    /// Tells whether the server ends.
    pub(in crate::server) fn is_stopping(&self) -> bool {
        self.is_stopping.get()
    }

    /// Takes a request in hand.
    pub(in crate::server) fn take_request(&self) {
        self.in_flight.set(self.in_flight.get() + 1);
    }

    /// It is in hand no longer.
    pub(in crate::server) fn leave_request(&self) {
        self.in_flight.set(self.in_flight.get().saturating_sub(1));
    }

    /// Tells whether more requests are in hand than may be.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight.get() > self.terms.most_in_flight()
    }

    /// Counts a request that has ended, and gives its number.
    pub(super) fn number_request(&self) -> u64 {
        let number = self.ended_requests.get() + 1;
        self.ended_requests.set(number);
        number
    }

    /// The budget of answers that clients have not read.
    pub(super) fn unsent_answers(&self) -> &ByteBudget {
        &self.unsent_answers
    }

    /// Whether a connection that has been idle since then is not between two requests. That is a whole tick more, because the
    /// first one has begun before.
    fn is_settled(&self, idle_since: u32) -> bool {
        self.now().wrapping_sub(idle_since) > self.settled_ticks
    }

    /// Lists a connection that is idle.
    pub(super) fn list(&self, connection: &Rc<ConnectionState>) {
        self.listed.borrow_mut().push_back(Rc::downgrade(connection));
    }

    /// Puts the worker's time forward.
    #[cfg(test)]
    pub(super) fn set_now(&self, now: u32) {
        self.now.set(now);
    }

    /// Lets a tick pass, and ends the connections whose time is over.
    pub(super) fn tick(&self) {
        self.terms.renew(self.times);
        let now = self.now.get().wrapping_add(1);
        self.now.set(now);
        self.listed.borrow_mut().retain(|connection| {
            let Some(connection) = connection.upgrade() else {
                return false;
            };
            let idle_since = connection.idle_since();
            if idle_since.is_none() && !connection.is_multiplexed() {
                connection.unlist();
                return false;
            }
            // A whole tick more, because the first one has begun before the head.
            let head_is_late = |since| now.wrapping_sub(since) > self.head_ticks;
            // While the peer does not read its answers, nothing is read of it either.
            let is_read = connection.unsent() == 0;
            if is_read && connection.head_since().is_some_and(head_is_late) {
                connection.end(End::SlowHead);
            } else if idle_since.is_some_and(|since| now.wrapping_sub(since) > self.idle_ticks) {
                connection.end(End::Idle);
            } else if is_read && idle_since.is_some_and(|since| self.is_settled(since)) {
                if connection.is_due() {
                    connection.take_leave();
                } else if self.places.are_too_few() && connection.has_place() {
                    // A new configuration may have left fewer places than there are connections.
                    connection.leave();
                }
            }
            true
        });
    }
}
