//! The environments that upstream rows serve, and their documents by version.
use serde_json::{Value, json};
use test_support::documents::{environment, feature_state};
use test_support::upstream::{Answer, ReceivedRequest};

/// One environment of the proxy and of its upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) id: u64,
    pub(crate) name: &'static str,
    pub(crate) client_side_key: &'static str,
    pub(crate) server_side_key: &'static str,
}

/// Two, for a fault is to be told of each and to cost neither anything. No word of their keys comes in a log by itself.
pub(crate) const ENVIRONMENTS: [Environment; 2] = [
    Environment {
        id: 1,
        name: "Production",
        client_side_key: "Kq7c1ientA",
        server_side_key: "ser.Kq7serverA",
    },
    Environment {
        id: 2,
        name: "Staging",
        client_side_key: "Kq7c1ientB",
        server_side_key: "ser.Kq7serverB",
    },
];

/// What all their keys hold, and nothing else.
pub(crate) const KEY_MARK: &str = "Kq7";

/// The feature value of the document of this version.
pub(crate) fn value(version: u32) -> String {
    format!("value {version}")
}

/// When it changed.
pub(crate) fn updated_at(version: u32) -> String {
    format!(
        "2026-01-01T{:02}:{:02}:00.500000+00:00",
        version / 60,
        version % 60
    )
}

impl Environment {
    /// The one that a request to upstream is for.
    ///
    /// # Panics
    /// Where it is for none.
    pub(crate) fn of(request: &ReceivedRequest) -> Self {
        let key = request.header("X-Environment-Key");
        let found = ENVIRONMENTS.iter().find(|each| Some(each.server_side_key) == key);
        *found.unwrap_or_else(|| panic!("no key of an environment: {} {}", request.method, request.target))
    }

    /// The document of this version.
    pub(crate) fn document(&self, version: u32) -> Value {
        let features = vec![feature_state(1, "banner", value(version))];
        let mut document = environment(self.client_side_key, &updated_at(version), features);
        document["id"] = json!(self.id);
        document["name"] = json!(self.name);
        document
    }
}

/// `environment_key_pairs` of a configuration.
pub(crate) fn key_pairs() -> Value {
    let pairs = ENVIRONMENTS.iter().map(
        |each| json!({"client_side_key": each.client_side_key, "server_side_key": each.server_side_key}),
    );
    pairs.collect()
}

/// The answer of an upstream that is well.
pub(crate) fn good(request: &ReceivedRequest, version: u32) -> Answer {
    let updated_at = engine::UpdatedAt::parse(&updated_at(version)).expect("a time");
    if request.header("If-Modified-Since") == Some(&updated_at.to_http_date()) {
        return Answer::status(304);
    }
    json_answer(Environment::of(request).document(version).to_string())
}

/// 200 with JSON.
pub(crate) fn json_answer(body: impl Into<Vec<u8>>) -> Answer {
    Answer::ok(body).header("Content-Type", "application/json")
}
