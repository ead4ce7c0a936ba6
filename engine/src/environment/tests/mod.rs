mod budget;
mod dependencies;
mod duplicates;
mod evaluated;
mod flags;
mod gzip;
mod identities;
mod overrides;
mod reasons;
mod segment_warnings;
mod segments;
mod warnings;
mod without_identity;

use bytes::Bytes;
use serde_json::{Value, json};

use super::{Environment, Flag};
use crate::{Document, Identity, KeyKind, Warning};

/// A document with these features and segments.
fn document(features: Value, segments: Value) -> Value {
    json!({
        "id": 1, "name": "Test", "api_key": "key", "feature_states": features, "identity_overrides": [],
        "project": {"id": 1, "segments": segments, "server_key_only_feature_ids": [], "hide_disabled_flags": false},
    })
}

/// A feature state with a value and nothing else.
fn state(id: u64, name: &str, value: Value) -> Value {
    json!({"feature": {"id": id, "name": name, "type": "STANDARD"}, "enabled": true, "feature_state_value": value,
        "django_id": id * 100, "featurestate_uuid": "00000000-0000-0000-0000-000000000001"})
}

/// A feature state that gives everyone its only option.
fn multivariate(id: u64, name: &str, control: Value, options: Value) -> Value {
    with(
        state(id, name, control),
        "multivariate_feature_state_values",
        options,
    )
}

fn option(id: u64, value: Value, key: Value, percentage: Value) -> Value {
    json!({"id": id, "percentage_allocation": percentage, "multivariate_feature_option": {"value": value, "key": key}})
}

/// A segment of identities whose trait has this value, and what it overrides.
fn segment(id: u64, name: &str, trait_key: &str, value: &str, overrides: Value) -> Value {
    let condition = json!({"operator": "EQUAL", "property_": trait_key, "value": value});
    segment_of(
        id,
        name,
        json!([{"type": "ALL", "conditions": [condition], "rules": []}]),
        overrides,
    )
}

fn segment_of(id: u64, name: &str, rules: Value, overrides: Value) -> Value {
    json!({"id": id, "name": name, "rules": rules, "feature_states": overrides})
}

/// A segment override of this priority.
fn prioritised(state: Value, priority: Value) -> Value {
    with(state, "feature_segment", json!({"priority": priority}))
}

fn identity_override(identifier: &str, states: Value) -> Value {
    json!({"identifier": identifier, "identity_features": states})
}

/// The value with a member more.
fn with(mut value: Value, name: &str, member: Value) -> Value {
    value[name] = member;
    value
}

fn compile_with_warnings(document: &Value) -> (Environment, Vec<Warning>) {
    let document = Document::from_pages(vec![Bytes::from(document.to_string())]).unwrap();
    Environment::compile(&document).unwrap()
}

/// Compiles a document that is wholly understood.
fn compile(document: &Value) -> Environment {
    let (environment, warnings) = compile_with_warnings(document);
    assert_eq!(warnings, [], "{document}");
    environment
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

/// The answer to `POST identities/` with this body.
fn answer(environment: &Environment, kind: KeyKind, body: &Value) -> Value {
    let body = body.to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    serde_json::from_slice(&environment.identity_answer(kind, &identity)).unwrap()
}

/// The body of an identity with these traits.
fn identity(identifier: &str, traits: &[(&str, Value)]) -> Value {
    let traits: Vec<Value> = traits
        .iter()
        .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
        .collect();
    json!({"identifier": identifier, "traits": traits})
}

/// The values that the identity is answered, in order.
fn values(environment: &Environment, body: &Value) -> Vec<Value> {
    let answer = answer(environment, KeyKind::Server, body);
    answer["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag["feature_state_value"].clone())
        .collect()
}

/// Every flag that a server-side key sees, with its parts.
fn evaluated<'e>(
    environment: &'e Environment,
    identity: impl Into<Option<&'e Identity<'e>>>,
) -> Vec<Flag<'e>> {
    let mut flags = Vec::new();
    environment.evaluate(KeyKind::Server, identity, |flag| flags.push(flag));
    flags
}

/// The names of the segments that the identity is in.
fn matching(environment: &Environment, body: &Value) -> Vec<String> {
    let body = body.to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    environment
        .matching_segments(&identity)
        .into_iter()
        .map(str::to_owned)
        .collect()
}
