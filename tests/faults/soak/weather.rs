//! What upstream does in the course of time.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use crate::harness::environments::{good, json_answer};

type Answering = fn(&ReceivedRequest, u32) -> Answer;

/// What upstream answers in place of a document.
const FAULTS: [Answering; 14] = [
    |_, _| Answer::status(500),
    |_, _| Answer::refusal(502, "<html></html>").header("Content-Type", "text/html"),
    |_, _| Answer::status(429).header("Retry-After", 2),
    |_, _| Answer::status(404),
    |_, _| Answer::hang(),
    |_, _| Answer::reset(),
    |_, _| Answer::raw("").closing(),
    |_, _| json_answer("{}"),
    |_, _| json_answer("[[[[").truncated(),
    |_, _| json_answer("[[[[").stalling(),
    |_, _| json_answer("no gzip").header("Content-Encoding", "gzip"),
    |_, _| Answer::status(302).header("Location", "http://127.0.0.1:1/"),
    |_, _| Answer::raw("SSH-2.0-OpenSSH_9.6\r\n\r\n").closing(),
    |_, _| json_answer(vec![b'['; 1_000_000]),
];

/// An upstream that changes its document, fails in many ways, and goes down now and then.
pub(super) struct Weather {
    upstream: Arc<ScriptedUpstream>,
    version: Arc<AtomicU32>,
    spells: AtomicU64,
    outages: AtomicU64,
    faults: Arc<AtomicU64>,
}

impl Weather {
    /// Upstream is well, with its first version.
    pub(super) fn over(upstream: Arc<ScriptedUpstream>) -> Self {
        let weather = Self {
            upstream,
            version: Arc::new(AtomicU32::new(1)),
            spells: AtomicU64::new(0),
            outages: AtomicU64::new(0),
            faults: Arc::default(),
        };
        weather.is_well();
        weather
    }

    /// The newest version that upstream has.
    pub(super) fn version(&self) -> u32 {
        self.version.load(Ordering::SeqCst)
    }

    /// Bad answers so far.
    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Changes until then, and ends well.
    pub(super) fn change_until(&self, end: Instant) {
        while Instant::now() < end {
            self.version.fetch_add(1, Ordering::SeqCst);
            match fastrand::u8(0..10) {
                0 => {
                    self.outages.fetch_add(1, Ordering::Relaxed);
                    self.upstream.go_down();
                    sleep(500..3000, end);
                    self.upstream.come_up();
                }
                1..=5 => {
                    self.spells.fetch_add(1, Ordering::Relaxed);
                    let (fault, faults) =
                        (FAULTS[fastrand::usize(0..FAULTS.len())], Arc::clone(&self.faults));
                    self.upstream.script(move |request| {
                        faults.fetch_add(1, Ordering::Relaxed);
                        fault(request, 0)
                    });
                    sleep(500..3000, end);
                }
                _ => {}
            }
            self.is_well();
            sleep(500..4000, end);
        }
        self.is_well();
    }

    fn is_well(&self) {
        let version = Arc::clone(&self.version);
        self.upstream
            .script(move |request| match request.method.as_str() {
                // What was counted.
                "POST" => json_answer("{}"),
                _ => good(request, version.load(Ordering::SeqCst)),
            });
    }
}

fn sleep(milliseconds: std::ops::Range<u64>, end: Instant) {
    let left = end.saturating_duration_since(Instant::now());
    thread::sleep(Duration::from_millis(fastrand::u64(milliseconds)).min(left));
}

impl fmt::Display for Weather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} changes, {} spells of {} bad answers, {} outages of upstream",
            self.version(),
            self.spells.load(Ordering::Relaxed),
            self.faults(),
            self.outages.load(Ordering::Relaxed)
        )
    }
}
