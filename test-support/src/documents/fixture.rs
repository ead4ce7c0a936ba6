//! The fixture: one environment with a feature of each sort, a segment and an identity override.
use serde_json::{Value, json};

use super::parts::feature_state;

/// The fixture's text.
pub const FIXTURE: &str = include_str!("../../fixtures/environment.json");

/// The fixture, to be changed. Its numbers do not keep their text: to the proxy its content is not that of [`FIXTURE`].
pub fn fixture() -> Value {
    serde_json::from_str(FIXTURE).unwrap()
}

/// The fixture with so many features that `flags/` is worth compressing.
pub fn with_many_features(count: usize) -> Value {
    let mut document = fixture();
    let features = (0..count).map(|number| {
        let value = format!("value of feature {number}");
        feature_state(1000 + number, &format!("feature_{number}"), value)
    });
    document["feature_states"]
        .as_array_mut()
        .unwrap()
        .extend(features);
    document
}

/// The identifier of [`heavy_identity`].
pub const HEAVY_IDENTIFIER: &str = "heavy-identifier";

/// The fixture with a segment, "heavy", that takes all the work that one request may, for [`heavy_identity`].
pub fn with_heavy_segment() -> Value {
    let mut document = fixture();
    let condition = json!({"property_": "t", "operator": "REGEX", "value": r"(?=(a|a)*\1b)"});
    let segments = document["project"]["segments"].as_array_mut().unwrap();
    let mut segment = segments[0].clone();
    segment["id"] = json!(999);
    segment["name"] = json!("heavy");
    segment["rules"] = json!([{"type": "ALL", "conditions": [condition], "rules": []}]);
    segments.push(segment);
    document
}

/// The body of an identity that is heavy.
pub fn heavy_identity() -> String {
    let traits = json!([{"trait_key": "t", "trait_value": "a".repeat(100)}]);
    json!({"identifier": HEAVY_IDENTIFIER, "traits": traits}).to_string()
}
