//! Interleaved rounds of several servers.
use std::io;
use std::rc::Rc;
use std::time::Duration;

use test_support::http::Request;
use tokio::runtime::Runtime;

use crate::child::Server;
use crate::load::Round;
use crate::statistics::Sample;
use crate::{cpu, load};

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Rounds, each of which drives every server once.
    pub rounds: usize,
    /// How long each server is driven in a round.
    pub round: Duration,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            rounds: 7,
            round: Duration::from_secs(2),
        }
    }
}

/// One server and what it is asked.
pub struct Subject {
    /// The running server, which other subjects may ask as well.
    pub server: Rc<Server>,
    /// The request.
    pub request: Request,
    /// Whether each request comes over a connection of its own.
    pub connects_anew: bool,
}

impl Subject {
    /// A server that is asked over kept connections.
    pub fn new(server: impl Into<Rc<Server>>, request: Request) -> Self {
        Self {
            server: server.into(),
            request,
            connects_anew: false,
        }
    }
}

/// What one server's requests cost, round by round.
#[derive(Debug, Clone, Default)]
pub struct Cost {
    /// Microseconds of server CPU per request.
    pub microseconds: Vec<f64>,
    /// Requests answered a second.
    pub rates: Vec<f64>,
    /// Microseconds to the answer, below which half of a round's requests were.
    pub p50: Vec<f64>,
    /// The same for 99 of 100.
    pub p99: Vec<f64>,
}

impl Cost {
    /// Microseconds of server CPU per request.
    pub fn cpu(&self) -> Sample {
        Sample::new(self.microseconds.iter().copied())
    }

    /// Adds the rounds of another one.
    pub fn add(&mut self, other: &Self) {
        self.microseconds.extend(&other.microseconds);
        self.rates.extend(&other.rates);
        self.p50.extend(&other.p50);
        self.p99.extend(&other.p99);
    }

    /// How many times another's cost this one's is, round by round: the rounds of one pair ran side by side.
    pub fn ratio_to(&self, other: &Self) -> Sample {
        Sample::new(
            self.microseconds
                .iter()
                .zip(&other.microseconds)
                .map(|(own, other)| own / other),
        )
    }
}

/// Measures all subjects.
///
/// # Errors
/// Where a server does not answer as it did first.
pub fn measure(subjects: &[&Subject], plan: &Plan) -> io::Result<Vec<Cost>> {
    let servers: Vec<&Server> = subjects.iter().map(|subject| &*subject.server).collect();
    measure_with(&servers, plan, |runtime, place, duration| {
        let Some(subject) = subjects.get(place) else {
            return Err(io::Error::other("no such subject"));
        };
        let driven = load::drive(&subject.server, &subject.request, subject.connects_anew, duration);
        runtime.block_on(driven)
    })
}

/// Measures servers that are driven in another way: by their place. The order within a round alternates, so that none
/// always comes first.
///
/// # Errors
/// Those of `drive`.
pub fn measure_with(
    servers: &[&Server],
    plan: &Plan,
    drive: impl Fn(&Runtime, usize, Duration) -> io::Result<Round>,
) -> io::Result<Vec<Cost>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut costs = vec![Cost::default(); servers.len()];
    for round in 0..=plan.rounds {
        let mut turns: Vec<_> = servers.iter().zip(&mut costs).enumerate().collect();
        if round % 2 == 1 {
            turns.reverse();
        }
        // The first round warms caches and allocators; it may be short.
        let duration = if round == 0 {
            plan.round.min(Duration::from_secs(1))
        } else {
            plan.round
        };
        for (place, (server, cost)) in turns {
            let before = cpu::time(server.process());
            let driven = drive(&runtime, place, duration)?;
            let spent = cpu::time(server.process()).saturating_sub(before);
            if round > 0 {
                // Far below 2^52 requests.
                #[allow(clippy::cast_precision_loss)]
                let answered = driven.answered as f64;
                cost.microseconds.push(spent.as_secs_f64() * 1e6 / answered);
                cost.rates.push(answered / duration.as_secs_f64());
                cost.p50.push(driven.latencies.median());
                cost.p99.push(driven.latencies.quantile(0.99));
            }
        }
    }
    Ok(costs)
}
