//! The end of all streams, spread: their SDKs reconnect elsewhere.
use std::time::{Duration, Instant};

use super::{Subscriber, SubscriberKey, Topic};
use crate::sse_hub::spread::{ENDED_PER_SECOND, due, pace};

/// Whose stream is left to be ended. Nobody joins meanwhile, so a key names one subscriber to the end.
#[derive(Debug)]
pub(super) struct Drain {
    /// The topic's place and the subscriber's key in it.
    left: Vec<(usize, SubscriberKey)>,
    total: usize,
    started: Instant,
    window: Duration,
}

impl Drain {
    /// Of everybody who is subscribed now, over at most `window`.
    pub(super) fn new<S>(topics: &[Topic<S>], window: Duration, now: Instant) -> Self {
        let left: Vec<_> = topics
            .iter()
            .enumerate()
            .flat_map(|(place, topic)| {
                let members = topic.members.iter();
                members.map(move |(key, _)| (place, SubscriberKey(key)))
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
    pub(super) fn advance<S: Subscriber>(&mut self, topics: &mut [Topic<S>], now: Instant) -> bool {
        let due = due(self.total, self.started, self.window, now);
        while self.total - self.left.len() < due {
            let Some((place, key)) = self.left.pop() else {
                break;
            };
            if let Some(topic) = topics.get_mut(place) {
                topic.end(key);
            }
        }
        !self.left.is_empty()
    }
}
