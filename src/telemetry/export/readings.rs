//! The figures of `/metrics`, sent again and again. What is not taken is not kept: the next reading has all of it, and more.
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::future::LocalBoxFuture;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::standing::{Line, Standing};
use super::{Connected, GrpcMethod, Refusal, pace};
use crate::telemetry::figures::Times;
use crate::telemetry::messages::{self, Resource};

/// Reads the figures as the text of `/metrics`.
pub(crate) type Read = Box<dyn Fn() -> LocalBoxFuture<'static, String> + Send>;

/// What is read, and how often.
pub(in crate::telemetry) struct Readings {
    pub(in crate::telemetry) read: Read,
    pub(in crate::telemetry) interval: Duration,
    /// How long one sending is tried.
    pub(in crate::telemetry) export_timeout: Duration,
    pub(in crate::telemetry) resource: Arc<Resource>,
}

impl Readings {
    /// Reads and sends until the end, and once more then.
    pub(in crate::telemetry) async fn send_all(
        self,
        mut connected: Connected,
        mut end: watch::Receiver<Option<Instant>>,
    ) {
        let started = nanoseconds(SystemTime::now());
        let mut standing = Standing::new("metrics");
        let mut due = Instant::now() + self.interval;
        loop {
            let ended = tokio::select! {
                () = sleep_until(due) => None,
                ended = end.wait_for(Option::is_some) => Some(ended.ok().and_then(|until| *until)),
            };
            let until = ended.flatten();
            // From beginning to beginning, as the specification has it.
            due = (due + self.interval).max(Instant::now());
            let outcome = tokio::select! {
                outcome = self.send(&mut connected, started) => outcome,
                () = over(until) => Err(Refusal::late()),
            };
            let line = match outcome {
                Ok(()) => standing.succeeded(),
                Err(refusal) => {
                    let asked = refusal.wait.map(|asked| Instant::now() + pace::bounded(asked));
                    due = asked.map_or(due, |asked| due.max(asked));
                    standing.failed(&refusal.why, Instant::now().into_std())
                }
            };
            line.into_iter().for_each(Line::log);
            if ended.is_some() {
                return;
            }
        }
    }

    async fn send(&self, connected: &mut Connected, started: u64) -> Result<(), Refusal> {
        let until = Instant::now() + self.export_timeout;
        let sent = async {
            let text = (self.read)().await;
            let times = Times {
                started,
                now: nanoseconds(SystemTime::now()),
            };
            let message = messages::of_figures(&self.resource, &text, times).into();
            let sent = connected.send(GrpcMethod::Metrics, &message, until).await;
            sent.map(drop)
        };
        let outcome = timeout_at(until, sent).await;
        outcome.unwrap_or_else(|_| Err(Refusal::late()))
    }
}

async fn over(until: Option<Instant>) {
    match until {
        Some(until) => sleep_until(until).await,
        None => std::future::pending().await,
    }
}

fn nanoseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
