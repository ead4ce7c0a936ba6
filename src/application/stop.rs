//! How the process stops: asked to, or because an actor has died.
//!
//! # Order
//! Readiness fails and every answer ends its connection before this begins; then:
//! 1. the drain: everything is still served while load balancers learn of it, and open event streams end, spread;
//! 2. the listener closes, without losing a connection that was begun; refusals that were held come now;
//! 3. connections made in its last moment have time for their first request;
//! 4. idle connections end, the others do after their answer;
//! 5. the workers end, and whatever is unfinished when the time is over is cut.
use std::pin::pin;
use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use super::parts::Parts;
use super::signals::StopSignal;
use crate::server::Ending;
use crate::service_state::ServiceState;

/// Exit code after an actor has died (`EX_SOFTWARE` of sysexits.h): an orchestrator should start the process anew.
pub const EXIT_ACTOR_DIED: u8 = 70;

/// Why the process stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to.
    Stopped,
    /// It was asked again, by this signal, and has cut what was unfinished.
    Cut(StopSignal),
    /// The actor of this name has died.
    ActorDied(&'static str),
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::Cut(signal) => signal.exit_code(),
            Self::ActorDied(_) => EXIT_ACTOR_DIED,
        }
    }
}

/// Why a stop begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// A signal asks for it.
    Asked(StopSignal),
    /// The actor of this name has died.
    Death(&'static str),
}

/// How long open event streams may take to end; never more than half of `server.shutdown_timeout_seconds`, the rest
/// being left for requests.
const STREAM_WINDOW: Duration = Duration::from_secs(5);

/// What the drain leaves of `server.shutdown_timeout_seconds` for requests in flight, where that is long enough.
const AFTER_DRAIN: Duration = Duration::from_secs(3);

/// A drain goes on for up to two further fifths of its time while connections still come. Balancers check in turns: HAProxy
/// notices a stop after 4 to 6 s by its defaults, and the default drain is 5 s.
const FIFTH: u32 = 5;
/// See [`FIFTH`].
const FURTHER_FIFTHS: u32 = 2;

/// How long the parts may take to stop, within the time of the whole stop.
const FOR_PARTS: Duration = Duration::from_secs(1);

/// How long a stop may take after an actor has died, without the parts: the process must be gone within 5 s.
const STOP_AFTER_DEATH: Duration = Duration::from_millis(3_500);

/// For so long everything goes on as it can: flags are answered, and whoever probes the process sees that it fails.
const NOTICE_OF_DEATH: Duration = Duration::from_secs(1);

/// Into how many steps a short wait for others is divided.
const STEPS: u32 = 10;

/// How long the second signal waits for the connections to hear of the end, and for the answers that are ready.
const MOMENT: Duration = Duration::from_millis(500);

/// Durations of a stop that no option sets.
#[derive(Debug, Clone)]
pub struct StopLimits {
    /// The drain ends early when there has been no connection for this long; `None`: for half of the drain. A balancer
    /// without traffic connects for its checks alone, and waits for two that fail at least: a drain that is long enough
    /// for them has more than one in each half. `Some` is for tests.
    pub quiet: Option<Duration>,
    /// How long a handshake may take that the listener's close finds half open: a round trip, which is below this
    /// between any two places that serve each other.
    pub handshake: Duration,
    /// How long connections made in the listener's last moment have for their first request.
    pub young: Duration,
    /// How long an actor's death is given notice of before the stop. Another time than a second is for tests.
    pub notice_of_death: Duration,
}

impl Default for StopLimits {
    fn default() -> Self {
        Self {
            quiet: None,
            handshake: Duration::from_millis(200),
            young: Duration::from_secs(1),
            notice_of_death: NOTICE_OF_DEATH,
        }
    }
}

/// How long each part of a stop takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StopPlan {
    /// Everything is still served; answers end their connections.
    drain: Duration,
    /// While connections still come the drain may take this much longer.
    longer: Duration,
    /// Less than that once there has been no connection for this long; `None`: no less.
    quiet: Option<Duration>,
    /// Open event streams end within it, spread.
    stream_window: Duration,
    /// Whether the listener stays open for them: their clients come back at once, and a refusal tells them when to.
    serves_until_streams_end: bool,
    /// For connections that are half open when the listener closes.
    handshake: Duration,
    /// For connections that wait to be accepted then.
    backlog: Duration,
    /// Between the closed listener and the end of idle connections.
    young: Duration,
    /// All of it, requests in flight included.
    whole: Duration,
    /// What the requests leave of it for the parts.
    for_parts: Duration,
}

impl StopPlan {
    /// Plans a stop within `whole` (`server.shutdown_timeout_seconds`) with this drain (`server.drain_seconds`).
    pub(super) fn of(cause: Cause, whole: Duration, drain: Duration, limits: &StopLimits) -> Self {
        let (whole, drain, longest, quiet, stream_window) = match cause {
            Cause::Asked(signal) => {
                let longest = whole - AFTER_DRAIN.min(whole / 2);
                let drain = match signal {
                    StopSignal::Terminate | StopSignal::Quit => drain.min(longest),
                    StopSignal::Interrupt => Duration::ZERO,
                };
                let quiet = limits.quiet.unwrap_or(drain / 2);
                (whole, drain, longest, Some(quiet), STREAM_WINDOW.min(whole / 2))
            }
            Cause::Death(_) => {
                let drain = limits.notice_of_death;
                let whole = drain + (STOP_AFTER_DEATH - NOTICE_OF_DEATH);
                (whole, drain, drain, None, NOTICE_OF_DEATH)
            }
        };
        let longer = (drain / FIFTH * FURTHER_FIFTHS).min(longest - drain);
        // The drain leaves half of a short time; in it, idle connections must still hear of their end.
        let share = (whole - drain - longer) / 4;
        Self {
            drain,
            longer,
            quiet,
            stream_window,
            serves_until_streams_end: cause != Cause::Asked(StopSignal::Interrupt),
            handshake: limits.handshake.min(share),
            backlog: share,
            young: limits.young.min(share),
            whole,
            for_parts: FOR_PARTS.min(whole / 10),
        }
    }

    /// Goes through all of it; what is still in flight when the time is over is cut off.
    pub(super) async fn run(self, parts: Parts, server: &Ending, state: &ServiceState) {
        let end = Instant::now() + self.whole;
        let serving = self.whole - self.for_parts;
        let crossed = server.crossed();
        if timeout(serving, self.end_serving(&parts, server, state))
            .await
            .is_ok()
        {
            let rest = async {
                server.stop(true).await;
                parts.stop(end).await;
            };
            let _ = timeout_at(end, rest).await;
        } else {
            log::warn!("requests were still in flight");
            // They have the whole time all the same: none of them needs the parts any more.
            let _ = tokio::join!(
                timeout_at(end, parts.stop(end)),
                timeout_at(end, server.none_open()),
            );
            cut(server).await;
        }
        let crossed = server.crossed() - crossed;
        if crossed > 0 {
            log::info!(
                "{crossed} requests came over idle connections whose end had been announced: their clients send them again"
            );
        }
    }

    async fn end_serving(&self, parts: &Parts, server: &Ending, state: &ServiceState) {
        let streams = parts.drain(self.stream_window);
        if self.serves_until_streams_end {
            tokio::join!(streams, self.drain(server));
            self.end_listening(server, state).await;
        } else {
            tokio::join!(streams, self.end_listening(server, state));
        }
        server.tell();
        server.none_open().await;
    }

    async fn drain(&self, server: &Ending) {
        let quiet = async {
            match self.quiet {
                Some(quiet) => server.none_for(quiet).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = quiet => {}
            () = self.drain_while_connections_come(server) => {}
        }
    }

    async fn drain_while_connections_come(&self, server: &Ending) {
        let fifth = self.drain / FIFTH;
        tokio::time::sleep(self.drain - fifth).await;
        let longer = async { while server.one_comes_within(fifth).await {} };
        // An error: they come all the time.
        let _ = timeout(fifth + self.longer, longer).await;
    }

    async fn end_listening(&self, server: &Ending, state: &ServiceState) {
        server.close_the_doors(self.handshake, self.backlog).await;
        // Not before: whoever is refused while the doors are open comes back through them at once.
        state.end_waits();
        in_steps(self.young, server.none_open()).await;
    }
}

/// Waits at most this long, in steps: on a machine that is so busy that those who are waited for have no turn, each of them takes
/// longer, too. Whether it came about.
async fn in_steps(time: Duration, awaited: impl Future<Output = ()>) -> bool {
    let mut awaited = pin!(awaited);
    for _ in 0..STEPS {
        if timeout(time / STEPS, &mut awaited).await.is_ok() {
            return true;
        }
    }
    false
}

/// Ends everything at once. Whether something was cut: a request without its answer, or an open event stream.
pub(super) async fn end_at_once(server: &Ending, state: &ServiceState) -> bool {
    state.end_waits();
    server.tell();
    let is_finished = in_steps(MOMENT, server.none_unfinished()).await;
    cut(server).await;
    !is_finished
}

/// Ends the workers under whatever they still have. A server that does not answer is left to the end of the process.
async fn cut(server: &Ending) {
    let _ = timeout(MOMENT, server.stop(false)).await;
}

#[cfg(test)]
mod tests;
