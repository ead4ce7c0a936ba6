//! The parts of an environment document, in the format of Flagsmith's `/api/v1/environment-document/`.
use serde_json::{Value, json};

/// An environment of this client-side key with these features, without segments and identity overrides.
pub fn environment(client_side_key: &str, updated_at: &str, feature_states: Vec<Value>) -> Value {
    json!({
        "id": 1,
        "name": "Test",
        "api_key": client_side_key,
        "updated_at": updated_at,
        "hide_disabled_flags": null,
        "hide_sensitive_data": false,
        "allow_client_traits": true,
        "use_identity_composite_key_for_hashing": true,
        "project": {
            "id": 1,
            "name": "Project",
            "hide_disabled_flags": false,
            "enable_realtime_updates": true,
            "server_key_only_feature_ids": [],
            "segments": [],
            "organisation": {
                "id": 1,
                "name": "Organisation",
                "feature_analytics": false,
                "stop_serving_flags": false,
                "persist_trait_data": true,
            },
        },
        "feature_states": feature_states,
        "identity_overrides": [],
    })
}

/// An enabled feature of this id and name with its value in the environment.
pub fn feature_state(id: usize, name: &str, value: impl Into<Value>) -> Value {
    json!({
        "feature": {"id": id, "name": name, "type": "STANDARD"},
        "enabled": true,
        "django_id": id,
        "featurestate_uuid": uuid(id),
        "feature_segment": null,
        "feature_state_value": value.into(),
        "multivariate_feature_state_values": [],
    })
}

/// What one identity of the environment sees instead.
pub fn identity_override(client_side_key: &str, identifier: &str, feature_states: &[Value]) -> Value {
    json!({
        "identifier": identifier,
        "identity_uuid": uuid(0),
        "created_date": "2026-01-01T00:00:00Z",
        "environment_api_key": client_side_key,
        "django_id": null,
        "identity_traits": [],
        "identity_features": feature_states,
    })
}

/// The version 4 UUID with this number in it.
pub fn uuid(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}
