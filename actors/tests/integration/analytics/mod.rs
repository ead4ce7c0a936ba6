//! Counts on their way from the workers to a scripted upstream.
//!
//! # Layout
//! - `arriving`: what upstream gets, and when. `keeping`: bounds, sources, the stop and a restart.
mod arriving;
mod keeping;

use std::time::Duration;

use actors::analytics::{AnalyticsHandle, AnalyticsOptions, LabelsRef, Totals, UnsentStore, WorkerTally};
use actors::environment::EnvironmentOptions;
use actors::keys::EnvironmentId;
use actors::upstream::UpstreamOptions;
use awc::http::header::{HeaderMap, HeaderName, HeaderValue};
use test_support::documents::{environment, feature_state};
use test_support::upstream::{Answer, Counted, ReceivedRequest, ScriptedUpstream};

use crate::harness::{Harness, NEVER, SOON, polled, quick};

/// A document of the features `feature_0` and so on.
fn document(features: usize) -> String {
    let features = (0..features).map(|number| feature_state(number + 1, &format!("feature_{number}"), "one"));
    environment("client0", "2024-12-26T16:18:08+00:00", features.collect()).to_string()
}

/// Sends every few milliseconds.
fn often() -> AnalyticsOptions {
    AnalyticsOptions {
        period: Duration::from_millis(20),
        ..AnalyticsOptions::default()
    }
}

/// Sends when it stops, and not before.
fn at_last() -> AnalyticsOptions {
    AnalyticsOptions {
        period: NEVER,
        ..AnalyticsOptions::default()
    }
}

/// The actor under test, beside an EnvironmentActor.
struct Analytics {
    harness: Harness,
    handle: AnalyticsHandle,
    worker: WorkerTally,
}

impl Analytics {
    async fn start(upstream: &ScriptedUpstream, options: AnalyticsOptions) -> Self {
        let analytics = Self::start_with(vec![polled(0)], upstream.api_url(), options, None);
        analytics.wait_for_document().await;
        analytics
    }

    fn start_with(
        environments: Vec<EnvironmentOptions>,
        api_url: String,
        options: AnalyticsOptions,
        store: Option<Box<dyn UnsentStore>>,
    ) -> Self {
        let harness = Harness::start(environments, api_url.clone(), quick());
        let upstream = UpstreamOptions::new(api_url);
        let handle = AnalyticsHandle::start(
            options,
            upstream,
            harness.handle.clone(),
            store,
            std::sync::Arc::default(),
            &harness.lifelines,
        )
        .unwrap();
        let worker = handle.tallies().register();
        Self {
            harness,
            handle,
            worker,
        }
    }

    async fn wait_for_document(&self) {
        let id = self.id();
        self.harness
            .wait_for(|snapshot| snapshot.environment(id).map(drop))
            .await;
    }

    fn id(&self) -> EnvironmentId {
        self.harness.id(0)
    }

    fn count(&self, feature: &str, count: u64) {
        self.count_as(&[], feature, count);
    }

    fn count_as(&self, labels: &[(&'static str, &'static str)], feature: &str, count: u64) {
        let headers: HeaderMap = labels
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let labels = LabelsRef::of(&headers);
        self.worker.count(self.id(), labels, |counting| {
            counting.feature(feature, count, |_| true)
        });
    }

    /// Of an actor that lives, or has ended in good order: on a slow machine it may be later than its handle waits for it.
    async fn totals(&self) -> Totals {
        let asking = async {
            loop {
                if let Ok(totals) = self.handle.totals().await {
                    return totals;
                }
                assert!(self.harness.lifelines.is_alive(), "the actor lives");
            }
        };
        tokio::time::timeout(SOON, asking)
            .await
            .expect("the sums in time")
    }

    /// Waits until the actor has taken what was counted, and the sums are like this.
    async fn wait_for(&self, is_like: impl Fn(&Totals) -> bool) -> Totals {
        let waiting = async {
            loop {
                let is_taken = self.handle.tallies().waiting() == 0;
                let totals = self.totals().await;
                if is_taken && is_like(&totals) {
                    return totals;
                }
            }
        };
        tokio::time::timeout(SOON, waiting)
            .await
            .expect("the sums in time")
    }
}

/// An upstream that refuses counts as `refusal` says.
fn upstream(
    features: usize,
    refusal: impl Fn(&ReceivedRequest) -> Option<Answer> + Send + Sync + 'static,
) -> (ScriptedUpstream, Counted) {
    let counted = Counted::default();
    let upstream = ScriptedUpstream::start(counted.script(&document(features), refusal));
    (upstream, counted)
}

/// The requests with counts, taken or not.
fn sent(upstream: &ScriptedUpstream) -> Vec<ReceivedRequest> {
    let mut requests = upstream.requests();
    requests.retain(|request| request.method == "POST");
    requests
}
