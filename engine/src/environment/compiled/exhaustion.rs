//! Which parts of an environment have taken all the work that an evaluation may do.
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// Notes by all who evaluate. Nothing here orders other memory, so that relaxed operations do.
#[derive(Default)]
pub(crate) struct Exhaustion {
    /// Whether a part waits to be reported.
    waits: AtomicBool,
    /// How many evaluations of segments were cut.
    evaluations: AtomicU64,
    /// By the segment's place.
    segments: Box<[Report]>,
    options: Report,
}

/// How far the one report of a part is: [`NONE`], [`WAITS`] or [`GIVEN`].
#[derive(Default)]
struct Report(AtomicU8);

const NONE: u8 = 0;
const WAITS: u8 = 1;
const GIVEN: u8 = 2;

impl Report {
    fn note(&self) -> bool {
        self.0
            .compare_exchange(NONE, WAITS, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    fn take(&self) -> bool {
        self.0
            .compare_exchange(WAITS, GIVEN, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }
}

impl Exhaustion {
    pub(crate) fn new(segments: usize) -> Self {
        Self {
            segments: (0..segments).map(|_| Report::default()).collect(),
            ..Self::default()
        }
    }

    /// Notes that a segment did not match because the work was spent.
    #[cold]
    pub(crate) fn note_segment(&self, place: u32) {
        self.evaluations.fetch_add(1, Ordering::Relaxed);
        if self.segments.get(place as usize).is_some_and(Report::note) {
            self.waits.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that a multivariate feature answered its control value because the work was spent.
    #[cold]
    pub(crate) fn note_options(&self) {
        if self.options.note() {
            self.waits.store(true, Ordering::Relaxed);
        }
    }

    /// Whether something waits to be reported: one load.
    #[inline]
    pub(crate) fn waits(&self) -> bool {
        self.waits.load(Ordering::Relaxed)
    }

    pub(crate) fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// The places of the segments to report, and whether there are options to report; each once.
    pub(crate) fn take(&self) -> (Vec<usize>, bool) {
        self.waits.store(false, Ordering::Relaxed);
        let segments = self.segments.iter().enumerate();
        let segments = segments.filter(|(_, report)| report.take());
        (segments.map(|(place, _)| place).collect(), self.options.take())
    }
}

impl fmt::Debug for Exhaustion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exhaustion")
            .field("evaluations", &self.evaluations())
            .finish_non_exhaustive()
    }
}
