//! The signals that ask the process to stop or to read its configuration again, and those that must not end it.
use std::ffi::c_int;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use actix_rt::signal::unix::{Signal, SignalKind, signal};
use futures::Stream;
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::flag::{register, register_conditional_shutdown};

/// Signals that supervisors, log rotation and people send to servers of all kinds. The system's default is to kill; here
/// each has one line.
const WITHOUT_EFFECT: [(c_int, &str); 2] = [
    (
        SIGUSR1,
        "SIGUSR1 has no effect: the log goes to standard error, and there is no file to open anew",
    ),
    (
        SIGUSR2,
        "SIGUSR2 has no effect: to replace the program, start the new one and stop this one",
    ),
];

/// A signal that asks the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM: an orchestrator asks, and goes on sending requests for some seconds.
    Terminate,
    /// SIGQUIT: the same, as those ask who know nginx and Python's servers.
    Quit,
    /// SIGINT: a person asks, at a terminal.
    Interrupt,
}

impl StopSignal {
    /// The exit code of a process that ends by it: 128 and its number, as shells have it.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 143,
            Self::Quit => 131,
            Self::Interrupt => 130,
        }
    }
}

/// Has a write past the limit of a file's size (ulimit -f) fail, as on a full disk, which whoever writes tells of: the system's
/// default is to kill, without a word. For every command, before it writes anything.
///
/// # Errors
/// Where the system refuses a handler.
pub fn outlive_limits_of_files() -> io::Result<()> {
    register(SIGXFSZ, Arc::default()).map(drop)
}

/// The beginning of a process, in which a stop signal ends it at once, with 0: there is nothing to stop yet. Other signals
/// end nothing from now on.
///
/// The first process of a container does not get a signal that it has no handler for, so this comes before anything else. It
/// needs no thread and no runtime, and holds where reading the configuration blocks.
#[derive(Debug)]
pub struct Beginning {
    is_so: Arc<AtomicBool>,
    /// Whether SIGHUP has come.
    hang_up: Arc<AtomicBool>,
    /// Which of [`WITHOUT_EFFECT`] have come, in their order.
    has_come: [Arc<AtomicBool>; WITHOUT_EFFECT.len()],
}

impl Beginning {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn start() -> io::Result<Self> {
        let beginning = Self {
            is_so: Arc::new(AtomicBool::new(true)),
            hang_up: Arc::default(),
            has_come: Default::default(),
        };
        register(SIGHUP, Arc::clone(&beginning.hang_up))?;
        for signal in [SIGTERM, SIGQUIT, SIGINT] {
            register_conditional_shutdown(signal, 0, Arc::clone(&beginning.is_so))?;
        }
        for ((signal, _), has_come) in WITHOUT_EFFECT.iter().zip(&beginning.has_come) {
            register(*signal, Arc::clone(has_come))?;
        }
        Ok(beginning)
    }

    /// Ends it: from now on the signals wait for whoever reads what this gives. Logs which have come so far without effect.
    /// Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn end(self) -> io::Result<Signals> {
        let stop = StopSignals::install()?;
        let signal = signal(SignalKind::hangup())?;
        self.is_so.store(false, Ordering::SeqCst);
        for ((_, line), has_come) in WITHOUT_EFFECT.iter().zip(&self.has_come) {
            if has_come.load(Ordering::SeqCst) {
                log::warn!("{line}");
            }
        }
        // Whether the configuration was read before or after it nobody knows.
        let has_come = self.hang_up.load(Ordering::SeqCst);
        let hang_ups = HangUps { signal, has_come };
        Ok(Signals { stop, hang_ups })
    }
}

/// The signals that mean something to the process.
#[derive(Debug)]
pub struct Signals {
    /// Those that ask it to stop.
    pub stop: StopSignals,
    /// Those that ask it to read its configuration again.
    pub hang_ups: HangUps,
}

/// SIGHUP, each time that it comes; several at once are one. This stream never ends.
#[derive(Debug)]
pub struct HangUps {
    signal: Signal,
    /// One came before this stream.
    has_come: bool,
}

impl Stream for HangUps {
    type Item = ();

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<()>> {
        if std::mem::take(&mut self.has_come) {
            return Poll::Ready(Some(()));
        }
        self.signal.poll_recv(cx)
    }
}

/// The stop signals that the process gets, as they come; this stream never ends. While it is polled, it logs which other
/// signals have come.
#[derive(Debug)]
pub struct StopSignals {
    stop: [(StopSignal, Signal); 3],
    without_effect: Vec<(&'static str, Signal)>,
}

impl StopSignals {
    /// Takes the signals from now on: none ends the process by itself any more, and one that comes before this stream is
    /// read waits for it. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn install() -> io::Result<Self> {
        let without_effect = WITHOUT_EFFECT.iter().map(|(number, line)| {
            let signal = signal(SignalKind::from_raw(*number))?;
            io::Result::Ok((*line, signal))
        });
        Ok(Self {
            stop: [
                (StopSignal::Terminate, signal(SignalKind::terminate())?),
                (StopSignal::Quit, signal(SignalKind::quit())?),
                (StopSignal::Interrupt, signal(SignalKind::interrupt())?),
            ],
            without_effect: without_effect.collect::<io::Result<_>>()?,
        })
    }
}

impl Stream for StopSignals {
    type Item = StopSignal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StopSignal>> {
        for (line, signal) in &mut self.without_effect {
            while signal.poll_recv(cx).is_ready() {
                log::warn!("{line}");
            }
        }
        for (asked, signal) in &mut self.stop {
            if signal.poll_recv(cx).is_ready() {
                return Poll::Ready(Some(*asked));
            }
        }
        Poll::Pending
    }
}
