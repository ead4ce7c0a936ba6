//! Two environments, and their documents by version.
use serde_json::{Value, json};
use test_support::documents::{environment, feature_state};
use test_support::upstream::{Answer, ReceivedRequest};

/// One environment of the proxy and of its upstream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Environment {
    pub(super) name: &'static str,
    pub(super) client_side_key: &'static str,
    pub(super) server_side_key: &'static str,
}

/// Two, for what happens to one's file must cost the other nothing.
pub(super) const ENVIRONMENTS: [Environment; 2] = [
    Environment {
        name: "Production",
        client_side_key: "client-key-a",
        server_side_key: "ser.key-a",
    },
    Environment {
        name: "Staging",
        client_side_key: "client-key-b",
        server_side_key: "ser.key-b",
    },
];

/// What comes before the version in a feature's value.
pub(super) const VALUE: &str = "version ";

/// When the document of this version changed.
pub(super) fn updated_at(version: u32) -> String {
    format!(
        "2026-01-01T{:02}:{:02}:00.500000+00:00",
        version / 60,
        version % 60
    )
}

/// `environment_key_pairs` of a configuration.
pub(super) fn key_pairs() -> Value {
    let pairs = ENVIRONMENTS.iter().map(
        |each| json!({"client_side_key": each.client_side_key, "server_side_key": each.server_side_key}),
    );
    pairs.collect()
}

/// The answer of an upstream that has this version.
pub(super) fn answer(request: &ReceivedRequest, version: u32) -> Answer {
    let key = request.header("X-Environment-Key");
    let asked = ENVIRONMENTS.iter().find(|each| Some(each.server_side_key) == key);
    let asked = asked.expect("the key of an environment");
    let features = vec![feature_state(1, "banner", format!("{VALUE}{version}"))];
    let mut document = environment(asked.client_side_key, &updated_at(version), features);
    document["name"] = json!(asked.name);
    Answer::ok(document.to_string()).header("Content-Type", "application/json")
}
