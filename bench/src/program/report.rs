//! The rows, printed as they come and gathered for `BENCHMARKS.md`.
use std::fmt::Write;

use bench::comparison::{Cost, Plan};
use bench::statistics::Sample;

use super::limits::Limits;
use super::machine;
use super::options::Options;

/// Gathers rows.
#[derive(Debug)]
pub(crate) struct Report {
    limits: Limits,
    command: String,
    comparisons: Vec<String>,
    others: Vec<String>,
    growth: Vec<String>,
    exceeded: Vec<String>,
}

impl Report {
    /// A report without rows.
    pub(crate) fn new(options: &Options, limits: Limits) -> Self {
        let Options { plan, quick, .. } = options;
        let (rounds, seconds) = (plan.rounds, plan.round.as_secs_f64());
        let command = match quick {
            true => "`bench --quick`: for development, no number to quote".to_owned(),
            false if *plan == Plan::default() => {
                format!("`make bench`, {rounds} interleaved rounds of {seconds} s")
            }
            false => format!("`bench --rounds {rounds} --seconds {seconds}`, interleaved"),
        };
        Self {
            limits,
            command,
            comparisons: Vec::new(),
            others: Vec::new(),
            growth: Vec::new(),
            exceeded: Vec::new(),
        }
    }

    /// A request's cost beside another's.
    pub(crate) fn compare(&mut self, name: &str, what: &str, own: &Cost, against: &str, other: &Cost) {
        let ratio = own.ratio_to(other);
        let limit = self.check(name, ratio.median());
        let median = |values: &[f64]| Sample::new(values.iter().copied()).median();
        let row = format!(
            "| {what} | {against} | {} | {} | **{:.3}** ({:.3}–{:.3}) | {limit} | {:.0} | {:.0} | {:.0} |",
            quartiles(&own.cpu()),
            quartiles(&other.cpu()),
            ratio.median(),
            ratio.quantile(0.25),
            ratio.quantile(0.75),
            median(&own.rates),
            median(&own.p50),
            median(&own.p99),
        );
        eprintln!("{row}");
        self.comparisons.push(row);
    }

    /// Something measured in a unit of its own; its limit is in the same one.
    pub(crate) fn measured(&mut self, name: &str, what: &str, value: &Sample, unit: &str) {
        let limit = self.check(name, value.median());
        let row = format!(
            "| {what} | {} ({}–{}) {unit} | {limit} |",
            number(value.median()),
            number(value.quantile(0.25)),
            number(value.quantile(0.75))
        );
        eprintln!("{row}");
        self.others.push(row);
    }

    /// A row of the table of growth.
    pub(crate) fn grows(&mut self, what: &str, steps: &[(usize, f64)], slope: &str) {
        let steps: Vec<String> = steps
            .iter()
            .map(|(size, micros)| format!("{size}: {}", number(*micros)))
            .collect();
        let row = format!("| {what} | {} | {slope} |", steps.join(" · "));
        eprintln!("{row}");
        self.growth.push(row);
    }

    /// The limits that were exceeded.
    pub(crate) fn exceeded(&self) -> Vec<String> {
        self.exceeded.clone()
    }

    fn check(&mut self, name: &str, value: f64) -> String {
        let Some(limit) = self.limits.of(name) else {
            return "–".to_owned();
        };
        // A value that could not be had is no value below the limit.
        if value.is_nan() || value > limit {
            self.exceeded
                .push(format!("{name}: {} of at most {}", number(value), number(limit)));
        }
        number(limit)
    }

    /// The whole report.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from("# Benchmarks\n\n");
        let mut line = |line: &str| {
            // Writing to memory does not fail.
            let _ = writeln!(text, "{line}");
        };
        line(&format!("Machine: {}.  ", machine::machine()));
        line(&format!("Commit: {}.  ", machine::commit()));
        line(&format!(
            "Command: {}; medians, quartiles in brackets.\n",
            self.command
        ));
        line(
            "Load comes over 32 kept connections from one thread of the same machine: requests a second say how loaded",
        );
        line(
            "that machine was; CPU per request and its ratio say what a request costs. The bare handler is an actix-web",
        );
        line(
            "server of the same build settings and as many workers, without middleware, that answers with a ready body of",
        );
        line("the same bytes and the same headers as constants (`bench/src/bin/bare.rs`).\n");
        line("## Requests\n");
        line(
            "| request | compared with | CPU µs | other's µs | ratio | at most | requests/s | p50 µs | p99 µs |",
        );
        line("|---|---|---|---|---|---|---|---|---|");
        self.comparisons.iter().for_each(|row| line(row));
        line("\n## Start, memory, applying, evaluating\n");
        line("| what | measured | at most |");
        line("|---|---|---|");
        self.others.iter().for_each(|row| line(row));
        line("\n## Cost as work grows\n");
        line("Microseconds an evaluation with its answer's bytes, the request parsed.\n");
        line("| what grows | size: µs | why |");
        line("|---|---|---|");
        self.growth.iter().for_each(|row| line(row));
        text
    }
}

fn quartiles(sample: &Sample) -> String {
    format!(
        "{:.2} ({:.2}–{:.2})",
        sample.median(),
        sample.quantile(0.25),
        sample.quantile(0.75)
    )
}

/// With as many digits as say something.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        magnitude if magnitude >= 100.0 => format!("{value:.0}"),
        magnitude if magnitude >= 10.0 => format!("{value:.1}"),
        magnitude if magnitude >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
