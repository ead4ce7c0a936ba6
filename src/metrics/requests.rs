//! What one worker counts of its requests.
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use actix_web::http::StatusCode;
use actors::counts::{Distribution, Histogram, nanoseconds};

use super::labels::{METHODS, MethodNumber, STATUSES, place_of_status};
use crate::routes::Patterns;

/// Bounds of durations, in nanoseconds: flags take some microseconds, what waits for upstream takes seconds.
const DURATIONS: [u64; 21] = [
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
    5_000_000_000,
    10_000_000_000,
    u64::MAX,
];

/// Bounds of bodies, in bytes: an error has a hundred, a document may have millions.
const SIZES: [u64; 12] = [
    100,
    250,
    500,
    1_000,
    2_500,
    5_000,
    10_000,
    50_000,
    250_000,
    1_000_000,
    10_000_000,
    u64::MAX,
];

/// The counts of one worker, which alone writes to them. What never happens takes no room.
#[derive(Debug)]
pub(crate) struct WorkerCounts {
    patterns: Arc<Patterns>,
    /// By route, and then by method.
    places: Vec<OnceLock<Box<ByStatus>>>,
}

type ByStatus = [OnceLock<Box<Series>>; STATUSES.len()];

/// Requests of one route and method with one status. It begins at a cache line, so that no other thread's writes share one
/// with its first numbers.
#[derive(Debug)]
#[repr(align(64))]
struct Series {
    durations: Histogram<{ DURATIONS.len() }>,
    /// Of those whose body has a known size.
    sizes: Histogram<{ SIZES.len() }>,
}

impl WorkerCounts {
    /// With nothing counted.
    pub(super) fn new(patterns: Arc<Patterns>) -> Self {
        let places = patterns.count() * METHODS.len();
        Self {
            patterns,
            places: std::iter::repeat_with(OnceLock::new).take(places).collect(),
        }
    }

    /// Whether these are the patterns that it counts by.
    pub(super) fn is_of(&self, patterns: &Patterns) -> bool {
        *self.patterns == *patterns
    }

    /// Counts a request; `path` as the router read it, `bytes` of the answer's body where they are known.
    pub(crate) fn count(
        &self,
        path: &str,
        method: MethodNumber,
        status: StatusCode,
        duration: Duration,
        bytes: Option<u64>,
    ) {
        let place = self.patterns.find(path) * METHODS.len() + usize::from(method.0);
        let Some(by_status) = self.places.get(place) else {
            return;
        };
        let by_status = by_status.get_or_init(|| Box::new(std::array::from_fn(|_| OnceLock::new())));
        let Some(series) = by_status.get(place_of_status(status)) else {
            return;
        };
        let series = series.get_or_init(Box::default);
        series.durations.observe_alone(nanoseconds(duration));
        if let Some(bytes) = bytes {
            series.sizes.observe_alone(bytes);
        }
    }

    /// Adds what was counted so far.
    pub(super) fn add_to(&self, totals: &mut RequestTotals) {
        for (place, by_status) in self.places.iter().enumerate() {
            let Some(by_status) = by_status.get() else {
                continue;
            };
            let (route, method) = (place / METHODS.len(), place % METHODS.len());
            for (status, series) in by_status.iter().enumerate() {
                let Some(series) = series.get() else { continue };
                let route = self.patterns.name(route).to_owned();
                let sums = totals.0.entry((route, method, status)).or_insert_with(Sums::none);
                sums.durations.add(&series.durations.read());
                sums.sizes.add(&series.sizes.read());
            }
        }
    }
}

impl Default for Series {
    fn default() -> Self {
        Self {
            durations: Histogram::new(&DURATIONS),
            sizes: Histogram::new(&SIZES),
        }
    }
}

/// What all workers together have counted: by route, method and status.
#[derive(Debug, Default)]
pub(super) struct RequestTotals(BTreeMap<(String, usize, usize), Sums>);

/// The sums of one [`Series`].
#[derive(Debug)]
pub(super) struct Sums {
    /// Nanoseconds. Each request is in one bucket.
    pub(super) durations: Distribution,
    /// Bytes.
    pub(super) sizes: Distribution,
}

impl Sums {
    fn none() -> Self {
        let Series { durations, sizes } = Series::default();
        Self {
            durations: durations.read(),
            sizes: sizes.read(),
        }
    }
}

impl RequestTotals {
    /// The sums with their labels: route, method and status.
    pub(super) fn series(&self) -> impl Iterator<Item = ([&str; 3], &Sums)> + Clone {
        self.0.iter().map(|((route, method, status), sums)| {
            let method = METHODS.get(*method).copied().unwrap_or_default();
            let status = STATUSES.get(*status).copied().unwrap_or_default();
            ([route.as_str(), method, status], sums)
        })
    }
}
