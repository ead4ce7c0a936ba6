//! The rows, printed as they come and gathered for `BENCHMARKS.md`.
use std::fmt::{self, Write};

use bench::comparison::{Cost, Plan};
use bench::statistics::Sample;

use super::limits::Limits;
use super::machine;
use super::options::Options;

/// A client's request and its answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// The client's name and version.
    pub client: &'a str,
    /// The request in words.
    pub what: &'a str,
    /// Bytes of the request, head and body.
    pub request: usize,
    /// Bytes of the answer's body, and its content coding.
    pub answer: &'a str,
}

/// Gathers rows.
#[derive(Debug)]
pub(crate) struct Report {
    limits: Limits,
    command: String,
    comparisons: Vec<String>,
    clients: Vec<String>,
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
        // Every proxy that is started has the variables of this program.
        let command = match std::env::var("ADMIN") {
            Ok(admin) => format!("{command}, with metrics on everywhere (`ADMIN={admin}`)"),
            Err(_) => command,
        };
        Self {
            limits,
            command,
            comparisons: Vec::new(),
            clients: Vec::new(),
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
            "| {what} | {against} | {} | {} | {} | {limit} | {:.0} | {:.0} | {:.0} |",
            quartiles(&own.cpu()),
            quartiles(&other.cpu()),
            ratio_with_quartiles(&ratio),
            median(&own.rates),
            median(&own.p50),
            median(&own.p99),
        );
        eprintln!("{row}");
        self.comparisons.push(row);
    }

    /// A client's request, beside a bare handler on actix-web's server and on the proxy's own.
    pub(crate) fn client(
        &mut self,
        name: &str,
        asked: &Asked<'_>,
        own: &Cost,
        on_actix: &Cost,
        on_proxy: &Cost,
    ) {
        let beside = |other: &Cost| (quartiles(&other.cpu()), own.ratio_to(other));
        let ((on_actix, to_actix), (on_proxy, to_proxy)) = (beside(on_actix), beside(on_proxy));
        let limit = self.check(name, to_actix.median());
        let Asked {
            client,
            what,
            request,
            answer,
        } = asked;
        let row = format!(
            "| {client} | {what} | {request} | {answer} | {} | {on_actix} | {} | {limit} | {on_proxy} | {} |",
            quartiles(&own.cpu()),
            ratio_with_quartiles(&to_actix),
            ratio_with_quartiles(&to_proxy),
        );
        eprintln!("{row}");
        self.clients.push(row);
    }

    /// A row that could not be had. It counts as one above its limit.
    pub(crate) fn failed(&mut self, name: &str, error: &dyn fmt::Display) {
        let row = format!("| {name} | not measured: {error} | – |");
        eprintln!("{row}");
        self.others.push(row);
        self.exceeded.push(format!("{name}: not measured: {error}"));
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

    /// The same for what several rows come to: how many times one thing another is.
    pub(crate) fn ratio(&mut self, name: &str, what: &str, ratio: &Sample) {
        let limit = self.check(name, ratio.median());
        let row = format!("| {what} | {} × | {limit} |", ratio_with_quartiles(ratio));
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
                .push(format!("{name}: {value:.3} of at most {limit:.3}"));
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
        line("\n## Requests as SDKs send them\n");
        line(
            "Sizing, in no segment; the heads, byte by byte, are in `bench/src/clients.rs`. The bare handler runs on actix-web's",
        );
        line(
            "`HttpServer` and on the proxy's own server: what is between the two is the server's part of a request, what the",
        );
        line("proxy costs beyond the second is that of layers and routes.\n");
        line(
            "| client | request | its bytes | the answer's body | CPU µs | bare on actix-web's server µs | ratio | at most | bare on the proxy's server µs | ratio |",
        );
        line("|---|---|---|---|---|---|---|---|---|---|");
        self.clients.iter().for_each(|row| line(row));
        line("\n## Sizes, start, memory, applying, evaluating\n");
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

fn ratio_with_quartiles(ratio: &Sample) -> String {
    format!(
        "**{:.3}** ({:.3}–{:.3})",
        ratio.median(),
        ratio.quantile(0.25),
        ratio.quantile(0.75)
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
