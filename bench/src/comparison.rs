//! Interleaved rounds of several servers, and their table.
use std::io;
use std::time::Duration;

use crate::child::Server;
use crate::{cpu, load};

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Rounds, each of which drives every server once.
    pub rounds: usize,
    /// How long each server is driven in a round.
    pub round: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 9,
            round: Duration::from_secs(5),
        }
    }
}

/// One server and what it is asked.
pub struct Subject {
    /// As the table names it.
    pub name: &'static str,
    /// The running server.
    pub server: Server,
    /// The request, as it is written to the socket.
    pub request: Vec<u8>,
}

/// What one server's requests cost, over all rounds.
#[derive(Debug, Clone)]
pub struct Cost {
    /// As the table names it.
    pub name: &'static str,
    /// Microseconds of server CPU per request, sorted.
    microseconds: Vec<f64>,
}

impl Cost {
    /// The value below which this part of the rounds lie, in microseconds.
    pub fn quantile(&self, part: f64) -> f64 {
        let last = self.microseconds.len().saturating_sub(1);
        // Exact for the few rounds there are.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let index = (last as f64 * part).round() as usize;
        self.microseconds.get(index).copied().unwrap_or(f64::NAN)
    }
}

/// Measures all subjects; the order within a round alternates, so that none always comes first.
pub fn measure(subjects: &[Subject], plan: &Plan) -> io::Result<Vec<Cost>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut costs: Vec<Cost> = subjects
        .iter()
        .map(|subject| Cost {
            name: subject.name,
            microseconds: Vec::new(),
        })
        .collect();
    for round in 0..=plan.rounds {
        let mut turns: Vec<_> = subjects.iter().zip(&mut costs).collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        for (subject, cost) in turns {
            let before = cpu::time(subject.server.process());
            let answered =
                runtime.block_on(load::drive(subject.server.address, &subject.request, plan.round))?;
            let spent = cpu::time(subject.server.process()).saturating_sub(before);
            // The first round warms caches and allocators.
            if round > 0 {
                #[allow(clippy::cast_precision_loss)]
                cost.microseconds
                    .push(spent.as_secs_f64() * 1e6 / answered as f64);
            }
        }
    }
    for cost in &mut costs {
        cost.microseconds.sort_by(f64::total_cmp);
    }
    Ok(costs)
}

/// Prints the costs, each beside the first.
pub fn print(costs: &[Cost]) {
    println!(
        "{:<42} {:>10} {:>17} {:>7}",
        "server CPU per request", "median", "quartiles", "ratio"
    );
    let base = costs.first().map_or(f64::NAN, |cost| cost.quantile(0.5));
    for cost in costs {
        let (median, low, high) = (cost.quantile(0.5), cost.quantile(0.25), cost.quantile(0.75));
        println!(
            "{:<42} {median:>7.2} us {low:>7.2} – {high:<7.2} {:>7.3}",
            cost.name,
            median / base
        );
    }
}
