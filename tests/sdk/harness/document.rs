//! The environment that flags are evaluated with.
use serde_json::{Value, json};
use test_support::documents::{environment, feature_state, identity_override};

use super::flagsmith::{CLIENT_SIDE_KEY, updated_at};

/// Conditions: the name of the feature that is on for who meets it, the trait, the operator, the condition's value.
const CONDITIONS: [(&str, &str, &str, &str); 19] = [
    ("plan_is_pro", "plan", "EQUAL", "pro"),
    ("plan_is_not_pro", "plan", "NOT_EQUAL", "pro"),
    ("adult", "age", "GREATER_THAN_INCLUSIVE", "18"),
    ("child", "age", "LESS_THAN", "18"),
    ("fast", "speed", "GREATER_THAN", "0.5"),
    ("slow", "speed", "LESS_THAN_INCLUSIVE", "0.5"),
    ("tester", "beta", "EQUAL", "true"),
    ("no_tester", "beta", "EQUAL", "false"),
    ("somewhere", "country", "IN", "de,fr,42"),
    ("somewhere_listed", "country", "IN", "[\"de\",\"pt\"]"),
    ("company", "email", "CONTAINS", "@example.com"),
    ("no_company", "email", "NOT_CONTAINS", "@example.com"),
    ("numbered", "email", "REGEX", "^[a-z]+\\d+@"),
    ("recent", "version", "GREATER_THAN_INCLUSIVE", "2.0.0:semver"),
    ("third", "age", "MODULO", "3|1"),
    ("has_plan", "plan", "IS_SET", ""),
    ("has_no_plan", "plan", "IS_NOT_SET", ""),
    ("thirty_percent", "", "PERCENTAGE_SPLIT", "30"),
    ("half_of_countries", "country", "PERCENTAGE_SPLIT", "50"),
];

/// The names of the features that one condition each turns on.
pub(crate) fn operators() -> impl Iterator<Item = &'static str> {
    CONDITIONS.into_iter().map(|(feature, ..)| feature)
}

/// A document with values of all types, a multivariate feature, one in an experiment, a feature for each condition above,
/// a limit that two segments override, and overrides of `identity-7` and `identity-14`.
pub(crate) fn document() -> Value {
    let mut features = vec![
        feature_state(1, "banner", "version 0"),
        off(feature_state(2, "dark_mode", Value::Null)),
        feature_state(3, "limit", 10),
        feature_state(4, "is_public", true),
        feature_state(5, "layout", r#"{"columns": 2, "names": ["ä", "b"]}"#),
        multivariate(6, "colour", [("green", 25.0), ("blue", 35.5)]),
        experiment(multivariate(7, "checkout", [("short", 50.0), ("long", 50.0)])),
        feature_state(8, "nothing", ""),
        feature_state(9, "secret", "of the server"),
    ];
    let mut segments = Vec::new();
    for (number, (name, property, operator, value)) in (0..).zip(CONDITIONS) {
        let id = 100 + number;
        features.push(off(feature_state(id, name, "off")));
        let condition = json!({"property_": property, "operator": operator, "value": value});
        segments.push(segment(
            id,
            name,
            condition,
            vec![overriding(id, name, "on", None)],
        ));
    }
    let is_pro = json!({"property_": "plan", "operator": "EQUAL", "value": "pro"});
    let is_adult = json!({"property_": "age", "operator": "GREATER_THAN_INCLUSIVE", "value": "18"});
    segments.push(segment(
        201,
        "adults' limit",
        is_adult,
        vec![overriding(3, "limit", 20, Some(2))],
    ));
    segments.push(segment(
        202,
        "pro's limit",
        is_pro,
        vec![overriding(3, "limit", 50, Some(1))],
    ));
    let mut document = environment(CLIENT_SIDE_KEY, &updated_at(0), features);
    document["project"]["segments"] = segments.into();
    document["project"]["server_key_only_feature_ids"] = json!([9]);
    document["use_identity_overrides_in_local_eval"] = true.into();
    document["identity_overrides"] = ["identity-7", "identity-14"]
        .map(|identifier| {
            let overrides = [
                feature_state(3, "limit", 1000),
                feature_state(2, "dark_mode", identifier),
            ];
            identity_override(CLIENT_SIDE_KEY, identifier, &overrides)
        })
        .to_vec()
        .into();
    document
}

fn off(mut state: Value) -> Value {
    state["enabled"] = false.into();
    state
}

fn overriding(id: usize, name: &str, value: impl Into<Value>, priority: Option<u64>) -> Value {
    let mut state = feature_state(id, name, value);
    state["django_id"] = (1000 + id).into();
    state["feature_segment"] = json!({"priority": priority.unwrap_or(0)});
    state
}

fn segment(id: usize, name: &str, condition: Value, feature_states: Vec<Value>) -> Value {
    let any = json!({"type": "ANY", "conditions": [condition], "rules": []});
    json!({
        "id": id,
        "name": name,
        "rules": [{"type": "ALL", "conditions": [], "rules": [any]}],
        "feature_states": feature_states,
    })
}

fn multivariate(id: usize, name: &str, options: [(&str, f64); 2]) -> Value {
    let mut state = feature_state(id, name, "control value");
    state["feature"]["type"] = "MULTIVARIATE".into();
    let options = (1..).zip(options).map(|(number, (value, percentage))| {
        let id = 10 * id + number;
        json!({
            "id": id,
            "mv_fs_value_uuid": test_support::documents::uuid(id),
            "percentage_allocation": percentage,
            "multivariate_feature_option": {"id": id, "value": value, "key": format!("the-{value}-one")},
        })
    });
    state["multivariate_feature_state_values"] = options.collect();
    state
}

fn experiment(mut state: Value) -> Value {
    state["metadata"] = json!({"experiment": {"id": 77, "name": "Which checkout", "in_experiment": true}});
    state
}
