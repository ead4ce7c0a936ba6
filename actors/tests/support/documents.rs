//! Small environment documents for tests.

/// An environment document with one feature, `banner`, of this value.
pub fn document(value: &str, updated_at: &str) -> String {
    page(value, updated_at, &[])
}

/// The same with identity overrides of these identifiers.
pub fn page(value: &str, updated_at: &str, identifiers: &[&str]) -> String {
    let overrides: Vec<String> = identifiers
        .iter()
        .map(|identifier| identity_override(identifier))
        .collect();
    format!(
        r#"{{"id":1,"name":"Test","api_key":"client","updated_at":"{updated_at}","hide_disabled_flags":null,
        "hide_sensitive_data":false,"allow_client_traits":true,"use_identity_composite_key_for_hashing":true,
        "project":{{"id":1,"name":"Project","hide_disabled_flags":false,"segments":[],"server_key_only_feature_ids":[],
        "enable_realtime_updates":false,"organisation":{{"id":1,"name":"Organisation","feature_analytics":false,
        "stop_serving_flags":false,"persist_trait_data":true}}}},
        "feature_states":[{state}],"identity_overrides":[{overrides}]}}"#,
        state = feature_state(value),
        overrides = overrides.join(",")
    )
}

/// A later page: identity overrides and nothing else of interest.
pub fn later_page(identifiers: &[&str]) -> String {
    page("ignored", "2024-01-01T00:00:00+00:00", identifiers)
}

fn feature_state(value: &str) -> String {
    format!(
        r#"{{"django_id":1,"featurestate_uuid":"00000000-0000-0000-0000-000000000001","enabled":true,
        "feature":{{"id":1,"name":"banner","type":"STANDARD"}},"feature_state_value":"{value}",
        "feature_segment":null,"multivariate_feature_state_values":[]}}"#
    )
}

fn identity_override(identifier: &str) -> String {
    format!(
        r#"{{"identifier":"{identifier}","identity_uuid":"00000000-0000-0000-0000-000000000002",
        "created_date":"2024-01-01T00:00:00+00:00","environment_api_key":"client","identity_traits":[],
        "identity_features":[{state}],"composite_key":"client_{identifier}","django_id":null}}"#,
        state = feature_state("overridden")
    )
}
