//! The end of streams, spread: their SDKs reconnect at once.
use std::time::{Duration, Instant};

use super::{Member, Subscriber, SubscriberKey, Topic};
use crate::keys::{ById, EnvironmentId};
use crate::sse_hub::spread::{ENDED_PER_SECOND, due, pace};

/// Whose stream is left to be ended. Who has left meanwhile may have given its key to another one, which is not ending.
#[derive(Debug)]
pub(super) struct Ending {
    left: Vec<(EnvironmentId, SubscriberKey)>,
    total: usize,
    started: Instant,
    window: Duration,
}

impl Ending {
    /// Of everybody who is subscribed to these topics now, over at most `window`.
    pub(super) fn new<'t, S: 't>(
        topics: impl IntoIterator<Item = (&'t EnvironmentId, &'t mut Topic<S>)>,
        window: Duration,
        now: Instant,
    ) -> Self {
        let ended = topics.into_iter().flat_map(members);
        Self::of(ended.map(mark).collect(), window, now)
    }

    /// Of those beyond the first `room`, over at most `window`. Who is being ended already does not count.
    pub(super) fn above<S>(
        room: usize,
        topics: &mut ById<Topic<S>>,
        window: Duration,
        now: Instant,
    ) -> Option<Self> {
        let stay = topics.iter_mut().flat_map(members);
        let surplus = stay.filter(|(_, _, member)| !member.is_ending).skip(room);
        let left: Vec<_> = surplus.map(mark).collect();
        (!left.is_empty()).then(|| Self::of(left, window, now))
    }

    fn of(left: Vec<(EnvironmentId, SubscriberKey)>, window: Duration, now: Instant) -> Self {
        Self {
            total: left.len(),
            window: pace(left.len(), ENDED_PER_SECOND).min(window),
            left,
            started: now,
        }
    }

    /// Whether somebody's stream is left to be ended.
    pub(super) fn advance<S: Subscriber>(&mut self, topics: &mut ById<Topic<S>>, now: Instant) -> bool {
        let due = due(self.total, self.started, self.window, now);
        while self.total - self.left.len() < due {
            let Some((id, key)) = self.left.pop() else {
                break;
            };
            if let Some(topic) = topics.get_mut(&id) {
                topic.end(key);
            }
        }
        !self.left.is_empty()
    }
}

fn members<'t, S>(
    (id, topic): (&EnvironmentId, &'t mut Topic<S>),
) -> impl Iterator<Item = (EnvironmentId, SubscriberKey, &'t mut Member<S>)> + use<'t, S> {
    let id = *id;
    let members = topic.members.iter_mut();
    members.map(move |(key, member)| (id, SubscriberKey(key), member))
}

fn mark<S>(
    (id, key, member): (EnvironmentId, SubscriberKey, &mut Member<S>),
) -> (EnvironmentId, SubscriberKey) {
    member.is_ending = true;
    (id, key)
}
