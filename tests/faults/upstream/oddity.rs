//! A strange document, or a strange way to give one, which is served all the same.
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::findings::Findings;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::claims::{self, Expected, Told};
use super::outage::Obstruct;
use super::scene::{Answering, JITTER, PERIOD, Scene, Setting, answer_by};

/// Strange, and served.
pub(super) struct Oddity {
    answering: Answering,
    says: &'static [&'static str],
    environments: usize,
    periods: u32,
    is_renumbered: bool,
    obstruct: Obstruct,
    name: Option<&'static str>,
    config: Value,
    command: fn(&mut Command),
}

impl Oddity {
    /// Upstream gives its documents like this.
    pub(super) fn answering(answering: Answering) -> Self {
        Self {
            answering,
            says: &[],
            environments: 2,
            periods: 2,
            is_renumbered: false,
            obstruct: |_, _| Box::new(()),
            name: None,
            config: json!({}),
            command: |_| (),
        }
    }

    /// The log says this, of so many of the environments.
    pub(super) fn told(mut self, says: &'static [&'static str], environments: usize) -> Self {
        self.says = says;
        self.environments = environments;
        self
    }

    /// A change may take so many periods.
    pub(super) fn within(mut self, periods: u32) -> Self {
        self.periods = periods;
        self
    }

    /// What is served is told some seconds later, under a number that is not known before.
    pub(super) fn renumbered(mut self) -> Self {
        self.is_renumbered = true;
        self
    }

    /// This is there from the start on.
    pub(super) fn beside(mut self, obstruct: Obstruct) -> Self {
        self.obstruct = obstruct;
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

    /// The first document is strange, the second is not, the third is, the fourth is not.
    pub(super) fn run(&self, findings: &mut Findings) -> Result<(), String> {
        let answers = Arc::new(AtomicU64::new(0));
        let upstream = Arc::new(ScriptedUpstream::start(|_| Answer::status(500)));
        answer_by(&upstream, (self.answering, 1), &answers);
        let most = (PERIOD * self.periods).mul_f64(JITTER);
        let begun = Instant::now();
        let setting = Setting {
            name: self.name,
            config: self.config.clone(),
            command: self.command,
            variables: Vec::new(),
        };
        let folder = TempDir::new().unwrap();
        let _obstacle = (self.obstruct)(&upstream, folder.path());
        let scene = Scene::start(upstream, folder, &setting);
        let start = begun.elapsed();
        self.follow(&scene, (1, begun), most + start, findings)?;
        let well = scene.is_well(2);
        self.follow(&scene, (2, well), most, findings)?;
        answer_by(&scene.upstream, (self.answering, 3), &answers);
        self.follow(&scene, (3, Instant::now()), most, findings)?;
        let well = scene.is_well(4);
        self.follow(&scene, (4, well), most, findings)?;

        let (seen, written) = scene.end(3)?;
        findings.tried(answers.load(Ordering::Relaxed));
        let expected = Expected {
            versions: &[1, 2, 3, 4],
            is_without_at_first: false,
            is_renumbered: self.is_renumbered,
        };
        claims::of_clients(&seen, &expected, findings)?;
        claims::of_probes(&seen, false, findings)?;
        let lines = usize::from(!self.says.is_empty());
        let told = Told {
            says: self.says,
            spells: 2,
            lines: lines..=lines,
            environments: self.environments,
            is_recovery_told: false,
        };
        claims::of_log(&written, &told, findings)
    }

    fn follow(
        &self,
        scene: &Scene,
        (version, since): (u32, Instant),
        most: Duration,
        findings: &mut Findings,
    ) -> Result<(), String> {
        findings.fresh_after(scene.fresh_after(version, since, most)?);
        scene.watch();
        if self.is_renumbered {
            // Three seconds are waited for the number.
            scene.watch();
        }
        Ok(())
    }
}
