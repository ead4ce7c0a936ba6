//! The signals that ask the process to stop.
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_rt::signal::unix::{Signal, SignalKind, signal};
use futures::Stream;

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
