//! Places for connections that come, and who makes room for them.
use std::rc::Rc;

use super::Worker;
use crate::server::connection::state::ConnectionState;
use crate::server::places::Place;

/// Of so many idle connections the one that was used least lately makes room. All of them would be too many to look at
/// for each new one.
const LOOKED_AT: usize = 64;

/// And so many that are listed and in use are passed over, which is cheaper.
const PASSED_OVER: usize = 1_024;

/// Which idle connections may be ended to make room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Idle {
    /// Those that had an answer, or were not used for a while.
    WasAnswered,
    /// Young ones too.
    Any,
}

impl Worker {
    /// Finds a place for another connection. Where none is free an idle connection leaves; where none is idle the new one
    /// gets one in passing, and hears that there is none. `None`: not even that.
    pub(in crate::server::connection) fn admit(&self) -> Option<Place> {
        let place = self.places.take();
        if place.is_one_too_many() && !self.make_room(Idle::WasAnswered) {
            let passes = self.passing.get() < self.places.shares().in_passing || self.make_room(Idle::Any);
            return passes.then(|| place.in_passing(&self.passing));
        }
        Some(place)
    }

    /// Ends the connection that was used least lately among some that are idle; tells whether there was one.
    fn make_room(&self, idle: Idle) -> bool {
        let mut listed = self.listed.borrow_mut();
        let mut leaving: Option<Rc<ConnectionState>> = None;
        let mut looked_at = 0;
        let mut in_use = 0;
        for _ in 0..listed.len() {
            let Some(connection) = listed.pop_front().and_then(|listed| listed.upgrade()) else {
                continue;
            };
            let Some(idle_since) = connection.idle_since() else {
                if !connection.is_multiplexed() {
                    connection.unlist();
                    continue;
                }
                listed.push_back(Rc::downgrade(&connection));
                in_use += 1;
                if in_use == PASSED_OVER {
                    break;
                }
                continue;
            };
            // It has given its place to another already.
            if !connection.has_place() {
                continue;
            }
            listed.push_back(Rc::downgrade(&connection));
            let is_young = !self.is_settled(idle_since);
            let last_request = connection.last_request();
            let may_leave = idle == Idle::Any || last_request > 0 || !is_young;
            if may_leave
                && leaving
                    .as_ref()
                    .is_none_or(|leaving| last_request < leaving.last_request())
            {
                leaving = Some(connection);
            }
            looked_at += 1;
            if looked_at == LOOKED_AT {
                break;
            }
        }
        leaving.is_some_and(|connection| {
            connection.leave();
            true
        })
    }
}
