//! What a new configuration changes of connections that are there. Each worker follows it at its ticks, so that no request looks.
use std::cell::{Cell, RefCell};
use std::time::Duration;

use super::ConnectionTimes;
use crate::live::{Live, Reader};

/// What a new configuration changes of connections that are there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionTerms {
    /// When one ends with which nothing is wrong.
    pub planned_end: PlannedEnd,
    /// The most requests that each worker has in hand.
    pub requests_in_flight: usize,
}

/// When a connection ends with which nothing is wrong: a balancer that shares out connections, and not requests, can then
/// give its client another instance. Its last answer says so, and no request and no event stream is cut.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PlannedEnd {
    /// At which age, about: connections that came together do not go together.
    pub age: Option<Duration>,
    /// After how many requests.
    pub requests: Option<u32>,
}

/// What one worker has in force of them.
#[derive(Debug)]
pub(super) struct TermsInForce {
    most_in_flight: Cell<usize>,
    /// The age at which connections end, in ticks.
    age: Cell<Option<u32>>,
    most_requests: Cell<Option<u32>>,
    /// Where they come from; `None`: they stay.
    source: RefCell<Option<Reader<ConnectionTerms>>>,
}

impl TermsInForce {
    pub(super) fn new(times: ConnectionTimes, requests_in_flight: usize) -> Self {
        let PlannedEnd { age, requests } = times.planned_end;
        Self {
            most_in_flight: Cell::new(requests_in_flight),
            age: Cell::new(age.map(|age| times.ticks(age))),
            most_requests: Cell::new(requests),
            source: RefCell::default(),
        }
    }

    pub(super) fn follow(&self, terms: &Live<ConnectionTerms>) {
        *self.source.borrow_mut() = Some(terms.reader());
    }

    /// Puts in force what they are now.
    pub(super) fn renew(&self, times: ConnectionTimes) {
        let source = self.source.borrow();
        let newest = source.as_ref().map(|terms| terms.with(|terms| *terms));
        if let Some(ConnectionTerms {
            planned_end: PlannedEnd { age, requests },
            requests_in_flight,
        }) = newest
        {
            self.most_in_flight.set(requests_in_flight);
            self.age.set(age.map(|age| times.ticks(age)));
            self.most_requests.set(requests);
        }
    }

    pub(super) fn most_in_flight(&self) -> usize {
        self.most_in_flight.get()
    }

    pub(super) fn most_requests(&self) -> Option<u32> {
        self.most_requests.get()
    }

    /// Whether so many ticks are the age of a connection that has so many thousandths of it.
    pub(super) fn is_age(&self, ticks: u32, thousandths: u16) -> bool {
        self.age.get().is_some_and(|age| {
            let own = (u64::from(age) * u64::from(thousandths)).div_ceil(1_000);
            u64::from(ticks) >= own
        })
    }
}
