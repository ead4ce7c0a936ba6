//! What a request costs the server, beside the same server without the part in question.
//!
//! `cargo run --release -p bench -- replica-message [--rounds N] [--seconds S]`
//!
//! CPU time per request of the server's process holds on a noisy machine where requests per second do not; rounds of
//! the servers compared are interleaved, and medians are printed.
//!
//! # Layout
//! - `comparison`: interleaved rounds and their table.
//! - `load`: the client.
//! - `cpu`: the server's CPU time.
//! - `child`: servers as processes of their own.
//! - `replica_message`: the same handler with and without asking the replica.
//! - `documents`: what is served.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to go on with"
)]
use std::process::ExitCode;
use std::time::Duration;

mod child;
mod comparison;
mod cpu;
mod documents;
mod load;
mod replica_message;

use comparison::Plan;

const USAGE: &str = "usage: bench replica-message [--rounds N] [--seconds S]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        // How this program starts the servers it measures.
        [child::SERVE, server] => replica_message::serve(server),
        ["replica-message", options @ ..] => match plan(options) {
            Some(plan) => replica_message::run(&plan),
            None => usage(),
        },
        _ => usage(),
    }
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(64)
}

fn plan(options: &[&str]) -> Option<Plan> {
    let mut plan = Plan::default();
    for option in options.chunks(2) {
        match option {
            ["--rounds", value] => plan.rounds = value.parse().ok().filter(|rounds| *rounds > 0)?,
            ["--seconds", value] => plan.round = Duration::from_secs_f64(value.parse().ok()?),
            _ => return None,
        }
    }
    Some(plan)
}
