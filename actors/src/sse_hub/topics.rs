//! The pure state of realtime fan-out: who is subscribed to which environment, who has been told what, and when the
//! rest is due. No clock and no I/O: every decision takes `now`.
use std::time::{Duration, Instant};

use engine::UpdatedAt;
use slab::Slab;

use super::options::{Change, HubOptions, Refusal};
use super::spread::{STEP, due, waited};
use crate::keys::{ById, EnvironmentId};

mod ending;
mod restoring;

use ending::Ending;
use restoring::age_of;

/// Over which time streams end at most whose environment is removed, or that there is no room for. Their SDKs come back to a
/// refusal.
const REMOVAL_WINDOW: Duration = Duration::from_secs(5);

/// What [`Topics`] needs of a subscriber.
pub(super) trait Subscriber: Clone {
    /// Replaces whatever it has not taken yet.
    fn tell(&self, change: &Change);
    /// Does the same with a change that is no news, which it may have missed between two streams.
    fn replay(&self, change: &Change);
    /// Its stream ends after what it has not taken yet.
    fn end(&self);
}

/// Names a subscriber within its environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SubscriberKey(usize);

/// All environments and their subscribers.
#[derive(Debug)]
pub(super) struct Topics<S> {
    options: HubOptions,
    topics: ById<Topic<S>>,
    count: usize,
    is_draining: bool,
    /// Streams that are being ended: those of removed environments, those without room; in a drain everybody's.
    endings: Vec<Ending>,
}

#[derive(Debug)]
struct Topic<S> {
    /// Its environment is configured no longer: it is gone when its last stream is.
    is_removed: bool,
    members: Slab<Member<S>>,
    /// One past the highest place ever given in `members`.
    span: usize,
    has_been_subscribed: bool,
    latest: Option<Latest>,
    round: Option<Round>,
}

#[derive(Debug)]
struct Member<S> {
    subscriber: S,
    /// The version it was told last.
    told: u64,
    /// It is among the [`Ending`]s, or its stream has been ended.
    is_ending: bool,
}

#[derive(Debug)]
struct Latest {
    change: Change,
    /// Counts this environment's changes, from 1.
    version: u64,
    /// Who connects before this moment is told.
    replay_until: Option<Instant>,
}

/// One walk over all places of a topic, at an even pace. It starts where the round before was interrupted: whoever
/// has waited longest is told first, and nobody waits longer than one window however fast changes come.
#[derive(Debug)]
struct Round {
    place: usize,
    visited: usize,
    total: usize,
    started: Instant,
    window: Duration,
}

impl<S: Subscriber> Topics<S> {
    pub(super) fn new(options: HubOptions) -> Self {
        Self {
            options,
            topics: ById::default(),
            count: 0,
            is_draining: false,
            endings: Vec::new(),
        }
    }

    /// Admits and tells by these options from now on. Who is subscribed stays, though they be more than may be now; but those
    /// that there is no room for end, spread over at most [`REMOVAL_WINDOW`].
    pub(super) fn change_options(&mut self, options: HubOptions, now: Instant) {
        self.options = options;
        let surplus = Ending::above(self.options.room, &mut self.topics, REMOVAL_WINDOW, now);
        self.endings.extend(surplus);
    }

    /// An environment is configured: its events can be subscribed to.
    pub(super) fn add(&mut self, id: EnvironmentId) {
        self.topics.entry(id).or_default();
    }

    /// An environment is configured no longer: nobody can subscribe to it any more, and its streams end, spread over at
    /// most [`REMOVAL_WINDOW`].
    pub(super) fn remove(&mut self, id: EnvironmentId, now: Instant) {
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        if topic.members.is_empty() {
            self.topics.remove(&id);
        } else if !topic.is_removed {
            topic.is_removed = true;
            self.endings
                .push(Ending::new([(&id, topic)], REMOVAL_WINDOW, now));
        }
    }

    /// Tells whether a subscriber would be admitted now.
    pub(super) fn admits(&self, id: EnvironmentId) -> Result<(), Refusal> {
        if self.is_draining {
            return Err(Refusal::Draining);
        }
        // A key that was resolved just before its environment was removed is unknown by now.
        if self.topics.get(&id).is_none_or(|topic| topic.is_removed) {
            return Err(Refusal::Unknown);
        }
        if self.count >= self.options.max_subscribers {
            return Err(Refusal::Full);
        }
        Ok(())
    }

    /// Admits a subscriber, and tells it at once of a change it may have missed while it was between two streams.
    pub(super) fn subscribe(
        &mut self,
        id: EnvironmentId,
        subscriber: S,
        now: Instant,
    ) -> Result<SubscriberKey, Refusal> {
        self.admits(id)?;
        let topic = self.topics.get_mut(&id).ok_or(Refusal::Unknown)?;
        self.count += 1;
        Ok(topic.add(subscriber, now))
    }

    pub(super) fn unsubscribe(&mut self, id: EnvironmentId, key: SubscriberKey) {
        let Some(topic) = self.topics.get_mut(&id) else {
            return;
        };
        if topic.members.try_remove(key.0).is_some() {
            self.count = self.count.saturating_sub(1);
        }
        if topic.is_removed && topic.members.is_empty() {
            self.topics.remove(&id);
        }
    }

    /// A change of content, which every replica already serves. Whoever is due is told by the next [`Self::advance`].
    pub(super) fn notify(
        &mut self,
        id: EnvironmentId,
        updated_at: UpdatedAt,
        now: Instant,
        wall_now: UpdatedAt,
    ) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.notify(updated_at, now, wall_now, &self.options);
        }
    }

    /// Tells and ends whoever is due at `now`. Answers when to call again; `None`: nothing is pending.
    pub(super) fn advance(&mut self, now: Instant) -> Option<Duration> {
        let mut is_pending = false;
        for topic in self.topics.values_mut() {
            is_pending |= topic.advance(now);
        }
        self.endings
            .retain_mut(|ending| ending.advance(&mut self.topics, now));
        is_pending |= !self.endings.is_empty();
        is_pending.then_some(STEP)
    }

    /// Refuses newcomers from now on and ends everybody's stream, spread over at most `window`.
    pub(super) fn drain(&mut self, window: Duration, now: Instant) {
        if !self.is_draining {
            self.is_draining = true;
            // Those of removed environments among them.
            self.endings = vec![Ending::new(&mut self.topics, window, now)];
        }
    }

    /// Ends everybody's stream at once.
    pub(super) fn end_all(&self) {
        for (_, member) in self.topics.values().flat_map(|topic| topic.members.iter()) {
            member.subscriber.end();
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.is_draining
    }

    /// Subscribers of all environments.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Subscribers by environment.
    pub(super) fn counts(&self) -> ById<usize> {
        let topics = self.topics.iter();
        topics.map(|(id, topic)| (*id, topic.members.len())).collect()
    }

    /// The window over which a change of this environment would be told now.
    pub(super) fn window(&self, id: EnvironmentId) -> Duration {
        let subscribers = self.topics.get(&id).map_or(0, |topic| topic.members.len());
        self.options.notify_spread.window(subscribers)
    }
}

impl<S: Subscriber> Member<S> {
    fn tell(&mut self, latest: &Latest) {
        if self.told < latest.version {
            self.told = latest.version;
            self.subscriber.tell(&latest.change);
        }
    }
}

impl<S> Default for Topic<S> {
    fn default() -> Self {
        Self {
            is_removed: false,
            members: Slab::new(),
            span: 0,
            has_been_subscribed: false,
            latest: None,
            round: None,
        }
    }
}

impl<S: Subscriber> Topic<S> {
    fn add(&mut self, subscriber: S, now: Instant) -> SubscriberKey {
        self.has_been_subscribed = true;
        let mut told = 0;
        if let Some(latest) = &self.latest {
            told = latest.version;
            if latest.replay_until.is_some_and(|until| now < until) {
                subscriber.replay(&latest.change);
            }
        }
        let key = self.members.insert(Member {
            subscriber,
            told,
            is_ending: false,
        });
        self.span = self.span.max(key + 1);
        SubscriberKey(key)
    }

    fn notify(&mut self, updated_at: UpdatedAt, now: Instant, wall_now: UpdatedAt, options: &HubOptions) {
        if self
            .latest
            .as_ref()
            .is_some_and(|latest| latest.change.updated_at >= updated_at)
        {
            return; // the served number never falls, so this change has been told already
        }
        // Just started, and nobody has listened yet: nobody was told, so what counts is the document's own age.
        let age = if self.latest.is_none() && !self.has_been_subscribed {
            age_of(updated_at, wall_now)
        } else {
            Duration::ZERO
        };
        self.set_latest(updated_at, age, now, options);
    }

    /// A change that is so old is the newest now, and whoever is subscribed is to be told of it.
    fn set_latest(&mut self, updated_at: UpdatedAt, age: Duration, now: Instant, options: &HubOptions) {
        let version = self.latest.as_ref().map_or(0, |latest| latest.version) + 1;
        let window = options.notify_spread.window(self.members.len());
        // From when the last is told: who comes back in between two streams may not have been.
        let replay_until = options
            .replay_age
            .checked_sub(age)
            .and_then(|left| now.checked_add(left)?.checked_add(window));
        self.latest = Some(Latest {
            change: Change::new(updated_at, now),
            version,
            replay_until,
        });
        let (place, waited) = self.round.as_ref().map_or_else(Default::default, |round| {
            let waited = waited(round.total, round.visited, round.started, round.window, now);
            (round.place, waited)
        });
        self.round = Some(Round {
            place,
            visited: 0,
            total: self.span,
            // The wait for the next place goes on: changes that come faster than turns would else stop the walk.
            started: now.checked_sub(waited).unwrap_or(now),
            window,
        });
    }

    /// Ends one stream: told first where a spread had not come to it. Another subscriber may have its key by now, and stays.
    fn end(&mut self, key: SubscriberKey) {
        if let Some(member) = self.members.get_mut(key.0)
            && member.is_ending
        {
            if let Some(latest) = &self.latest {
                member.tell(latest);
            }
            member.subscriber.end();
        }
    }

    /// Whether somebody is left to be told.
    fn advance(&mut self, now: Instant) -> bool {
        let (Some(round), Some(latest)) = (&mut self.round, &self.latest) else {
            return false;
        };
        let due = due(round.total, round.started, round.window, now);
        while round.visited < due {
            if let Some(member) = self.members.get_mut(round.place) {
                member.tell(latest);
            }
            round.visited += 1;
            round.place = if round.place + 1 < round.total {
                round.place + 1
            } else {
                0
            };
        }
        if round.visited >= round.total {
            self.round = None;
        }
        self.round.is_some()
    }
}

#[cfg(test)]
mod tests;
