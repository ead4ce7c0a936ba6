//! Environment documents to serve.
use serde_json::{Value, json};

/// The client-side key of every document here.
pub const CLIENT_KEY: &str = "bench-client-key";

/// Ten features, no segment.
pub fn simple() -> Value {
    let features: Vec<Value> = (1..=10).map(feature).collect();
    json!({
        "id": 1,
        "name": "bench",
        "api_key": CLIENT_KEY,
        "updated_at": "2026-11-20T10:00:00.123456+00:00",
        "hide_disabled_flags": null,
        "hide_sensitive_data": false,
        "allow_client_traits": true,
        "use_identity_composite_key_for_hashing": true,
        "project": {
            "id": 1,
            "name": "bench",
            "hide_disabled_flags": false,
            "enable_realtime_updates": true,
            "server_key_only_feature_ids": [],
            "organisation": {
                "id": 1,
                "name": "bench",
                "feature_analytics": false,
                "stop_serving_flags": false,
                "persist_trait_data": true,
            },
            "segments": [],
        },
        "feature_states": features,
        "identity_overrides": [],
    })
}

fn feature(id: u32) -> Value {
    let value = match id % 4 {
        0 => json!("on"),
        1 => json!(42),
        2 => json!("a longer value of a feature flag"),
        _ => Value::Null,
    };
    json!({
        "feature": {"id": id, "name": format!("feature_{id}"), "type": "STANDARD"},
        "enabled": true,
        "django_id": id * 1000,
        "feature_segment": null,
        "featurestate_uuid": format!("00000000-0000-4000-8000-{id:012}"),
        "feature_state_value": value,
        "multivariate_feature_state_values": [],
    })
}
