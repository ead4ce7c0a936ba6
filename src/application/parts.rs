//! What runs beside the HTTP server: a list that starts in order and stops in the opposite order, each part awaited and
//! bounded.
use std::time::Duration;

use actors::analytics::AnalyticsHandle;
use actors::environment::EnvironmentHandle;
use actors::forwarding::ForwardingHandle;
use actors::sse_hub::SseHubHandle;
use actors::store::StoreHandle;
use actors::upstream_stream::UpstreamStreamsHandle;
use actors::write_through::WriteThroughHandle;
use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, join_all, ready};
use tokio::time::Instant;

use super::admin::AdminPort;
use crate::metrics::Sources;
use crate::server::tls::RunningRenewal;
use crate::telemetry::Telemetry;

/// How long each part may take to stop. It is bounded to leave the process in time: a part that compiles a large document
/// finishes it first, and is left to the end of the process where that takes longer.
const STOP_PATIENCE: Duration = Duration::from_millis(400);

/// The same for what is sent to upstream, or to a collector, at last: its answer is awaited, as long as the stop has time.
const FLUSH_PATIENCE: Duration = Duration::from_secs(3);

/// The same for what is written to the disk at last.
const WRITE_PATIENCE: Duration = Duration::from_secs(2);

/// What a drain may take beyond its window: the last stream is told to end in the window's last moment.
const DRAIN_PATIENCE: Duration = Duration::from_secs(1);

/// Something that runs beside the HTTP server.
pub(super) trait Part {
    /// What logs call it.
    fn name(&self) -> &'static str;

    /// Ends what clients hold open, spread over at most `window`, while the server still answers.
    fn drain(&self, _window: Duration) -> LocalBoxFuture<'_, ()> {
        ready(()).boxed_local()
    }

    /// How long it may take to stop, where the stop has the time.
    fn stop_patience(&self) -> Duration {
        STOP_PATIENCE
    }

    /// Ends it, its threads and timers included; waits at most `patience`. Whether nothing of it is left.
    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool>;
}

/// The parts of one application, in the order in which they were started.
#[derive(Default)]
pub(super) struct Parts(Vec<Box<dyn Part>>);

impl Parts {
    /// Adds a part that has just started; it may rely on all those before it.
    pub(super) fn started(&mut self, part: impl Part + 'static) {
        self.add(Box::new(part));
    }

    /// Adds a part that is to stop before those that are there.
    pub(super) fn add(&mut self, part: Box<dyn Part>) {
        self.0.push(part);
    }

    /// Leaves the part of this name to whoever stops it before the others.
    pub(super) fn forget(&mut self, name: &str) {
        self.0.retain(|part| part.name() != name);
    }

    /// Drains all parts at once.
    pub(super) async fn drain(&self, window: Duration) {
        join_all(self.0.iter().map(|part| part.drain(window))).await;
    }

    /// Stops each part, the last one first. None takes more than half of the time that is left until `end`, so that each has
    /// some.
    pub(super) async fn stop(self, end: Instant) {
        for part in self.0.into_iter().rev() {
            let left = end.saturating_duration_since(Instant::now());
            stop(&*part, part.stop_patience().min(left / 2)).await;
        }
    }
}

/// Stops one part, within this time.
pub(super) async fn stop(part: &dyn Part, patience: Duration) {
    let is_gone = part.stop(patience);
    if !tokio::time::timeout(patience, is_gone).await.unwrap_or(false) {
        log::debug!("{} goes on until the process ends", part.name());
    }
}

impl Part for SseHubHandle {
    fn name(&self) -> &'static str {
        "SseHub"
    }

    fn drain(&self, window: Duration) -> LocalBoxFuture<'_, ()> {
        Self::drain(self, window, DRAIN_PATIENCE).boxed_local()
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for EnvironmentHandle {
    fn name(&self) -> &'static str {
        "EnvironmentActor"
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for StoreHandle {
    fn name(&self) -> &'static str {
        "StoreActor"
    }

    fn stop_patience(&self) -> Duration {
        WRITE_PATIENCE
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for UpstreamStreamsHandle {
    fn name(&self) -> &'static str {
        "UpstreamStreams"
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for WriteThroughHandle {
    fn name(&self) -> &'static str {
        "WriteThrough"
    }

    fn stop_patience(&self) -> Duration {
        FLUSH_PATIENCE
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for ForwardingHandle {
    fn name(&self) -> &'static str {
        "Forwarding"
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for AnalyticsHandle {
    fn name(&self) -> &'static str {
        "AnalyticsActor"
    }

    /// Most of what there is goes while the server still answers, and holds nothing up.
    fn drain(&self, _window: Duration) -> LocalBoxFuture<'_, ()> {
        self.begin_flush();
        ready(()).boxed_local()
    }

    fn stop_patience(&self) -> Duration {
        FLUSH_PATIENCE
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

impl Part for AdminPort {
    fn name(&self) -> &'static str {
        "the admin port"
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        self.close(patience).boxed_local()
    }
}

impl Part for Telemetry {
    fn name(&self) -> &'static str {
        "Telemetry"
    }

    fn stop_patience(&self) -> Duration {
        FLUSH_PATIENCE
    }

    fn stop(&self, patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self, patience).boxed_local()
    }
}

/// When the server has ended and the actors have not, keeps what the last reading of the metrics asks them.
pub(super) struct LastFigures(pub(super) Sources);

impl Part for LastFigures {
    fn name(&self) -> &'static str {
        "the last figures"
    }

    /// For as long as an actor may take to answer.
    fn stop_patience(&self) -> Duration {
        WRITE_PATIENCE
    }

    fn stop(&self, _patience: Duration) -> LocalBoxFuture<'_, bool> {
        self.0.keep_environments().map(|()| true).boxed_local()
    }
}

impl Part for RunningRenewal {
    fn name(&self) -> &'static str {
        "the renewal of the certificate"
    }

    fn stop(&self, _patience: Duration) -> LocalBoxFuture<'_, bool> {
        Self::stop(self);
        ready(true).boxed_local()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    struct Recorded {
        name: &'static str,
        stops: bool,
        record: Rc<RefCell<Vec<&'static str>>>,
    }

    impl Part for Recorded {
        fn name(&self) -> &'static str {
            self.name
        }

        fn stop(&self, _patience: Duration) -> LocalBoxFuture<'_, bool> {
            self.record.borrow_mut().push(self.name);
            if self.stops {
                ready(true).boxed_local()
            } else {
                std::future::pending().boxed_local()
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn parts_stop_in_the_opposite_order_and_none_holds_the_others_up() {
        let record = Rc::new(RefCell::new(Vec::new()));
        let mut parts = Parts::default();
        for (name, stops) in [("first", true), ("second", false), ("third", true)] {
            let record = Rc::clone(&record);
            parts.started(Recorded { name, stops, record });
        }
        let before = tokio::time::Instant::now();
        parts.drain(Duration::from_secs(5)).await;
        parts.stop(before + Duration::from_secs(60)).await;
        assert_eq!(*record.borrow(), ["third", "second", "first"]);
        assert_eq!(before.elapsed(), STOP_PATIENCE);
    }

    #[tokio::test(start_paused = true)]
    async fn where_time_is_short_each_part_has_some() {
        let record = Rc::new(RefCell::new(Vec::new()));
        let mut parts = Parts::default();
        for name in ["first", "second", "third"] {
            let record = Rc::clone(&record);
            parts.started(Recorded {
                name,
                stops: false,
                record,
            });
        }
        let before = Instant::now();
        parts.stop(before + Duration::from_millis(400)).await;
        assert_eq!(*record.borrow(), ["third", "second", "first"]);
        assert_eq!(before.elapsed(), Duration::from_millis(350));
    }
}
