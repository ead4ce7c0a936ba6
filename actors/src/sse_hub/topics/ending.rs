//! The end of streams, spread: their SDKs reconnect at once.
use std::time::{Duration, Instant};

use super::{Subscriber, SubscriberKey, Topic};
use crate::keys::{ById, EnvironmentId};
use crate::sse_hub::spread::{ENDED_PER_SECOND, due, pace};

/// Whose stream is left to be ended. Nobody joins meanwhile, so a key names one subscriber to the end.
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
        topics: impl IntoIterator<Item = (&'t EnvironmentId, &'t Topic<S>)>,
        window: Duration,
        now: Instant,
    ) -> Self {
        let left: Vec<_> = topics
            .into_iter()
            .flat_map(|(id, topic)| {
                let members = topic.members.iter();
                members.map(move |(key, _)| (*id, SubscriberKey(key)))
            })
            .collect();
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
