//! One environment as its actor holds it.
use std::time::Duration;

use actix::SpawnHandle;
use engine::ContentDigest;

use super::events::Moment;
use super::file::FileSource;
use super::options::{
    DocumentSource, EnvironmentOptions, EnvironmentStatus, PollingOptions, UnconditionalFetches,
};
use super::ownership::Foreign;
use super::report::Report;
use super::schedule::Schedule;
use super::source::Source;
use super::state::{EnvironmentState, SELDOM, StateOptions};
use super::versions::Trust;
use crate::keys::EnvironmentId;
use crate::served::ServedEnvironment;
use crate::upstream::{FetchFailure, Upstream};

/// One environment: its decisions, its source, its log.
pub(super) struct Entry {
    pub(super) state: EnvironmentState<ContentDigest>,
    pub(super) source: Source,
    pub(super) report: Report,
    /// Wakes it for its next action.
    pub(super) timer: Option<SpawnHandle>,
    /// The fetch or other work under way.
    pub(super) work: Option<SpawnHandle>,
    /// How often it was reconfigured: work that began before says nothing any more.
    pub(super) generation: u64,
}

impl Entry {
    pub(super) fn new(
        id: EnvironmentId,
        options: &EnvironmentOptions,
        polling: &PollingOptions,
        upstream: &Result<Upstream, FetchFailure>,
    ) -> Self {
        Self {
            state: EnvironmentState::new(state_options(options, polling), schedule(options, polling)),
            source: source(options, upstream),
            report: Report::new(id),
            timer: None,
            work: None,
            generation: 0,
        }
    }

    /// From now on it is fetched as `options` say, the first time at once. Gives the work that was under way.
    pub(super) fn reconfigure(
        &mut self,
        options: &EnvironmentOptions,
        polling: &PollingOptions,
        upstream: &Result<Upstream, FetchFailure>,
    ) -> Option<SpawnHandle> {
        let mut schedule = schedule(options, polling);
        schedule.retry_now(Moment::now().instant);
        self.state.reconfigure(state_options(options, polling), schedule);
        self.source = source(options, upstream);
        self.generation += 1;
        self.work.take()
    }

    /// Its health; `served` is what it serves now, `foreign` whose that is where it is not its own.
    pub(super) fn status(
        &self,
        environment: EnvironmentId,
        served: Option<&ServedEnvironment>,
        foreign: Option<&Foreign>,
        now: Moment,
    ) -> EnvironmentStatus {
        let is_fresh = self.state.is_fresh(now);
        let status = match served {
            _ if self.state.is_key_rejected() => "key rejected",
            None => "not updated",
            Some(_) if is_fresh => "ok",
            Some(_) => "stale",
        };
        let failure = self.state.failure().map(ToString::to_string);
        let details: Vec<_> = failure
            .into_iter()
            .chain(foreign.map(ToString::to_string))
            .collect();
        EnvironmentStatus {
            environment,
            name: served.map(|served| served.environment.name().to_owned()),
            id: served.map(|served| served.environment.id().to_owned()),
            status,
            detail: (!details.is_empty()).then(|| details.join("; ")),
            is_served: served.is_some(),
            is_fresh: is_fresh && served.is_some(),
            last_successful_update: self.state.last_success(),
        }
    }
}

fn trust(options: &EnvironmentOptions) -> Trust {
    match options.source {
        DocumentSource::Upstream => Trust::Eventual,
        DocumentSource::File(_) => Trust::Immediate,
    }
}

fn period(options: &EnvironmentOptions, polling: &PollingOptions) -> Duration {
    match options.source {
        DocumentSource::Upstream => polling.period,
        DocumentSource::File(_) => polling.file_period,
    }
}

fn state_options(options: &EnvironmentOptions, polling: &PollingOptions) -> StateOptions {
    let longest_period = polling.period.max(period(options, polling));
    StateOptions {
        trust: trust(options),
        server_side_keys: options.server_side_keys.len(),
        unconditional: match options.source {
            DocumentSource::Upstream => polling.unconditional,
            // A file that seems unchanged is read all the same then.
            DocumentSource::File(_) => UnconditionalFetches::Every(SELDOM),
        },
        freshness: polling
            .grace_period
            .map(|grace| longest_period.saturating_add(grace)),
    }
}

fn schedule(options: &EnvironmentOptions, polling: &PollingOptions) -> Schedule {
    Schedule::new(
        Moment::now().instant,
        period(options, polling),
        fastrand::Rng::new(),
    )
}

fn source(options: &EnvironmentOptions, upstream: &Result<Upstream, FetchFailure>) -> Source {
    match &options.source {
        DocumentSource::Upstream => Source::Upstream {
            upstream: upstream.clone(),
            keys: options.server_side_keys.clone(),
        },
        DocumentSource::File(path) => Source::File(FileSource::new(path.clone())),
    }
}
