//! Memory and descriptors of the program.
use std::fmt;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::Proxy;

/// What the program held, as the median of some seconds.
pub(super) struct Figures {
    pub(super) resident_kib: u64,
    descriptors: usize,
}

const SAMPLES: usize = 15;
const BETWEEN: Duration = Duration::from_millis(200);

impl Figures {
    /// Those of the seconds before this moment.
    pub(super) fn around(moment: Instant, proxy: &Proxy) -> Self {
        let begin = moment - BETWEEN * SAMPLES as u32;
        thread::sleep(begin.saturating_duration_since(Instant::now()));
        let (mut memory, mut descriptors) = (Vec::new(), Vec::new());
        for _ in 0..SAMPLES {
            memory.push(proxy.resident_kib());
            descriptors.push(proxy.descriptors());
            thread::sleep(BETWEEN);
        }
        memory.sort_unstable();
        descriptors.sort_unstable();
        Self {
            resident_kib: memory[SAMPLES / 2],
            descriptors: descriptors[SAMPLES / 2],
        }
    }

    pub(super) fn growth_since(&self, early: &Self) -> f64 {
        self.resident_kib as f64 / early.resident_kib as f64
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} KiB, {} descriptors", self.resident_kib, self.descriptors)
    }
}

/// The descriptors when they are down to so many, or no longer change.
pub(super) fn settled_descriptors(proxy: &Proxy, expected: usize) -> usize {
    const PATIENCE: Duration = Duration::from_secs(30);
    let begun = Instant::now();
    let mut least = proxy.descriptors();
    // With a fetch at its height there is one connection more.
    while begun.elapsed() < Duration::from_secs(3) || (least > expected && begun.elapsed() < PATIENCE) {
        thread::sleep(BETWEEN);
        let now = proxy.descriptors();
        least = if expected == usize::MAX {
            least.max(now)
        } else {
            least.min(now)
        };
    }
    least
}
