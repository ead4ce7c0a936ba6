//! Environment documents for tests.
use serde_json::{Value, json};

/// The fixture: one environment with a feature of each sort, a segment and an identity override.
pub const FIXTURE: &str = include_str!("../../fixtures/environment.json");

/// The fixture, to be changed; numbers do not keep their text.
pub fn document() -> Value {
    serde_json::from_str(FIXTURE).unwrap()
}

/// The fixture with so many features that `flags/` is worth compressing.
pub fn with_many_features(count: usize) -> Value {
    let mut document = document();
    let features = (0..count).map(|number| {
        json!({
            "feature": {"id": 1000 + number, "name": format!("feature_{number}"), "type": "STANDARD"},
            "enabled": true,
            "django_id": 1000 + number,
            "feature_segment": null,
            "featurestate_uuid": format!("00000000-0000-4000-9000-{number:012}"),
            "feature_state_value": format!("value of feature {number}"),
            "multivariate_feature_state_values": [],
        })
    });
    document["feature_states"]
        .as_array_mut()
        .unwrap()
        .extend(features);
    document
}
