//! A fault that gives no document: from the very start, and once there is one.
use std::any::Any;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::findings::Findings;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::claims::{self, Expected, Told};
use super::scene::{Answering, JITTER, PERIOD, Scene, Setting, WORK, answer_by};
use crate::harness::environments::ENVIRONMENTS;
use crate::harness::is_full;

/// What keeps documents away until it is dropped.
pub(super) type Obstacle = Box<dyn Any>;
/// Puts it in the way to this upstream, of a proxy that is or will be in this folder.
pub(super) type Obstruct = fn(&ScriptedUpstream, &Path) -> Obstacle;

/// How it comes about.
#[derive(Clone, Copy)]
enum Cause {
    Answers(Answering),
    /// Something on the way to upstream, which is down or not asked.
    OnTheWay(Obstruct),
}

/// When upstream is asked again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// After two periods at most.
    Polls,
    /// After each refusal in twice the time, and 60 s at most.
    Probes,
    /// As it said.
    RetryAfter(Duration),
}

/// A fault that gives no document.
pub(super) struct Outage {
    cause: Cause,
    says: &'static [&'static str],
    lines: RangeInclusive<usize>,
    pace: Pace,
    name: Option<&'static str>,
    config: Value,
    command: fn(&mut Command),
}

impl Outage {
    /// Upstream answers like this, and the log says this.
    pub(super) fn answering(answering: Answering, says: &'static [&'static str]) -> Self {
        Self {
            cause: Cause::Answers(answering),
            says,
            lines: 1..=1,
            pace: Pace::Polls,
            name: None,
            config: json!({}),
            command: |_| (),
        }
    }

    /// Something is between, and the log says this.
    pub(super) fn on_the_way(obstacle: Obstruct, says: &'static [&'static str]) -> Self {
        Self {
            cause: Cause::OnTheWay(obstacle),
            ..Self::answering(|_, _| Answer::status(500), says)
        }
    }

    /// A fetch hangs, until the next one is due.
    pub(super) fn hanging(self) -> Self {
        self.with(json!({"api_poll_timeout_seconds": PERIOD.as_secs_f64()}))
    }

    /// It shows in several ways, each of which may be told.
    pub(super) fn in_ways(mut self, most: usize) -> Self {
        self.lines = 1..=most;
        self
    }

    /// The key is refused: upstream is probed ever more slowly, at least once in 60 s.
    pub(super) fn refusing_keys(mut self) -> Self {
        self.pace = Pace::Probes;
        self
    }

    /// Upstream says when to come again.
    pub(super) fn asking_to_wait(mut self, wait: Duration) -> Self {
        self.pace = Pace::RetryAfter(wait);
        self
    }

    /// Upstream is named by this name.
    pub(super) fn by_name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// With these options beside those of every row.
    pub(super) fn with(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// With a command that is completed by this.
    pub(super) fn with_command(mut self, command: fn(&mut Command)) -> Self {
        self.command = command;
        self
    }

    /// Causes it from the very start, ends it, and causes it again.
    pub(super) fn run(&self, findings: &mut Findings) -> Result<(), String> {
        let answers = Arc::new(AtomicU64::new(0));
        let upstream = Arc::new(ScriptedUpstream::start(|_| Answer::status(500)));
        self.fail(&upstream, &answers);
        let setting = Setting {
            name: self.name,
            config: self.config.clone(),
            command: self.command,
            variables: Vec::new(),
        };
        let begun = Instant::now();
        let folder = TempDir::new().unwrap();
        let obstacle = self.obstruct(&upstream, folder.path());
        let scene = Scene::start(upstream, folder, &setting);
        scene.wait_for_line("It has no document to serve yet.");
        scene.watch();
        self.end(&scene, (begun, 1), obstacle, findings)?;

        // Before the fault, so that no refusal is missed.
        let begun = Instant::now();
        self.fail(&scene.upstream, &answers);
        let obstacle = self.obstruct(&scene.upstream, scene.proxy.folder());
        scene.wait_for_line("The last good document stays served.");
        scene.watch();
        self.wait_for_the_slowest_probes(&scene, begun);
        self.end(&scene, (begun, 2), obstacle, findings)?;

        let (seen, written) = scene.end(2)?;
        findings.tried(answers.load(Ordering::Relaxed).max(2));
        let expected = Expected {
            versions: &[1, 2],
            is_without_at_first: true,
            is_renumbered: false,
        };
        claims::of_clients(&seen, &expected, findings)?;
        claims::of_probes(&seen, true, findings)?;
        let told = Told {
            says: self.says,
            spells: 2,
            lines: self.lines.clone(),
            environments: ENVIRONMENTS.len(),
            is_recovery_told: true,
        };
        claims::of_log(&written, &told, findings)
    }

    /// In a full run: until a refused key is asked for as seldom as it ever is.
    fn wait_for_the_slowest_probes(&self, scene: &Scene, begun: Instant) {
        // The waits after these come to 63 seconds; the last is one of 60.
        const REFUSALS: usize = 7;
        let is_soon = |environment| scene.asked(environment, begun).0 < REFUSALS;
        while is_full() && self.pace == Pace::Probes && ENVIRONMENTS.iter().any(is_soon) {
            scene.watch();
        }
    }

    fn fail(&self, upstream: &ScriptedUpstream, answers: &Arc<AtomicU64>) {
        if let Cause::Answers(answering) = self.cause {
            // A version that nobody may ever see.
            answer_by(upstream, (answering, 99), answers);
        }
    }

    fn obstruct(&self, upstream: &ScriptedUpstream, folder: &Path) -> Option<Obstacle> {
        match self.cause {
            Cause::Answers(_) => None,
            Cause::OnTheWay(obstacle) => Some(obstacle(upstream, folder)),
        }
    }

    /// Upstream is well again, with this version.
    fn end(
        &self,
        scene: &Scene,
        (begun, version): (Instant, u32),
        obstacle: Option<Obstacle>,
        findings: &mut Findings,
    ) -> Result<(), String> {
        let mut well = scene.is_well(version);
        // After the end of the fault, for the same reason.
        let refusals = ENVIRONMENTS.map(|each| scene.asked(&each, begun).0);
        if let Some(obstacle) = obstacle {
            drop(obstacle);
            scene.upstream.come_up();
            well = Instant::now();
        }
        let waits = refusals.map(|refusals| self.longest_wait(refusals));
        let longest = waits.into_iter().max().unwrap_or_default();
        let before = scene.clients.standstill();
        let fresh = scene.fresh_after(version, well, longest)?;
        findings.fresh_after(fresh);
        let stood_still = scene.clients.standstill().saturating_sub(before);
        for (environment, wait) in ENVIRONMENTS.iter().zip(waits) {
            let asked = scene.asked(environment, well).1;
            // No wait is longer than it is meant to be, but whoever waits has its turn later on a busy machine.
            if asked.is_none_or(|asked| asked > wait + WORK + stood_still) {
                return Err(format!("asked again after {asked:?}, {wait:?} are allowed"));
            }
        }
        Ok(())
    }

    /// The longest time to the next request, after so many that failed.
    fn longest_wait(&self, refusals: usize) -> Duration {
        const REFUSED: Duration = Duration::from_secs(60);
        let wait = match self.pace {
            Pace::Polls => PERIOD * 2,
            Pace::Probes => {
                let doubled = 1_u32.checked_shl(refusals as u32).unwrap_or(u32::MAX);
                PERIOD.saturating_mul(doubled).min(REFUSED)
            }
            Pace::RetryAfter(wait) => wait,
        };
        wait.mul_f64(JITTER)
    }
}
