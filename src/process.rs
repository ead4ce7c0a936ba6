//! What the system says of the process, for metrics, for the status page and at the start.
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::param::{clock_ticks_per_second, page_size};

use crate::server::open_files;

/// The process at one moment; what the system does not tell is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ProcessReading {
    /// Seconds of processor time, user's and system's.
    pub cpu_seconds: Option<f64>,
    /// Bytes in memory.
    pub resident_bytes: Option<u64>,
    /// Bytes of addresses.
    pub virtual_bytes: Option<u64>,
    /// Open descriptors.
    pub open_descriptors: Option<u64>,
    /// How many may be open.
    pub most_descriptors: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
}

/// What the process has been told of its start, which never changes: the system's clock does.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started(Option<f64>);

impl Started {
    /// Asks the system once.
    pub(crate) fn find() -> Self {
        let since_boot = stat().and_then(|stat| stat.started);
        let up = read("/proc/uptime").and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        let age = up
            .zip(since_boot)
            .map(|(up, since_boot)| (up - since_boot).max(0.0));
        Self(age.map(|age| now.as_secs_f64() - age))
    }

    /// When it was, in seconds since 1970; `None`: the system does not tell.
    pub(crate) fn seconds(self) -> Option<f64> {
        self.0
    }
}

impl ProcessReading {
    /// Asks the system. It takes some microseconds, however many descriptors are open.
    pub(crate) fn take() -> Self {
        let stat = stat().unwrap_or_default();
        Self {
            cpu_seconds: stat.cpu_seconds,
            resident_bytes: stat.resident_bytes,
            virtual_bytes: stat.virtual_bytes,
            open_descriptors: open_descriptors(),
            most_descriptors: u64::try_from(open_files::limit()).ok(),
            threads: stat.threads,
        }
    }
}

/// `/proc/self/stat` (proc_pid_stat(5)).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Stat {
    cpu_seconds: Option<f64>,
    threads: Option<u64>,
    /// Seconds after the start of the system.
    started: Option<f64>,
    virtual_bytes: Option<u64>,
    resident_bytes: Option<u64>,
}

fn stat() -> Option<Stat> {
    parse_stat(&read("/proc/self/stat")?)
}

fn read(path: &str) -> Option<String> {
    fs::read_to_string(path).ok()
}

fn parse_stat(text: &str) -> Option<Stat> {
    // The name before it, in parentheses, may hold anything.
    let (_, fields) = text.rsplit_once(')')?;
    // The first of them is the third of all.
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let field = |number: usize| fields.get(number.checked_sub(3)?)?.parse::<u64>().ok();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 ticks")]
    let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second().max(1) as f64;
    let bytes = |pages: u64| pages.checked_mul(u64::try_from(page_size()).ok()?);
    Some(Stat {
        cpu_seconds: field(14)
            .zip(field(15))
            .map(|(user, system)| seconds(user.saturating_add(system))),
        threads: field(20),
        started: field(22).map(seconds),
        virtual_bytes: field(23),
        resident_bytes: field(24).and_then(bytes),
    })
}

/// How many descriptors are open. Linux tells it as the size of the folder that lists them (proc_pid_fd(5), since 6.2); before
/// that they are counted, which takes the longer the more there are.
pub(crate) fn open_descriptors() -> Option<u64> {
    const LISTED: &str = "/proc/self/fd";
    let size = fs::metadata(LISTED).ok()?.len();
    if size > 0 {
        return Some(size);
    }
    let listed = fs::read_dir(LISTED).ok()?.count();
    // One of them is the folder's own.
    u64::try_from(listed).ok()?.checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_hold_anything() {
        let text =
            "7 (a) b) (c) S 1 7 7 0 -1 4194304 10 0 0 0 250 50 0 0 20 0 3 0 1000 8192 2 18446744073709551615";
        let stat = parse_stat(text).unwrap();
        let per_second = clock_ticks_per_second() as f64;
        assert_eq!(stat.cpu_seconds, Some(300.0 / per_second));
        assert_eq!((stat.threads, stat.started), (Some(3), Some(1000.0 / per_second)));
        assert_eq!(stat.virtual_bytes, Some(8192));
        assert_eq!(stat.resident_bytes, Some(2 * page_size() as u64));
        assert_eq!(parse_stat("7 (a) S"), Some(Stat::default()));
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_of_this_process() {
        let started = Started::find();
        let before = ProcessReading::take();
        let files: Vec<_> = (0..100).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        let after = ProcessReading::take();
        // Other tests open and close some meanwhile, and no test opens so many.
        assert!((100..100_000).contains(&after.open_descriptors.unwrap()));
        assert!(after.most_descriptors.unwrap() > 100);
        drop(files);
        assert!(after.cpu_seconds >= before.cpu_seconds && after.cpu_seconds.is_some());
        assert!(after.resident_bytes.unwrap() > 1_000_000);
        assert!(after.virtual_bytes >= after.resident_bytes && after.threads.unwrap() > 1);
        let age = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs_f64()
            - started.seconds().unwrap();
        assert!((-1.0..3_600.0 * 24.0).contains(&age), "{age} s old");
    }
}
