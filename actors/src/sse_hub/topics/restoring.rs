//! What was told before a restart.
use std::time::{Duration, Instant};

use engine::UpdatedAt;

use super::{Subscriber, Topic, Topics};
use crate::keys::EnvironmentId;
use crate::sse_hub::options::HubOptions;

impl<S: Subscriber> Topics<S> {
    /// Content is served again of which the process before has told. It is no news, but for those whom the restart may have kept
    /// from it: a recent one is replayed, to whoever is subscribed already too.
    pub(in crate::sse_hub) fn restore(
        &mut self,
        id: EnvironmentId,
        updated_at: UpdatedAt,
        now: Instant,
        wall_now: UpdatedAt,
    ) {
        if let Some(topic) = self.topics.get_mut(&id) {
            topic.restore(updated_at, now, wall_now, &self.options);
        }
    }
}

impl<S: Subscriber> Topic<S> {
    fn restore(&mut self, updated_at: UpdatedAt, now: Instant, wall_now: UpdatedAt, options: &HubOptions) {
        if self.latest.is_some() {
            return; // news has come before
        }
        let age = age_of(updated_at, wall_now);
        self.set_latest(updated_at, age, now, options);
        if age >= options.replay_age {
            self.round = None;
            for (_, member) in &mut self.members {
                member.told = 1;
            }
        }
    }
}

/// How old content is by the wall clock; what is of the future is new.
pub(super) fn age_of(updated_at: UpdatedAt, wall_now: UpdatedAt) -> Duration {
    let micros = wall_now.as_micros().saturating_sub(updated_at.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}
