//! Announced changes: pushes, and events of an upstream stream (realtime.md, "Where changes come from").
use std::time::{Duration, Instant};

use engine::UpdatedAt;

/// Least time between the fetches that a burst of pushes asks for; its first fetches at once.
const BURST_SPACING: Duration = Duration::from_millis(500);
/// The first wait for an upstream that still gives the older document; each further one is twice as long.
const FIRST_REPEAT: Duration = Duration::from_millis(250);
/// How long an announced change is waited for; polling goes on beyond it.
const REPEAT_LIMIT: Duration = Duration::from_secs(90);

/// The pushes of one environment that are not satisfied yet.
#[derive(Debug, Default)]
pub(super) struct Push {
    pending: Option<Pending>,
    /// When the newest fetch for a push began.
    last_start: Option<Instant>,
    pace: Pace,
}

/// Which fetches pushes may ask for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// At once, and again while upstream gives the older document.
    #[default]
    Prompt,
    /// Upstream rejects the key, and every such request costs it up to a second: a push has one fetch before the next
    /// poll, because the key may be a good one again.
    OneMore,
    /// That fetch was rejected as well: the next poll asks for the push.
    WithPolls,
}

#[derive(Debug)]
struct Pending {
    /// The newest announced time; `None`: one good fetch satisfies.
    announced: Option<UpdatedAt>,
    /// A push came after the newest fetch began, which hence says nothing about it.
    is_unasked: bool,
    deadline: Instant,
    /// When to ask again for what upstream did not have yet, and the wait after that.
    repeat: Option<Instant>,
    wait: Duration,
}

impl Push {
    /// A change was announced.
    pub(super) fn announce(&mut self, now: Instant, announced: Option<UpdatedAt>) {
        let known = self.pending.as_ref().and_then(|pending| pending.announced);
        let newest = known.max(announced);
        match &mut self.pending {
            // A repeated push: what it announces is being asked for; it only must not be the last one unasked.
            Some(pending) if newest == known => {
                pending.is_unasked = true;
                pending.deadline = now + REPEAT_LIMIT;
                if announced != known {
                    // Another change. Upstream may serve it long before the newest one, announced by a wrong clock.
                    pending.wait = FIRST_REPEAT;
                }
            }
            // News: waiting starts anew.
            pending => {
                *pending = Some(Pending {
                    announced: newest,
                    is_unasked: true,
                    deadline: now + REPEAT_LIMIT,
                    repeat: None,
                    wait: FIRST_REPEAT,
                });
            }
        }
    }

    /// When to fetch next, if at all; it may be past.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        let pending = self.pending.as_ref().filter(|_| self.pace != Pace::WithPolls)?;
        let unasked = pending
            .is_unasked
            .then(|| self.last_start.map_or(now, |start| start + BURST_SPACING));
        [unasked, pending.repeat].into_iter().flatten().min()
    }

    /// Whether a fetch that begins now is for a push. A poll is one where pushes wait for polls.
    pub(super) fn is_asked_for(&self, now: Instant, is_poll: bool) -> bool {
        let is_left_to_polls = self.pending.is_some() && self.pace != Pace::Prompt;
        self.due(now).is_some_and(|due| due <= now) || (is_poll && is_left_to_polls)
    }

    /// A fetch begins; `is_due`: for a push. Only an unconditional one may be trusted to answer.
    pub(super) fn started(&mut self, now: Instant, is_due: bool) {
        if is_due {
            self.last_start = Some(now);
            if let Some(pending) = &mut self.pending {
                pending.is_unasked = false;
                pending.repeat = None;
            }
        }
    }

    /// A fetch ended, and upstream rejects the key: that says nothing about the announced change, which stays to be asked for,
    /// at the pace of rejected keys; `is_poll`: the fetch kept that pace.
    pub(super) fn rejected(&mut self, now: Instant, is_poll: bool) {
        self.pace = if is_poll { Pace::OneMore } else { Pace::WithPolls };
        if let Some(pending) = &mut self.pending {
            pending.deadline = now + REPEAT_LIMIT;
            pending.repeat = None;
            pending.wait = FIRST_REPEAT;
        }
    }

    /// A fetch ended. `upstream` is what upstream's document is at now, `is_answer` whether the fetch gave it
    /// unconditionally, for a push.
    pub(super) fn ended(&mut self, now: Instant, upstream: Option<UpdatedAt>, is_answer: bool) {
        self.pace = Pace::Prompt;
        let Some(pending) = &mut self.pending else { return };
        if pending.is_unasked {
            return;
        }
        let is_satisfied = match pending.announced {
            Some(_) => upstream >= pending.announced,
            None => is_answer,
        };
        if is_satisfied || now >= pending.deadline {
            self.pending = None;
        } else if pending.repeat.is_none() {
            pending.repeat = Some((now + pending.wait).min(pending.deadline));
            pending.wait = pending.wait.saturating_mul(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(second: i64) -> Option<UpdatedAt> {
        Some(UpdatedAt::from_micros(second * 1_000_000))
    }

    /// Runs pushes at their times against an upstream that has `at(2)` from `new_from` on; each fetch takes 10 ms.
    /// Gives when fetches began.
    fn fetches(pushes: &[(u64, Option<UpdatedAt>)], new_from: u64) -> Vec<u64> {
        let start = Instant::now();
        let mut push = Push::default();
        let (mut starts, mut pushes, mut now) = (Vec::new(), pushes.iter().peekable(), 0);
        while now < 200_000 {
            while let Some((_, announced)) = pushes.next_if(|(time, _)| *time <= now) {
                push.announce(start + ms(now), *announced);
            }
            if push
                .due(start + ms(now))
                .is_some_and(|due| due <= start + ms(now))
            {
                push.started(start + ms(now), true);
                starts.push(now);
                let upstream = if now >= new_from { at(2) } else { at(1) };
                now += 10;
                while let Some((_, announced)) = pushes.next_if(|(time, _)| *time <= now) {
                    push.announce(start + ms(now), *announced);
                }
                push.ended(start + ms(now), upstream, true);
            } else {
                now += 10;
            }
        }
        assert!(push.due(start + ms(now)).is_none(), "it ends");
        starts
    }

    #[test]
    fn a_push_fetches_at_once_and_once() {
        assert_eq!(fetches(&[(100, at(2))], 0), [100]);
        assert_eq!(fetches(&[(100, None)], 0), [100]);
    }

    #[test]
    fn an_old_document_is_asked_for_again_ever_more_slowly() {
        // Each wait counts from the end of the fetch before it.
        assert_eq!(fetches(&[(0, at(2))], 5_000), [0, 260, 770, 1_780, 3_790, 7_800]);
        let in_vain = fetches(&[(0, at(2))], u64::MAX);
        assert_eq!(in_vain.len(), 10);
        assert_eq!(in_vain.last(), Some(&90_000), "{in_vain:?}");
    }

    #[test]
    fn a_time_in_the_far_future_ends_and_slows_no_later_push() {
        let far = at(1 << 40);
        assert_eq!(fetches(&[(0, far)], 0).len(), 10);
        let starts = fetches(&[(0, far), (60_000, at(2))], 65_000);
        let later = starts.iter().find(|start| **start >= 65_000).unwrap();
        assert!(*later <= 68_000, "{starts:?}");
        assert!(starts.len() <= 20, "{starts:?}");
    }

    #[test]
    fn a_burst_is_thinned_out_and_its_last_push_is_asked_for() {
        let burst: Vec<_> = (0..50).map(|number| (number * 20, at(2))).collect();
        let starts = fetches(&burst, 0);
        assert_eq!(starts, [0, 500, 1_000]);

        let ever_newer: Vec<_> = (0..50)
            .map(|number| (number * 20, at(-50 + number as i64)))
            .collect();
        assert_eq!(fetches(&ever_newer, 0), [0, 500, 1_000]);
    }

    #[test]
    fn a_storm_against_an_old_document_stays_small() {
        let burst: Vec<_> = (0..50).map(|number| (number * 20, at(2))).collect();
        let starts = fetches(&burst, 1_100);
        let within_the_second = starts.iter().filter(|start| **start <= 1_000).count();
        assert!(within_the_second <= 4, "{starts:?}");
        assert!(
            *starts.last().unwrap() >= 1_100,
            "the final state is fetched: {starts:?}"
        );
    }

    #[test]
    fn a_push_during_a_fetch_is_asked_for_after_it() {
        let (start, mut push) = (Instant::now(), Push::default());
        push.announce(start, at(2));
        push.started(start, true);
        push.announce(start + ms(5), at(2));
        push.ended(start + ms(10), at(2), true);
        assert_eq!(
            push.due(start + ms(10)),
            Some(start + ms(500)),
            "the fetch began before the second push"
        );
    }

    #[test]
    fn a_poll_that_finds_the_announced_document_satisfies() {
        let (start, mut push) = (Instant::now(), Push::default());
        push.announce(start, at(2));
        push.started(start, true);
        push.ended(start, at(1), true);
        assert!(push.due(start).is_some());
        push.started(start, false);
        push.ended(start, at(2), false);
        assert_eq!(push.due(start), None);
    }

    #[test]
    fn a_failed_fetch_satisfies_no_push() {
        let (start, mut push) = (Instant::now(), Push::default());
        push.announce(start, None);
        push.started(start, true);
        push.ended(start, None, false);
        assert_eq!(push.due(start), Some(start + FIRST_REPEAT));
    }
}
