//! The command line.
use std::path::PathBuf;
use std::time::Duration;

use bench::comparison::Plan;

/// How to call it.
pub(crate) const USAGE: &str = "usage: bench [--quick] [--rounds N] [--seconds S] [--only TEXT] [--beside PROXY | --metrics] [--limits FILE] [--write FILE] [--check]";

/// What is measured, how long, and what is made of it.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Rounds of the comparisons.
    pub plan: Plan,
    /// Less of everything, for development: no number to quote.
    pub quick: bool,
    /// Measure only the rows whose names contain this.
    pub only: Option<String>,
    /// Another build of the proxy to compare requests with, in place of the bare handler: what a change gives.
    pub beside: Option<PathBuf>,
    /// Measure requests alone, with metrics on, beside the same proxy without: what metrics cost.
    pub metrics: bool,
    /// Where the limits are.
    pub limits: PathBuf,
    /// Where the report goes.
    pub write: Option<PathBuf>,
    /// Fail where a limit is exceeded.
    pub check: bool,
}

impl Options {
    /// Reads the arguments; `None` where one is not understood.
    pub(crate) fn parse(arguments: &[String]) -> Option<Self> {
        let mut options = Self {
            plan: Plan::default(),
            quick: false,
            only: None,
            beside: None,
            metrics: false,
            limits: PathBuf::from("bench/limits.json"),
            write: None,
            check: false,
        };
        let mut rest = arguments.iter();
        while let Some(option) = rest.next() {
            match option.as_str() {
                "--quick" => {
                    options.quick = true;
                    options.plan = Plan {
                        rounds: 3,
                        round: Duration::from_secs(1),
                    };
                }
                "--rounds" => options.plan.rounds = rest.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
                "--seconds" => {
                    options.plan.round = Duration::try_from_secs_f64(rest.next()?.parse().ok()?).ok()?
                }
                "--only" => options.only = Some(rest.next()?.clone()),
                "--beside" => options.beside = Some(rest.next()?.into()),
                "--metrics" => options.metrics = true,
                "--limits" => options.limits = rest.next()?.into(),
                "--write" => options.write = Some(rest.next()?.into()),
                "--check" => options.check = true,
                _ => return None,
            }
        }
        Some(options)
    }

    /// Whether each request is asked of two proxies, in place of a proxy and a bare handler.
    pub(crate) fn compares_proxies(&self) -> bool {
        self.metrics || self.beside.is_some()
    }

    /// Whether a row is to be measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }

    /// The given number, or a third of it.
    pub(crate) fn repetitions(&self, full: usize) -> usize {
        if self.quick { full.div_ceil(3) } else { full }
    }
}
