//! The clock that requests are measured by: the processor's own counter, where the kernel keeps time by it too.
//!
//! A look at the kernel's clock takes some 25 ns and waits until all instructions before it are done; one at the counter takes a
//! third of that. With two looks a request that is more than all the rest of what metrics do. How fast the counter goes is measured
//! first, on a thread of its own. Until then, and where it is not to be trusted, the kernel's clock serves. A counter that Linux gives
//! up later goes on here: durations are then as wrong as it is, and nothing else is.
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};
use std::{fs, thread};

use actors::counts::nanoseconds;
use quanta::Clock;

/// The counter, once it is known how fast it goes.
static COUNTER: OnceLock<Clock> = OnceLock::new();

/// Where Linux says what it keeps time by. That is one of the counters where it has found it to go evenly, and alike on all cores.
const KERNEL_KEEPS_TIME_BY: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// Linux's names of the counters that a process can read: of x86-64 and of AArch64.
const COUNTERS: [&str; 2] = ["tsc", "arch_sys_counter"];

/// A moment of this process, to be measured from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment(Reading);

#[derive(Debug, Clone, Copy)]
enum Reading {
    Counter(u64),
    Kernel(Instant),
}

impl Moment {
    /// This one.
    #[inline]
    pub(crate) fn now() -> Self {
        Self(match COUNTER.get() {
            Some(counter) => Reading::Counter(counter.raw()),
            None => Reading::Kernel(Instant::now()),
        })
    }

    /// How long ago it was, in nanoseconds, by the clock that it was read from.
    #[inline]
    pub(crate) fn elapsed(self) -> u64 {
        match (self.0, COUNTER.get()) {
            (Reading::Counter(then), Some(counter)) => counter.delta_as_nanos(then, counter.raw()),
            // Who has read it finds it again.
            (Reading::Counter(_), None) => 0,
            (Reading::Kernel(then), _) => nanoseconds(then.elapsed()),
        }
    }
}

/// Has the counter measured, once in a process. It takes 10 to 200 ms of another thread.
pub(super) fn measure_counter() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        let thread = thread::Builder::new().name("counter".to_owned());
        // Where there is no thread to be had the kernel's clock goes on.
        let _ = thread.spawn(|| {
            let counter = measured();
            let by = if counter.is_some() {
                "the processor's counter"
            } else {
                "the kernel's clock"
            };
            log::debug!("requests are measured by {by}");
            if let Some(counter) = counter {
                let _ = COUNTER.set(counter);
            }
        });
    });
}

fn measured() -> Option<Clock> {
    let kernel = fs::read_to_string(KERNEL_KEEPS_TIME_BY).ok()?;
    if !COUNTERS.contains(&kernel.trim()) {
        return None;
    }
    let counter = Clock::new();
    // A look that is interrupted says nothing of the counter.
    const LOOKS: usize = 3;
    (0..LOOKS).any(|_| is_right(&counter)).then_some(counter)
}

/// Whether it says of a while what the kernel says: a calibration that was interrupted is wrong.
fn is_right(counter: &Clock) -> bool {
    const WHILE: Duration = Duration::from_millis(20);
    let (then, raw) = (Instant::now(), counter.raw());
    thread::sleep(WHILE);
    agree(then.elapsed(), counter.delta(raw, counter.raw()))
}

/// To 1 %, which no bound of a histogram tells apart.
fn agree(kernel: Duration, counter: Duration) -> bool {
    kernel.abs_diff(counter) <= kernel / 100
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Passes some time.
    fn work() -> u64 {
        (0..200_000u64).fold(1, |sum, number| std::hint::black_box(sum ^ number))
    }

    #[test]
    fn a_counter_is_taken_only_where_it_agrees_with_the_kernel() {
        let kernel = Duration::from_millis(20);
        for (counter, agrees) in [
            (20_000, true),
            (19_801, true),
            (20_199, true),
            (19_799, false),
            (20_201, false),
            (0, false),
            (200_000, false),
        ] {
            assert_eq!(agree(kernel, Duration::from_micros(counter)), agrees, "{counter}");
        }
    }

    #[test]
    fn a_moment_is_measured_by_the_clock_that_it_was_read_from() {
        // The one clock and the other: the counter may come between the two readings of a request.
        let (before, moment) = (Instant::now(), Moment(Reading::Kernel(Instant::now())));
        match measured() {
            Some(counter) => {
                let _ = COUNTER.set(counter);
                assert!(matches!(Moment::now().0, Reading::Counter(_)));
            }
            None => eprintln!("not tested: this machine's counter"),
        }
        work();
        let (measured, most) = (moment.elapsed(), nanoseconds(before.elapsed()));
        assert!(0 < measured && measured <= most, "{measured} of {most}");

        // A machine that is busy may stop the test between two readings, so the inner one is the shorter one.
        let before = Instant::now();
        let moment = Moment::now();
        let inside = Instant::now();
        work();
        let least = nanoseconds(inside.elapsed());
        let measured = moment.elapsed();
        let most = nanoseconds(before.elapsed());
        assert!(
            least - least / 50 <= measured && measured <= most + most / 50,
            "{least}, {measured}, {most}"
        );
    }
}
