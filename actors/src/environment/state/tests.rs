//! One environment in virtual time: when it is fetched, and what of that counts.
use super::settling::{SETTLE_FIRST_WAIT, SETTLE_LIMIT};
use super::*;
use crate::environment::events::FetchCost;
use crate::upstream::Fault;

mod cheap;
mod clock;
mod rejected_keys;
mod restored;
mod settling;
mod sources;
mod telling;

const PERIOD: Duration = Duration::from_secs(10);
const UNCONDITIONAL_PERIOD: Duration = Duration::from_secs(60);
/// The wall clock at the start of every test, in epoch seconds.
const START: i64 = 1_000_000;

fn at(second: i64) -> UpdatedAt {
    UpdatedAt::from_micros(second * 1_000_000)
}

fn wall(second: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(second.unsigned_abs())
}

/// One environment with virtual time, played fetch by fetch.
struct Player {
    state: EnvironmentState<char>,
    start: Instant,
    elapsed: Duration,
    /// The wall clock at the start.
    clock: SystemTime,
    /// Of the documents that it gives.
    cost: FetchCost,
}

impl Player {
    fn new(trust: Trust, server_side_keys: usize) -> Self {
        let options = StateOptions {
            trust,
            server_side_keys,
            unconditional: UnconditionalFetches::Every(UNCONDITIONAL_PERIOD),
            freshness: Some(Duration::from_secs(40)),
        };
        Self::of(options)
    }

    fn of(options: StateOptions) -> Self {
        let start = Instant::now();
        let schedule = Schedule::new(start, PERIOD, fastrand::Rng::with_seed(7));
        Self {
            state: EnvironmentState::new(options, schedule),
            start,
            elapsed: Duration::ZERO,
            clock: wall(START),
            cost: FetchCost {
                bytes: 10_000,
                time: Duration::from_millis(20),
            },
        }
    }

    fn now(&self) -> Moment {
        Moment {
            instant: self.start + self.elapsed,
            wall: self.clock + self.elapsed,
        }
    }

    /// Waits for the next action that is not waiting; gives how long that took.
    fn wait(&mut self) -> (Duration, Action) {
        let before = self.elapsed;
        for _ in 0..10 {
            match self.state.next(self.now()) {
                Action::Wait(until) => {
                    assert!(until > self.now().instant, "no busy waiting");
                    self.elapsed = until - self.start;
                }
                action => return (self.elapsed - before, action),
            }
        }
        panic!("it only waits");
    }

    fn plan(&mut self) -> (Duration, FetchPlan) {
        match self.wait() {
            (waited, Action::Fetch(plan)) => (waited, plan),
            (_, action) => panic!("{action:?} instead of a fetch"),
        }
    }

    /// The fetch under way gives this document at once, with upstream's clock at `date`.
    fn give(&mut self, content: char, updated_at: i64, date: i64) -> Verdict {
        self.give_and_hear(content, updated_at, date).0
    }

    /// Likewise, with what the operator hears.
    fn give_and_hear(&mut self, content: char, updated_at: i64, date: i64) -> (Verdict, Option<Change>) {
        let now = self.now();
        let mut versions = self.state.versions();
        let verdict = versions.consider(
            content,
            Some(at(updated_at)),
            now.updated_at(),
            self.state.trust(),
        );
        let change = self.state.ended(
            now,
            FetchEnd::Document {
                date: Some(wall(date)),
                cost: self.cost,
                versions,
                verdict,
            },
        );
        (verdict, change)
    }

    fn not_modified(&mut self, date: i64) -> Option<Change> {
        self.state.ended(
            self.now(),
            FetchEnd::NotModified {
                date: Some(wall(date)),
            },
        )
    }

    fn fail(&mut self, failure: FetchFailure) -> Option<Change> {
        self.state.ended(self.now(), FetchEnd::Failure(failure))
    }

    /// With a first document that changed long ago, fetched unconditionally just now.
    fn polling() -> Self {
        let mut player = Self::new(Trust::Eventual, 1);
        player.plan();
        player.give('a', 100, START);
        player
    }
}

#[test]
fn one_fetch_at_a_time_and_the_next_a_period_after_its_end() {
    let mut player = Player::new(Trust::Eventual, 1);
    player.plan();
    assert_eq!(player.state.next(player.now()), Action::Busy);
    player.elapsed += Duration::from_secs(100);
    assert_eq!(
        player.state.next(player.now()),
        Action::Busy,
        "however long it takes"
    );
    player.state.announce(player.now(), None);
    assert_eq!(
        player.state.next(player.now()),
        Action::Busy,
        "whatever is announced"
    );
    player.give('a', 100, START);
    let (waited, _) = player.plan();
    assert_eq!(waited, Duration::ZERO, "the announced change");
    player.give('a', 100, START);
    let (waited, _) = player.plan();
    assert!((9.0..=11.0).contains(&waited.as_secs_f64()), "{waited:?}");
}

#[test]
fn polls_are_conditional_since_the_documents_own_number() {
    let mut player = Player::polling();
    let (_, plan) = player.plan();
    assert_eq!(plan.if_modified_since, Some(at(100)));
    assert!(!plan.is_forced);
    player.not_modified(START + 10);
    assert_eq!(player.plan().1.if_modified_since, Some(at(100)));
}

#[test]
fn the_first_fetch_and_one_a_minute_are_unconditional() {
    let mut player = Player::new(Trust::Eventual, 1);
    let (_, plan) = player.plan();
    assert_eq!(plan.if_modified_since, None);
    player.give('a', 100, START);
    let mut since_unconditional = Duration::ZERO;
    let mut longest = Duration::ZERO;
    for _ in 0..50 {
        let (waited, plan) = player.plan();
        since_unconditional += waited;
        longest = longest.max(since_unconditional);
        if plan.if_modified_since.is_some() {
            player.not_modified(START);
        } else {
            since_unconditional = Duration::ZERO;
            player.give('a', 100, START);
        }
    }
    assert!(longest <= UNCONDITIONAL_PERIOD, "{longest:?}");
    assert!(longest > UNCONDITIONAL_PERIOD - PERIOD * 2, "{longest:?}");
}

#[test]
fn a_change_within_two_seconds_of_the_fetch_is_asked_about_unconditionally() {
    // The age of the change by upstream's clock, whatever ours says.
    for (updated_at, date, is_conditional) in [
        (500, 500, false),
        (500, 502, false),
        (500, 503, true),
        (500, 490, false),
    ] {
        let mut player = Player::new(Trust::Eventual, 1);
        player.plan();
        player.give('a', updated_at, date);
        assert_eq!(
            player.plan().1.if_modified_since.is_some(),
            is_conditional,
            "{updated_at} {date}"
        );
    }
    // The rule looks at the previous fetch: one poll later the second is over.
    let mut player = Player::new(Trust::Eventual, 1);
    player.plan();
    player.give('a', 500, 500);
    player.plan();
    player.give('a', 500, 510);
    assert_eq!(player.plan().1.if_modified_since, Some(at(500)));
}

#[test]
fn a_push_fetches_unconditionally_at_once_and_polling_goes_on() {
    let mut player = Player::polling();
    player.elapsed += Duration::from_secs(3);
    player.state.announce(player.now(), Some(at(200)));
    let (waited, plan) = player.plan();
    assert_eq!(
        (waited, plan.if_modified_since, plan.is_forced),
        (Duration::ZERO, None, true)
    );
    player.give('a', 100, START);
    let (waited, plan) = player.plan();
    assert_eq!(
        (waited, plan.if_modified_since),
        (Duration::from_millis(250), None),
        "still older than announced"
    );
    assert_eq!(player.give('b', 200, START), Verdict::Serve(at(200)));
    let (waited, plan) = player.plan();
    assert!(waited >= PERIOD.mul_f64(0.9), "{waited:?}");
    assert_eq!(plan.if_modified_since, Some(at(200)));
}

#[test]
fn freshness_counts_from_the_last_good_fetch() {
    let mut player = Player::new(Trust::Eventual, 1);
    assert!(!player.state.is_fresh(player.now()));
    player.plan();
    player.give('a', 100, START);
    player.elapsed += Duration::from_secs(40);
    assert!(player.state.is_fresh(player.now()));
    player.plan();
    player.fail(FetchFailure::NoAnswer(Fault::Refused));
    player.elapsed += Duration::from_secs(1);
    assert!(!player.state.is_fresh(player.now()));
    player.plan();
    player.not_modified(START);
    assert!(player.state.is_fresh(player.now()));
}
