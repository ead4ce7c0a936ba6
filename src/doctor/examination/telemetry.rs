//! The collectors that spans and metrics are sent to.
use futures::future::join_all;
use tokio::time::{Instant, timeout_at};

use super::{Examination, LONGEST_CONNECTING, called};
use crate::doctor::address::{Target, Whose};
use crate::doctor::finding::{Finding, Subject};
use crate::doctor::late;
use crate::doctor::telemetry::{self, Collector};
use crate::telemetry::{Destination, GrpcMethod};

impl Examination {
    /// Each of them, beside one another; `obstacle`: what is in the way where certificates are needed.
    pub(in crate::doctor) async fn telemetry(&self, obstacle: Option<&str>) -> Vec<Finding> {
        let examined = self.collectors.iter();
        let examined = examined.map(|collector| self.collector(collector, obstacle));
        join_all(examined).await.concat()
    }

    /// The way there once, then each signal.
    async fn collector(&self, collector: &Collector, obstacle: Option<&str>) -> Vec<Finding> {
        let Some((_, first)) = collector.sent.first() else {
            return Vec::new();
        };
        let subject = called("telemetry", &collector.url);
        let target = Target {
            url: &collector.url,
            whose: Whose::Collector(first.protocol()),
        };
        let connecting = first.connect_timeout().min(LONGEST_CONNECTING);
        let way = (first.options(), connecting);
        let reached = self.reached_by(&subject, target, way, obstacle).await;
        let asked = collector
            .sent
            .iter()
            .map(async |(method, destination)| match &reached.obstacle {
                Some(obstacle) => subject.skipped(telemetry::check(*method), obstacle),
                None => self.offered(&subject, *method, destination).await,
            });
        let asked = join_all(asked).await;
        reached.findings.into_iter().chain(asked).collect()
    }

    async fn offered(&self, subject: &Subject, method: GrpcMethod, destination: &Destination) -> Finding {
        let begun = Instant::now();
        let offered = destination.clone().offer_nothing(method);
        match timeout_at(self.until, offered).await {
            Ok(outcome) => {
                let at = format!("{} ({})", destination.path(method), destination.protocol().name());
                telemetry::told(subject, method, &at, outcome)
            }
            Err(_) => late(subject, telemetry::check(method), begun.elapsed()),
        }
    }
}
