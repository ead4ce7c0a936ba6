//! Counters that whoever works writes to and whoever looks adds up: plain numbers, and nobody waits for anybody.
//!
//! They only tell how much of something there was, so no order with other memory is needed (`Relaxed`).
use std::marker::PhantomData;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// With nothing counted, for constants.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The same for a counter that one thread alone writes to: without a locked instruction, which costs 20 others.
    pub fn add_alone(&self, more: u64) {
        let sum = self.0.load(Ordering::Relaxed).wrapping_add(more);
        self.0.store(sum, Ordering::Relaxed);
    }

    /// How much was counted so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that goes up and down.
#[derive(Debug, Default)]
pub struct Level(AtomicU64);

impl Level {
    /// It is this from now on.
    pub fn set(&self, level: usize) {
        self.0
            .store(u64::try_from(level).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What it is.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The bounds of one kind of histogram.
pub trait Bounds<const N: usize> {
    /// In ascending order; the last one is the greatest number there is. The compiler knows them, so that a search reads no
    /// memory.
    const BOUNDS: &'static [u64; N];
}

/// How often values were up to each of `N` bounds, and their sum. It begins at a cache line, which has the sum and the counts of
/// low values, the most frequent ones.
#[derive(Debug)]
#[repr(C, align(64))]
pub struct Histogram<B, const N: usize> {
    sum: Counter,
    buckets: [Counter; N],
    bounds: PhantomData<B>,
}

impl<B: Bounds<N>, const N: usize> Default for Histogram<B, N> {
    fn default() -> Self {
        Self {
            sum: Counter::new(),
            buckets: std::array::from_fn(|_| Counter::new()),
            bounds: PhantomData,
        }
    }
}

impl<B: Bounds<N>, const N: usize> Histogram<B, N> {
    /// Counts a value.
    pub fn observe(&self, value: u64) {
        if let Some(bucket) = self.bucket(value) {
            bucket.add(1);
        }
        self.sum.add(value);
    }

    /// Counts a duration, in nanoseconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(nanoseconds(duration));
    }

    /// Counts a value in a histogram that one thread alone writes to.
    pub fn observe_alone(&self, value: u64) {
        if let Some(bucket) = self.bucket(value) {
            bucket.add_alone(1);
        }
        self.sum.add_alone(value);
    }

    /// From the lowest bound on: most values are small, and end the search at once.
    fn bucket(&self, value: u64) -> Option<&Counter> {
        let place = B::BOUNDS.iter().position(|bound| value <= *bound)?;
        self.buckets.get(place)
    }

    /// What was counted so far. A value that is counted meanwhile may be in it in part.
    pub fn read(&self) -> Distribution {
        Distribution {
            bounds: B::BOUNDS,
            counts: self.buckets.iter().map(Counter::get).collect(),
            sum: self.sum.get(),
        }
    }
}

/// What a [`Histogram`] held at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The greatest value of each bucket.
    pub bounds: &'static [u64],
    /// How many values are in each bucket, and in none below it.
    pub counts: Vec<u64>,
    /// The sum of all values.
    pub sum: u64,
}

impl Distribution {
    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.counts
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Adds what another histogram with the same bounds held.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.counts.iter_mut().zip(&other.counts) {
            *own = own.saturating_add(*other);
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// A duration as whole nanoseconds, which last for 584 years.
pub fn nanoseconds(duration: Duration) -> u64 {
    let seconds = duration.as_secs().saturating_mul(1_000_000_000);
    seconds.saturating_add(u64::from(duration.subsec_nanos()))
}

/// Bounds of work that takes a millisecond or much more, in nanoseconds: applying a document, bringing it to all workers,
/// telling thousands of subscribers.
#[derive(Debug)]
pub struct Work;

/// Of work.
pub type WorkHistogram = Histogram<Work, 16>;

impl Bounds<16> for Work {
    const BOUNDS: &'static [u64; 16] = &[
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
        10_000_000_000,
        u64::MAX,
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Few;

    impl Bounds<3> for Few {
        const BOUNDS: &'static [u64; 3] = &[10, 100, u64::MAX];
    }

    type Histogram = super::Histogram<Few, 3>;

    #[test]
    fn a_value_is_in_the_first_bucket_whose_bound_it_does_not_pass() {
        let histogram = Histogram::default();
        for value in [0, 10, 11, 100, 101, 5_000] {
            histogram.observe(value);
            histogram.observe_alone(value);
        }
        let read = histogram.read();
        assert_eq!(
            (read.counts.as_slice(), read.sum),
            ([4, 4, 4].as_slice(), 2 * 5_222)
        );
        assert_eq!(read.count(), 12);
        histogram.observe_duration(Duration::MAX);
        assert_eq!(histogram.read().counts, [4, 4, 5]);
    }

    #[test]
    fn distributions_are_added_bucket_by_bucket() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.observe(1);
        other.observe(1);
        other.observe(1_000);
        let mut sum = one.read();
        sum.add(&other.read());
        assert_eq!((sum.counts.as_slice(), sum.sum), ([2, 0, 1].as_slice(), 1_002));
    }

    #[test]
    fn what_several_threads_count_is_all_there() {
        let (counter, level) = (Counter::new(), Level::default());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..1_000).for_each(|_| counter.add(2)));
            }
        });
        counter.add_alone(1);
        level.set(7);
        assert_eq!((counter.get(), level.get()), (8_001, 7));
    }

    #[test]
    fn bounds_of_work_ascend_to_the_end() {
        assert!(Work::BOUNDS.is_sorted() && Work::BOUNDS.last() == Some(&u64::MAX));
    }
}
