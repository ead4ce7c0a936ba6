//! The decisions about one environment: (state, event, now) → next action. No I/O, no clock.
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::UpdatedAt;

use super::events::{Action, Change, FetchEnd, FetchPlan, Moment};
use super::options::UnconditionalFetches;
use super::push::Push;
use super::schedule::Schedule;
use super::versions::{Record, Trust, Verdict, Versions};
use crate::upstream::FetchFailure;

mod known;
mod settling;
mod unconditional;

pub(super) use known::Known;
use settling::Settling;
use unconditional::Unconditional;

pub(super) use unconditional::SELDOM;

/// `If-Modified-Since` has whole seconds: within this of a change, 304 may hide another one (upstream.md).
const CONDITIONAL_BLINDNESS: Duration = Duration::from_secs(2);
/// Kinds of failure that are told between two successes, and remembered for that: a gateway knows a few, an upstream that
/// invents ever new ones must not fill the log.
const MOST_TOLD_FAILURES: usize = 16;

/// What one environment is configured to.
#[derive(Debug, Clone, Copy)]
pub(super) struct StateOptions {
    pub(super) trust: Trust,
    pub(super) server_side_keys: usize,
    pub(super) unconditional: UnconditionalFetches,
    /// Older than this is stale; `None` = never.
    pub(super) freshness: Option<Duration>,
}

/// One environment between its events.
#[derive(Debug)]
pub(super) struct EnvironmentState<D> {
    options: StateOptions,
    versions: Versions<D>,
    schedule: Schedule,
    push: Push,
    settling: Option<Settling>,
    phase: Phase,
    key: usize,
    /// Keys that upstream rejected since one worked.
    rejections: usize,
    /// How the last fetch failed; `None` after a success.
    failure: Option<FetchFailure>,
    /// What the operator has heard since the last success. Upstream may alternate between failures, as the gateways before
    /// it do with 502 and 503: each is told once.
    told_failures: Vec<FetchFailure>,
    /// Whether the operator has heard, since new content was served, that upstream gives older documents between newer ones.
    has_told_lagging: bool,
    last_success: Option<Moment>,
    unconditional: Unconditional,
    /// Upstream's clock at the previous fetch.
    last_date: Option<SystemTime>,
    told: Option<UpdatedAt>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Idle,
    Fetching {
        started: Instant,
        is_unconditional: bool,
        is_for_push: bool,
        is_poll: bool,
    },
    Settling,
}

impl<D: Copy + PartialEq> EnvironmentState<D> {
    pub(super) fn new(options: StateOptions, schedule: Schedule) -> Self {
        Self {
            unconditional: Unconditional::new(options.unconditional),
            options,
            versions: Versions::default(),
            schedule,
            push: Push::default(),
            settling: None,
            phase: Phase::Idle,
            key: 0,
            rejections: 0,
            failure: None,
            told_failures: Vec::new(),
            has_told_lagging: false,
            last_success: None,
            last_date: None,
            told: None,
        }
    }

    /// For considering the document of the fetch that is under way; it comes back in [`FetchEnd::Document`].
    pub(super) fn versions(&self) -> Versions<D> {
        self.versions
    }

    /// What a restart must know of what is served.
    pub(super) fn record(&self) -> Option<Record<D>> {
        self.versions.record()
    }

    pub(super) fn trust(&self) -> Trust {
        self.options.trust
    }

    /// Content is served that no fetch of this environment's gave: it was stored, or came from another source. A fetch or
    /// other work that is under way counts no more, and its end must not be told.
    pub(super) fn assign(&mut self, versions: Versions<D>) {
        self.versions = versions.above_floor_of(&self.versions);
        self.interrupt();
        self.settling = None;
        self.unconditional.forget_last();
        self.last_date = None;
    }

    /// A fetch or other work that is under way counts no more.
    pub(super) fn interrupt(&mut self) {
        self.phase = Phase::Idle;
    }

    /// As [`EnvironmentState::assign`], of content that was stored when subscribers had been told of `told`. Where upstream's
    /// own number had not come, it is waited for again.
    pub(super) fn restore(&mut self, now: Instant, versions: Versions<D>, told: Option<UpdatedAt>) {
        self.assign(versions);
        self.told = told;
        self.wait_for_number(now);
    }

    /// The newest number that subscribers were told.
    pub(super) fn told(&self) -> Option<UpdatedAt> {
        self.told
    }

    /// The environment is fetched from elsewhere, or with other keys, from now on. What it serves stays; whose document
    /// it was is not known to the new source. Work that is under way counts no more.
    pub(super) fn reconfigure(&mut self, options: StateOptions, schedule: Schedule) {
        self.assign(self.versions.of_another_source());
        self.options = options;
        self.schedule = schedule;
        self.unconditional = Unconditional::new(options.unconditional);
        self.key = 0;
        self.rejections = 0;
        self.failure = None;
        self.told_failures.clear();
        self.has_told_lagging = false;
    }

    /// The same source is fetched by other rules from now on; everything else goes on as it was.
    pub(super) fn adjust(&mut self, now: Moment, options: StateOptions, period: Duration) {
        self.options = options;
        self.unconditional.change_rule(options.unconditional);
        self.schedule.change_period(now.instant, period);
    }

    /// The source is reached in another way from now on: where it could not be reached it is tried at once.
    pub(super) fn reach_anew(&mut self, now: Moment) {
        if self.failure.is_some() {
            self.schedule.retry_now(now.instant);
        }
    }

    /// A change was announced.
    pub(super) fn announce(&mut self, now: Moment, announced: Option<UpdatedAt>) {
        self.unconditional.announced();
        self.push.announce(now.instant, announced);
    }

    /// Decides what to do now, and counts it as begun.
    pub(super) fn next(&mut self, now: Moment) -> Action {
        if !matches!(self.phase, Phase::Idle) {
            return Action::Busy;
        }
        let instant = now.instant;
        if let Some(served) = self.versions.raise(now.updated_at()) {
            self.settling = None;
            self.phase = Phase::Settling;
            return Action::Settle(served);
        }
        if self.settling.is_some_and(|settling| settling.deadline <= instant) {
            self.settling = None;
            if let Some(served) = self.versions.settle(now.updated_at()) {
                self.phase = Phase::Settling;
                return Action::Settle(served);
            }
        }
        let push = self.push.due(instant);
        // Where the key is rejected, upstream's number will not come.
        let settling = self.settling.filter(|_| !self.is_key_rejected());
        let wanted = [push, settling.map(|settling| settling.next)]
            .into_iter()
            .flatten()
            .fold(self.schedule.next_poll(), Instant::min);
        let due = self.schedule.allowed(wanted);
        if due > instant {
            return Action::Wait(self.settling.map_or(due, |settling| due.min(settling.deadline)));
        }
        Action::Fetch(self.start(instant))
    }

    /// The fetch ended. Gives what the operator should hear.
    pub(super) fn ended(&mut self, now: Moment, end: FetchEnd<D>) -> Option<Change> {
        let Phase::Fetching {
            started,
            is_unconditional,
            is_for_push,
            is_poll,
        } = self.phase
        else {
            return None;
        };
        self.phase = Phase::Idle;
        let (mut is_answer, mut is_lagging) = (false, false);
        let change = match end {
            FetchEnd::NotModified { date } => self.succeeded(now, date),
            FetchEnd::Document {
                date,
                cost,
                versions,
                verdict,
            } => {
                is_answer = is_for_push && is_unconditional;
                self.unconditional
                    .fetched(is_unconditional.then_some(started), cost);
                is_lagging = verdict == Verdict::Hold && !self.has_told_lagging;
                if matches!(verdict, Verdict::Serve(_) | Verdict::ServeUnsettled(_)) {
                    self.has_told_lagging = false;
                    if !is_for_push {
                        self.unconditional.came_unannounced();
                    }
                }
                self.versions = versions.above_floor_of(&self.versions);
                self.wait_for_number(now.instant);
                self.succeeded(now, date)
            }
            FetchEnd::Failure(failure) => self.failed((started, now), failure),
            FetchEnd::Abandoned => None,
        };
        if self.is_key_rejected() {
            self.push.rejected(now.instant, is_poll);
        } else {
            self.push
                .ended(now.instant, self.versions.upstream_updated_at(), is_answer);
        }
        if change.is_some() || !is_lagging {
            return change;
        }
        self.has_told_lagging = true;
        Some(Change::Lagging)
    }

    /// The work of [`Action::Settle`] ended.
    pub(super) fn settled(&mut self) {
        self.phase = Phase::Idle;
    }

    /// All replicas serve content under this number. Whether to tell: a number that was overtaken is no news.
    pub(super) fn published(&mut self, served: UpdatedAt) -> bool {
        let is_news = self.told.is_none_or(|told| served > told);
        if is_news {
            self.told = Some(served);
        }
        is_news
    }

    /// Whether the last good fetch is recent enough.
    pub(super) fn is_fresh(&self, now: Moment) -> bool {
        self.age(now)
            .is_some_and(|age| self.options.freshness.is_none_or(|freshness| age <= freshness))
    }

    /// The time since upstream last answered well.
    pub(super) fn age(&self, now: Moment) -> Option<Duration> {
        let success = self.last_success?;
        Some(now.instant.saturating_duration_since(success.instant))
    }

    /// When upstream last answered well.
    pub(super) fn last_success(&self) -> Option<SystemTime> {
        self.last_success.map(|success| success.wall)
    }

    /// Whether upstream rejects all server-side keys.
    pub(super) fn is_key_rejected(&self) -> bool {
        matches!(
            self.failure,
            Some(FetchFailure::KeyRejected(..) | FetchFailure::UnusableKey)
        )
    }

    /// Whether the fetch that is under way is for what was announced.
    pub(super) fn fetches_for_push(&self) -> bool {
        matches!(
            self.phase,
            Phase::Fetching {
                is_for_push: true,
                ..
            }
        )
    }

    /// Which of the server-side keys it is fetched with.
    pub(super) fn key(&self) -> usize {
        self.key
    }

    /// How the last fetch failed; `None` after a success.
    pub(super) fn failure(&self) -> Option<&FetchFailure> {
        self.failure.as_ref()
    }

    fn start(&mut self, now: Instant) -> FetchPlan {
        let is_poll = self.schedule.next_poll() <= now;
        let is_for_push = self.push.is_asked_for(now, is_poll);
        let next_poll = now + self.schedule.longest_wait();
        let is_overdue = self.unconditional.is_due(next_poll, self.schedule.period());
        let is_forced = is_for_push || is_overdue || self.settling.is_some() || self.versions.is_doubtful();
        let updated_at = self.versions.upstream_updated_at();
        let if_modified_since = updated_at.filter(|updated_at| !is_forced && !self.is_blind(*updated_at));
        self.phase = Phase::Fetching {
            started: now,
            is_unconditional: if_modified_since.is_none(),
            is_for_push,
            is_poll,
        };
        self.push.started(now, is_for_push);
        if let Some(settling) = &mut self.settling {
            settling.started(now);
        }
        FetchPlan {
            key: self.key,
            if_modified_since,
            is_forced,
            until: self.settling.map(|settling| settling.deadline),
        }
    }

    /// Whether the document changed so shortly before the previous fetch that 304 could hide a later change.
    fn is_blind(&self, updated_at: UpdatedAt) -> bool {
        let Some(date) = self.last_date else { return true };
        let date = date.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        date <= updated_at
            .as_seconds()
            .saturating_add(CONDITIONAL_BLINDNESS.as_secs())
    }

    fn succeeded(&mut self, now: Moment, date: Option<SystemTime>) -> Option<Change> {
        self.schedule.succeeded(now.instant);
        self.last_success = Some(now);
        self.last_date = Some(date.unwrap_or(now.wall));
        self.rejections = 0;
        self.told_failures.clear();
        self.failure.take().map(|_| Change::Recovered)
    }

    fn failed(&mut self, (started, now): (Instant, Moment), failure: FetchFailure) -> Option<Change> {
        self.schedule.failed(started, now.instant, &failure);
        if matches!(failure, FetchFailure::KeyRejected(..) | FetchFailure::UnusableKey) {
            self.rejections = self.rejections.saturating_add(1);
            self.key = (self.key + 1) % self.options.server_side_keys.max(1);
            if self.rejections < self.options.server_side_keys {
                self.schedule.retry_now(now.instant);
                let said = match failure {
                    FetchFailure::KeyRejected(_, said) => said,
                    _ => None,
                };
                return (!self.is_key_rejected()).then_some(Change::NextKey(said));
            }
        }
        self.failure = Some(failure.clone());
        let told = &mut self.told_failures;
        if told.len() >= MOST_TOLD_FAILURES || told.iter().any(|told| told.is_like(&failure)) {
            return None;
        }
        told.push(failure.clone());
        Some(Change::Failed(failure))
    }

    fn wait_for_number(&mut self, now: Instant) {
        let is_unsettled = self.versions.is_unsettled();
        self.settling = is_unsettled.then(|| Settling::after(self.settling, now));
    }
}

#[cfg(test)]
mod tests;
