//! An upstream that takes evaluation counts, and what it has counted.
use std::collections::BTreeMap;

use tokio::sync::watch;

use super::{Answer, ReceivedRequest};
use crate::wait::in_time;

/// What an upstream has counted: the requests to `analytics/flags/` that it answered well.
#[derive(Clone, Default)]
pub struct Counted(watch::Sender<Vec<ReceivedRequest>>);

impl Counted {
    /// A script that serves this document, and counts as Flagsmith does whatever `refusal` has no answer for.
    pub fn script<R>(
        &self,
        document: &str,
        refusal: R,
    ) -> impl Fn(&ReceivedRequest) -> Answer + Send + Sync + use<R>
    where
        R: Fn(&ReceivedRequest) -> Option<Answer> + Send + Sync + 'static,
    {
        let (document, counted) = (document.to_owned(), self.clone());
        move |request| {
            if !request.target.ends_with("/analytics/flags/") {
                return Answer::ok(document.clone()).header("Content-Type", "application/json");
            }
            if let Some(refusal) = refusal(request) {
                return refusal;
            }
            counted.0.send_modify(|requests| requests.push(request.clone()));
            match request.target.contains("/v2/") {
                true => Answer::raw("HTTP/1.1 204 No Content\r\n\r\n"),
                false => Answer::ok("{}"),
            }
        }
    }

    /// The requests, in their order.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.0.borrow().clone()
    }

    /// The counts by feature, of both versions.
    pub fn by_feature(&self) -> BTreeMap<String, u64> {
        sums(&self.0.borrow())
    }

    /// The sum of all counts.
    pub fn sum(&self) -> u64 {
        self.by_feature().values().sum()
    }

    /// Resolves when so much was counted, or more.
    pub async fn wait_for_sum(&self, sum: u64) {
        let mut requests = self.0.subscribe();
        in_time(requests.wait_for(|requests| sums(requests).values().sum::<u64>() >= sum))
            .await
            .expect("upstream");
    }
}

/// The counts of one request, by feature.
pub fn counts(request: &ReceivedRequest) -> Vec<(String, u64)> {
    let body = request.json();
    let count = |value: &serde_json::Value| value.as_u64().expect("a count");
    match body.get("evaluations").and_then(|list| list.as_array()) {
        Some(evaluations) => evaluations
            .iter()
            .map(|entry| {
                let feature = entry["feature_name"].as_str().expect("a feature");
                (feature.to_owned(), count(&entry["count"]))
            })
            .collect(),
        None => body
            .as_object()
            .expect("an object")
            .iter()
            .map(|(feature, value)| (feature.clone(), count(value)))
            .collect(),
    }
}

fn sums(requests: &[ReceivedRequest]) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    for (feature, count) in requests.iter().flat_map(counts) {
        *sums.entry(feature).or_default() += count;
    }
    sums
}
