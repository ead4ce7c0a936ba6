//! The fixture: one environment with a feature of each sort, a segment and an identity override.
use serde_json::Value;

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
