//! How the process stops: asked to, or because an actor has died.
use std::time::Duration;

use actix_web::dev::ServerHandle;

use super::parts::Parts;

/// Exit code after an actor has died (`EX_SOFTWARE` of sysexits.h): an orchestrator should start the process anew.
pub const EXIT_ACTOR_DIED: u8 = 70;

/// Why the process stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to.
    Stopped,
    /// The actor of this name has died.
    ActorDied(&'static str),
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::ActorDied(_) => EXIT_ACTOR_DIED,
        }
    }
}

/// How long open event streams may take to end after SIGTERM; never more than half of
/// `server.shutdown_timeout_seconds`, the rest being left for requests.
const STREAM_WINDOW: Duration = Duration::from_secs(5);

/// How long a stop may take after an actor has died, without the parts: the process must be gone within 5 s.
const STOP_AFTER_DEATH: Duration = Duration::from_millis(3_500);

/// For so long everything goes on as it can: flags are answered, and whoever probes the process sees that it fails.
const NOTICE_OF_DEATH: Duration = Duration::from_secs(1);

/// How long each part of a stop takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct StopPlan {
    /// Everything is still answered, and connections in use hear by `Connection: close` that they end: actix closes the
    /// listener and idle connections as soon as its own stop begins.
    notice: Duration,
    /// Open event streams end within it, spread.
    stream_window: Duration,
    /// All of it, requests in flight included.
    whole: Duration,
}

impl StopPlan {
    pub(super) fn of(outcome: Outcome, shutdown_timeout: Duration, notice_of_stop: Duration) -> Self {
        match outcome {
            Outcome::Stopped => Self {
                notice: notice_of_stop.min(shutdown_timeout),
                stream_window: STREAM_WINDOW.min(shutdown_timeout / 2),
                whole: shutdown_timeout,
            },
            Outcome::ActorDied(_) => Self {
                notice: NOTICE_OF_DEATH,
                stream_window: NOTICE_OF_DEATH,
                whole: STOP_AFTER_DEATH,
            },
        }
    }

    /// Drains the parts, then ends the server; what is still in flight when the time is over is cut off.
    pub(super) async fn run(self, parts: &Parts, server: &ServerHandle) {
        let stopped = async {
            // actix holds its own stop up for every open stream, so those end first.
            tokio::join!(parts.drain(self.stream_window), tokio::time::sleep(self.notice));
            server.stop(true).await;
        };
        if tokio::time::timeout(self.whole, stopped).await.is_err() {
            log::warn!("requests were still in flight");
        }
    }
}
