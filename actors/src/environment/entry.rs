//! One environment as its actor holds it.
use actix::SpawnHandle;
use engine::ContentDigest;

use super::events::Moment;
use super::file::FileSource;
use super::options::{DocumentSource, EnvironmentOptions, EnvironmentStatus, PollingOptions};
use super::report::Report;
use super::schedule::Schedule;
use super::source::Source;
use super::state::{EnvironmentState, StateOptions};
use super::versions::Trust;
use crate::keys::EnvironmentIndex;
use crate::served::ServedEnvironment;
use crate::upstream::{FetchFailure, Upstream};

/// One environment: its decisions, its source, its log.
pub(super) struct Entry {
    pub(super) state: EnvironmentState<ContentDigest>,
    pub(super) source: Source,
    pub(super) report: Report,
    /// Wakes it for its next action.
    pub(super) timer: Option<SpawnHandle>,
}

impl Entry {
    pub(super) fn new(
        index: EnvironmentIndex,
        options: EnvironmentOptions,
        polling: &PollingOptions,
        upstream: &Result<Upstream, FetchFailure>,
    ) -> Self {
        let EnvironmentOptions {
            server_side_keys,
            source,
            ..
        } = options;
        let (trust, period) = match source {
            DocumentSource::Upstream => (Trust::Eventual, polling.period),
            DocumentSource::File(_) => (Trust::Immediate, polling.file_period),
        };
        let state_options = StateOptions {
            trust,
            server_side_keys: server_side_keys.len(),
            unconditional_period: polling.unconditional_period,
            freshness: polling
                .grace_period
                .map(|grace| polling.period.max(period).saturating_add(grace)),
        };
        let is_spread = trust == Trust::Eventual;
        let schedule = Schedule::new(Moment::now().instant, period, is_spread, fastrand::Rng::new());
        let source = match source {
            DocumentSource::Upstream => Source::Upstream {
                upstream: upstream.clone(),
                keys: server_side_keys,
            },
            DocumentSource::File(path) => Source::File(FileSource::new(path)),
        };
        Self {
            state: EnvironmentState::new(state_options, schedule),
            source,
            report: Report::new(index),
            timer: None,
        }
    }

    /// Its health; `served` is what it serves now.
    pub(super) fn status(&self, served: Option<&ServedEnvironment>, now: Moment) -> EnvironmentStatus {
        let is_fresh = self.state.is_fresh(now);
        let status = match served {
            _ if self.state.is_key_rejected() => "key rejected",
            None => "not updated",
            Some(_) if is_fresh => "ok",
            Some(_) => "stale",
        };
        EnvironmentStatus {
            name: served.map(|served| served.environment.name().to_owned()),
            id: served.map(|served| served.environment.id().to_owned()),
            status,
            is_served: served.is_some(),
            is_fresh: is_fresh && served.is_some(),
            last_successful_update: self.state.last_success(),
        }
    }
}
