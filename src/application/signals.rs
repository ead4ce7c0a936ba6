//! The signals that ask the process to stop.
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use actix_rt::signal::unix::{Signal, SignalKind, signal};
use futures::Stream;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag::register_conditional_shutdown;

/// A signal that asks the process to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopSignal {
    /// SIGTERM: an orchestrator asks, and goes on sending requests for some seconds.
    Terminate,
    /// SIGINT: a person asks, at a terminal.
    Interrupt,
}

impl StopSignal {
    /// The exit code of a process that ends by it: 128 and its number, as shells have it.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Terminate => 143,
            Self::Interrupt => 130,
        }
    }
}

/// The beginning of a process, in which a signal ends it at once, with 0: there is nothing to stop yet.
///
/// The first process of a container does not get a signal that it has no handler for, so this comes before anything else. It
/// needs no thread and no runtime, and holds where reading the configuration blocks.
#[derive(Debug)]
pub struct Beginning {
    is_so: Arc<AtomicBool>,
}

impl Beginning {
    /// Takes the signals from now on.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn start() -> io::Result<Self> {
        let is_so = Arc::new(AtomicBool::new(true));
        for signal in [SIGTERM, SIGINT] {
            register_conditional_shutdown(signal, 0, Arc::clone(&is_so))?;
        }
        Ok(Self { is_so })
    }

    /// Ends it: from now on the signals wait for whoever reads what this gives. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn end(self) -> io::Result<StopSignals> {
        let signals = StopSignals::install()?;
        self.is_so.store(false, Ordering::SeqCst);
        Ok(signals)
    }
}

/// The signals that the process gets, as they come; this stream never ends.
#[derive(Debug)]
pub struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Takes the signals from now on: neither ends the process by itself any more, and one that comes before this stream
    /// is read waits for it. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system refuses a handler.
    pub fn install() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

impl Stream for StopSignals {
    type Item = StopSignal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<StopSignal>> {
        if self.terminate.poll_recv(cx).is_ready() {
            return Poll::Ready(Some(StopSignal::Terminate));
        }
        self.interrupt.poll_recv(cx).map(|_| Some(StopSignal::Interrupt))
    }
}
