//! What a worker has counted of its requests: by route, method and status.
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use actix_web::http::StatusCode;
use actors::counts::{Bounds, Distribution, Histogram};

use super::labels::{METHODS, MethodNumber, STATUSES, place_of_status};
use crate::routes::Patterns;

/// Bounds of durations, in nanoseconds: flags take some microseconds, what waits for upstream takes seconds.
#[derive(Debug)]
struct Durations;

impl Bounds<21> for Durations {
    const BOUNDS: &'static [u64; 21] = &[
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
}

/// Bounds of bodies, in bytes: an error has a hundred, a document may have millions.
#[derive(Debug)]
struct Sizes;

impl Bounds<12> for Sizes {
    const BOUNDS: &'static [u64; 12] = &[
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
}

/// The counts of one worker, which alone writes to them. What never happens takes no room.
#[derive(Debug)]
pub(super) struct RequestCounts {
    pub(super) patterns: Arc<Patterns>,
    /// By route, and then by method.
    places: Vec<OnceLock<Box<ByStatus>>>,
}

type ByStatus = [OnceLock<Arc<Series>>; STATUSES.len()];

/// Requests of one route and method with one status.
#[derive(Debug, Default)]
pub(super) struct Series {
    /// Nanoseconds.
    durations: Histogram<Durations, 21>,
    /// Bytes of those whose body has a known size.
    sizes: Histogram<Sizes, 12>,
}

impl Series {
    /// Counts one; `bytes` of its body, where they are known.
    pub(super) fn count(&self, nanoseconds: u64, bytes: Option<u64>) {
        self.durations.observe_alone(nanoseconds);
        if let Some(bytes) = bytes {
            self.sizes.observe_alone(bytes);
        }
    }
}

impl RequestCounts {
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

    /// That of requests of this route, by its number; `None`: there is no such route.
    pub(super) fn series(
        &self,
        route: usize,
        method: MethodNumber,
        status: StatusCode,
    ) -> Option<Arc<Series>> {
        let by_status = self.places.get(route * METHODS.len() + method.place())?;
        let by_status = by_status.get_or_init(|| Box::new(std::array::from_fn(|_| OnceLock::new())));
        let series = by_status.get(place_of_status(status))?;
        Some(Arc::clone(series.get_or_init(Arc::default)))
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
