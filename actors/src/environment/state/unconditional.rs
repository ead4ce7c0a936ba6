//! When a fetch is to be unconditional: some changes never move a document's number, and 304 hides them.
use std::time::{Duration, Instant};

use crate::environment::events::FetchCost;
use crate::environment::options::UnconditionalFetches;

/// Between unconditional fetches of a document that is not cheap, or whose changes are announced.
pub(in crate::environment) const SELDOM: Duration = Duration::from_secs(60);
/// A cheap document is smaller.
const CHEAP_BYTES: usize = 1_000_000;
/// The period is so many times what fetching a cheap one takes: 2 % of one of upstream's workers at most.
const CHEAP_PART: u32 = 50;

/// What is known of it.
#[derive(Debug)]
pub(super) struct Unconditional {
    rule: UnconditionalFetches,
    /// When the last one began that gave a document.
    last: Option<Instant>,
    /// What the last document took of upstream.
    cost: Option<FetchCost>,
    /// Whether changes of this environment are announced: the last one was.
    is_announced: bool,
}

impl Unconditional {
    pub(super) fn new(rule: UnconditionalFetches) -> Self {
        Self {
            rule,
            last: None,
            cost: None,
            is_announced: false,
        }
    }

    /// Another rule holds from now on; what is known stays.
    pub(super) fn change_rule(&mut self, rule: UnconditionalFetches) {
        self.rule = rule;
    }

    /// What is served came from elsewhere: the next fetch is unconditional.
    pub(super) fn forget_last(&mut self) {
        self.last = None;
    }

    /// A change was announced.
    pub(super) fn announced(&mut self) {
        self.is_announced = true;
    }

    /// New content was found that nobody had announced.
    pub(super) fn came_unannounced(&mut self) {
        self.is_announced = false;
    }

    /// A fetch gave a document; `started`: when, if it was unconditional.
    pub(super) fn fetched(&mut self, started: Option<Instant>, cost: FetchCost) {
        self.last = started.or(self.last);
        self.cost = Some(cost);
    }

    /// Whether the poll after this one, at `next_poll` at the latest, would come too late.
    pub(super) fn is_due(&self, next_poll: Instant, period: Duration) -> bool {
        let longest = match self.rule {
            UnconditionalFetches::Every(longest) => longest,
            UnconditionalFetches::WhileCheap if self.is_cheap(period) => Duration::ZERO,
            UnconditionalFetches::WhileCheap => SELDOM,
        };
        let since = |last| next_poll.saturating_duration_since(last);
        self.last.is_none_or(|last| since(last) > longest)
    }

    /// Whether fetching the document at every poll costs upstream little, and pays: nobody announces changes.
    fn is_cheap(&self, period: Duration) -> bool {
        let is_small =
            |cost: FetchCost| cost.bytes < CHEAP_BYTES && cost.time.saturating_mul(CHEAP_PART) <= period;
        !self.is_announced && self.cost.is_some_and(is_small)
    }
}
