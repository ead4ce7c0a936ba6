//! One environment as its actor holds it.
use std::time::{Duration, Instant};

use actix::SpawnHandle;
use engine::{ContentDigest, UpdatedAt};

use super::events::Moment;
use super::file::FileSource;
use super::history::History;
use super::keeping::Keeping;
use super::options::{DocumentSource, EnvironmentOptions, PollingOptions, UnconditionalFetches};
use super::ownership::Foreign;
use super::report::Report;
use super::schedule::Schedule;
use super::source::{Client, Source};
use super::state::{EnvironmentState, SELDOM, StateOptions};
use super::status::{EnvironmentStatus, KeyInUse};
use super::versions::Trust;
use crate::keys::{EnvironmentId, KeyDigest};
use crate::served::ServedEnvironment;
use crate::store::Stored;
use crate::upstream::{FetchFailure, Upstream};

/// What is stored, of which a part may be newer, is waited for at most so long: a disk may hang.
const STORED_PATIENCE: Duration = Duration::from_secs(10);

/// One environment: its decisions, its source, its log.
pub(super) struct Entry {
    pub(super) state: EnvironmentState<ContentDigest>,
    pub(super) source: Source,
    pub(super) report: Report,
    pub(super) history: History,
    /// Wakes it for its next action.
    pub(super) timer: Option<SpawnHandle>,
    /// The fetch or other work under way.
    pub(super) work: Option<SpawnHandle>,
    /// Where what it serves came from.
    pub(super) origin: Origin,
    /// What was stored before the start is being read: nothing is fetched yet.
    pub(super) is_restoring: bool,
    /// Since when what is stored is being read and compiled, if it is; the first fetch may have been waited for long enough.
    pub(super) awaits_stored: Option<Instant>,
    /// The number that all replicas serve and that subscribers are not told yet: what is stored is being read, which says what
    /// they were told before.
    pub(super) untold: Option<UpdatedAt>,
    /// Whether the listeners have heard of anything that it serves.
    pub(super) has_told: bool,
    /// What is stored was read, and is of no use.
    pub(super) is_stored_useless: bool,
    /// Its fallback document is being read.
    pub(super) is_falling_back: bool,
    /// How its fallback document could not be used, as the operator has heard.
    pub(super) fallback_problem: Option<String>,
    keeping: Keeping,
    /// How often it was reconfigured: what was stored for the source before says nothing any more.
    pub(super) sources: u64,
    /// How often it was reconfigured or assigned a document: work that began before says nothing any more.
    pub(super) generation: u64,
}

/// Where a document came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The source gave or confirmed it.
    Source,
    /// It was stored before the start, or by another process; the source has not answered well since.
    Stored,
    /// The source gave none, and none was stored.
    Fallback,
    /// Another source gave it, before the environment was reconfigured.
    AnotherSource,
}

impl Entry {
    pub(super) fn new(
        id: EnvironmentId,
        options: &EnvironmentOptions,
        polling: &PollingOptions,
        client: &mut Client,
    ) -> Self {
        let upstream = client.of(&options.source);
        Self {
            state: EnvironmentState::new(state_options(options, polling), schedule(options, polling)),
            source: source(options, &upstream),
            report: Report::new(id),
            history: History::default(),
            timer: None,
            work: None,
            origin: Origin::Source,
            is_restoring: false,
            awaits_stored: None,
            untold: None,
            has_told: false,
            is_stored_useless: false,
            is_falling_back: false,
            fallback_problem: None,
            keeping: Keeping::new(options, client),
            sources: 0,
            generation: 0,
        }
    }

    /// From now on it is fetched as `options` say, the first time at once. Gives the work that was under way.
    pub(super) fn reconfigure(
        &mut self,
        options: &EnvironmentOptions,
        polling: &PollingOptions,
        client: &mut Client,
    ) -> Option<SpawnHandle> {
        let mut schedule = schedule(options, polling);
        schedule.retry_now(Moment::now().instant);
        self.state.reconfigure(state_options(options, polling), schedule);
        self.source = source(options, &client.of(&options.source));
        if self.origin != Origin::Fallback {
            self.origin = Origin::AnotherSource;
        }
        self.history.moved();
        self.keeping = Keeping::new(options, client);
        self.awaits_stored = None;
        self.is_stored_useless = false;
        self.sources += 1;
        self.interrupt()
    }

    /// Gives the work that is under way, whose end says nothing any more.
    pub(super) fn interrupt(&mut self) -> Option<SpawnHandle> {
        self.is_restoring = false;
        self.is_falling_back = false;
        self.generation += 1;
        self.work.take()
    }

    /// How much longer what is stored is waited for before subscribers are told of what came sooner; `None`: it is not.
    pub(super) fn patience_for_stored(&self) -> Option<Duration> {
        let waited = self.awaits_stored?.elapsed();
        STORED_PATIENCE
            .checked_sub(waited)
            .filter(|patience| !patience.is_zero())
    }

    /// What the store is to keep of what is served, where it has something else, or nothing, and the source stands for it. What is
    /// stored is read before anything takes its place.
    pub(super) fn news_for_store(&mut self, served: &ServedEnvironment) -> Option<Stored> {
        if self.awaits_stored.is_some() || self.state.is_below_floor() {
            return None;
        }
        match self.origin {
            Origin::Source | Origin::Stored => self.keeping.next(&self.state, served),
            Origin::Fallback | Origin::AnotherSource => None,
        }
    }

    /// The store has given this, which is served from now on.
    pub(super) fn restored(&mut self, stored: &Stored) {
        self.keeping.restored(&self.state, stored);
    }

    /// Whose documents the store is asked for; `None`: they are not stored.
    pub(super) fn stored_as(&self) -> Option<KeyDigest> {
        self.keeping.environment()
    }

    /// From now on it is stored under the name of the client-side key that `options` have. Whether that is another one.
    pub(super) fn rename_in_store(&mut self, options: &EnvironmentOptions) -> bool {
        self.keeping.rename(options)
    }

    /// Whether a stored document is of the source that is asked now.
    pub(super) fn is_of_its_source(&self, stored: &Stored) -> bool {
        self.keeping.is_of(stored.source)
    }

    /// From now on it is polled by these rules, and upstream, where it comes from there, is reached in this way. Everything else
    /// goes on, the work under way included.
    pub(super) fn adjust(
        &mut self,
        options: &EnvironmentOptions,
        polling: &PollingOptions,
        upstream: &Result<Upstream, FetchFailure>,
        is_reached_anew: bool,
    ) {
        let now = Moment::now();
        self.state
            .adjust(now, state_options(options, polling), period(options, polling));
        if matches!(options.source, DocumentSource::Upstream) {
            self.source = source(options, upstream);
            if is_reached_anew {
                self.state.reach_anew(now);
            }
        }
    }

    /// Its health; `served` is what it serves now, `foreign` whose that is where it is not its own.
    pub(super) fn status(
        &self,
        environment: EnvironmentId,
        served: Option<&ServedEnvironment>,
        foreign: Option<&Foreign>,
        now: Moment,
    ) -> EnvironmentStatus {
        let is_fresh = self.state.is_fresh(now) && self.origin != Origin::Fallback;
        let status = match served {
            Some(_) if self.origin == Origin::Fallback => "fallback",
            _ if self.state.is_key_rejected() => "key rejected",
            None => "not updated",
            Some(_) if is_fresh => "ok",
            Some(_) => "stale",
        };
        let failure = self.state.failure().map(ToString::to_string);
        let fallback_problem = self.fallback_problem.as_ref();
        let fallback_problem =
            fallback_problem.map(|problem| format!("its fallback_document_path {problem}"));
        let details: Vec<_> = self
            .origin
            .says()
            .filter(|_| served.is_some())
            .map(str::to_owned)
            .into_iter()
            .chain(failure)
            .chain(foreign.map(ToString::to_string))
            .chain(fallback_problem)
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
            age: self.state.age(now),
            updated_at: served.map(|served| served.updated_at),
            last_change: self.history.last_change(),
            last_failure: self.history.last_failure(),
            key: self.key_in_use(),
            warnings: self.report.warnings_in_force(),
            fetches: self.history.fetches(),
        }
    }

    fn key_in_use(&self) -> Option<KeyInUse> {
        match &self.source {
            Source::File(_) => None,
            Source::Upstream { keys, .. } => Some(KeyInUse {
                place: self.state.key() + 1,
                of: keys.len(),
            }),
        }
    }
}

impl Origin {
    /// What health says of it.
    fn says(self) -> Option<&'static str> {
        match self {
            Self::Source | Self::AnotherSource => None,
            Self::Stored => Some(
                "what is served was stored before the start, or by another process since, and upstream has not confirmed it",
            ),
            Self::Fallback => {
                Some("its fallback document is served, for upstream has given none and none is stored")
            }
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
