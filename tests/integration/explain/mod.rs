//! Why flags are what they are: the admin port's `/explain`, and `edge-proxy explain`.
//!
//! # Layout
//! - `resource`: the admin port; `served`: that it is what is served; `notes`: what is said of an answer as a whole.
//! - `command`: the program; `alone`: without a running proxy; `elsewhere`: asking something else.
mod alone;
mod command;
mod elsewhere;
mod notes;
mod resource;
mod served;

use serde_json::{Value, json};

use crate::harness::{CLIENT_KEY, fixture};

/// The fixture, with a feature that a segment of grown-ups turns on, and `alice` as its only identity with an override.
fn document() -> Value {
    let mut document = fixture();
    let state = |value: &str, priority: Value| {
        json!({
            "feature": {"id": 50, "name": "shop", "type": "STANDARD"},
            "enabled": true,
            "django_id": 50,
            "feature_state_value": value,
            "featurestate_uuid": "00000000-0000-4000-8000-000000000050",
            "multivariate_feature_state_values": [],
            "feature_segment": priority,
        })
    };
    let states = document["feature_states"].as_array_mut().unwrap();
    states.push(state("closed", Value::Null));
    let segments = document["project"]["segments"].as_array_mut().unwrap();
    segments.push(json!({
        "id": 51,
        "name": "adults",
        "rules": [{"type": "ALL", "conditions": [], "rules": [{
            "type": "ANY",
            "conditions": [{"property_": "age", "operator": "GREATER_THAN_INCLUSIVE", "value": "18"}],
            "rules": [],
        }]}],
        "feature_states": [state("open", json!({"priority": 1}))],
    }));
    document
}

/// The same of another environment, in which `bob` has an override.
fn other_document(name: &str, client_side_key: &str) -> Value {
    let mut document = document();
    document["name"] = json!(name);
    document["api_key"] = json!(client_side_key);
    document["identity_overrides"][0]["identifier"] = json!("bob");
    document
}

/// Whether a text holds no key.
fn tells_no_key(text: &str) -> bool {
    !text.contains(CLIENT_KEY) && !text.contains("ser.")
}
