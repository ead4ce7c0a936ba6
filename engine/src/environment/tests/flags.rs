use serde_json::{Value, json};

use super::*;

pub(super) fn names(body: Vec<u8>) -> Vec<String> {
    let flags: Vec<Value> = serde_json::from_slice(&body).unwrap();
    flags
        .iter()
        .map(|flag| flag["feature"]["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn are_the_defaults_in_document_order() {
    let page = r#"{"id":"a","name":"N","api_key":"key","project":{},"feature_states":[
        {"feature":{"id":2,"name":"b \"é","type":"STANDARD"},"enabled":true,"feature_state_value":1.50},
        {"feature":{"id":1,"name":"a","type":"MULTIVARIATE"},"enabled":false,"feature_state_value":123456789012345678901,
         "multivariate_feature_state_values":[{"id":1,"percentage_allocation":100,"multivariate_feature_option":{"value":"x"}}]},
        {"feature":{"id":"three","name":"c"},"enabled":true,"feature_state_value":{ "a": [1, 2] }},
        {"feature":{"id":4,"name":"d","type":"STANDARD"},"enabled":true}]}"#;
    let document = Document::from_pages(vec![Bytes::from_static(page.as_bytes())]).unwrap();
    let (environment, _) = Environment::compile(&document).unwrap();
    let expected = concat!(
        r#"[{"feature":{"id":2,"name":"b \"é","type":"STANDARD"},"enabled":true,"feature_state_value":1.50},"#,
        r#"{"feature":{"id":1,"name":"a","type":"MULTIVARIATE"},"enabled":false,"feature_state_value":123456789012345678901},"#,
        r#"{"feature":{"id":"three","name":"c","type":"STANDARD"},"enabled":true,"feature_state_value":{"a":[1,2]}},"#,
        r#"{"feature":{"id":4,"name":"d","type":"STANDARD"},"enabled":true,"feature_state_value":null}]"#
    );
    for kind in [KeyKind::Client, KeyKind::Server] {
        assert_eq!(text(environment.flags(kind)), expected);
    }
    assert_eq!((environment.id(), environment.name()), (r#""a""#, "N"));
    let has = ["a", "b \"é", "A", ""].map(|name| environment.has_feature(name));
    assert_eq!(has, [true, true, false, false]);
    assert_eq!(
        text(compile(&document_without_features()).flags(KeyKind::Client)),
        "[]"
    );
}

fn document_without_features() -> Value {
    document(json!([]), json!([]))
}

#[test]
fn need_no_segment() {
    let everyone = json!([{"type": "ALL", "conditions": [], "rules": []}]);
    let overrides = json!([prioritised(state(1, "a", json!("overridden")), json!(0))]);
    let environment = compile(&document(
        json!([state(1, "a", json!("default"))]),
        json!([segment_of(1, "all", everyone, overrides)]),
    ));
    assert!(text(environment.flags(KeyKind::Client)).contains("default"));
    assert_eq!(evaluated(&environment, None)[0].value, r#""overridden""#);
}

#[test]
fn for_server_side_keys_only_are_hidden_from_client_side_keys() {
    let features = json!([
        state(1, "a", json!(1)),
        state(2, "b", json!(2)),
        state(3, "c", json!(3))
    ]);
    let mut document = document(features, json!([]));
    document["project"]["server_key_only_feature_ids"] = json!([2]);
    let overrides = |id| json!([identity_override("i", json!([state(id, "a", json!("own"))]))]);
    document["identity_overrides"] = overrides(1);
    let environment = compile(&document);
    assert_eq!(names(environment.flags(KeyKind::Client)), ["a", "c"]);
    assert_eq!(names(environment.flags(KeyKind::Server)), ["a", "b", "c"]);
    assert_eq!(environment.flag(KeyKind::Client, "b"), None);
    assert!(environment.flag(KeyKind::Server, "b").is_some());
    assert_eq!(
        values(&environment, &identity("i", &[])),
        [json!("own"), json!(2), json!(3)]
    );
    let client = answer(&environment, KeyKind::Client, &identity("i", &[]));
    assert_eq!(client["flags"].as_array().unwrap().len(), 2);
    // An override that reports a hidden feature's id is hidden too.
    document["identity_overrides"] = overrides(2);
    let client = answer(&compile(&document), KeyKind::Client, &identity("i", &[]));
    assert_eq!(client["flags"][0]["feature"]["name"], "c");
}

#[test]
fn of_duplicate_names_are_hidden_by_any_id() {
    let features = json!([
        state(1, "a", json!(1)),
        state(2, "b", json!(2)),
        state(3, "a", json!(3))
    ]);
    let mut document = document(features, json!([]));
    assert_eq!(
        values(&compile(&document), &identity("i", &[])),
        [json!(3), json!(2)]
    );
    for id in [1, 3] {
        document["project"]["server_key_only_feature_ids"] = json!([id]);
        assert_eq!(names(compile(&document).flags(KeyKind::Client)), ["b"], "{id}");
    }
}

#[test]
fn that_are_disabled_are_hidden_where_the_environment_or_else_the_project_says_so() {
    let off = |value: Value| with(value, "enabled", json!(false));
    let features = json!([
        state(1, "on", json!(1)),
        off(state(2, "off", json!(2))),
        off(state(3, "own", json!(3)))
    ]);
    let overridden = json!([identity_override(
        "i",
        json!([off(state(1, "on", json!(1))), state(3, "own", json!("own"))])
    ),]);
    let cases = [
        (json!(null), json!(false), false),
        (json!(null), json!(true), true),
        (json!(true), json!(false), true),
        (json!(false), json!(true), false),
        (json!(true), json!(null), true),
    ];
    for (in_environment, in_project, hides) in cases {
        let mut document = document(features.clone(), json!([]));
        document["hide_disabled_flags"] = in_environment;
        document["project"]["hide_disabled_flags"] = in_project;
        document["identity_overrides"] = overridden.clone();
        let environment = compile(&document);
        for kind in [KeyKind::Client, KeyKind::Server] {
            let expected: &[&str] = if hides { &["on"] } else { &["on", "off", "own"] };
            assert_eq!(names(environment.flags(kind)), expected);
            assert_eq!(environment.flag(kind, "off").is_none(), hides);
        }
        let expected = if hides {
            vec![json!("own")]
        } else {
            vec![json!(1), json!(2), json!("own")]
        };
        assert_eq!(values(&environment, &identity("i", &[])), expected);
    }
}

#[test]
fn are_found_by_exact_name_then_without_case() {
    let features = json!([
        state(1, "Flag", json!(1)),
        state(2, "flag", json!(2)),
        state(3, "GRÖSSE", json!(3)),
        state(4, "Hidden", json!(4)),
        state(5, "hidden", json!(5)),
    ]);
    let mut document = document(features, json!([]));
    document["project"]["server_key_only_feature_ids"] = json!([4]);
    let environment = compile(&document);
    let found = |kind, name: &str| {
        let flag: Value = serde_json::from_slice(&environment.flag(kind, name)?).unwrap();
        Some(flag["feature"]["id"].as_u64().unwrap())
    };
    let cases = [
        ("Flag", Some(1)),
        ("flag", Some(2)),
        ("FLAG", Some(1)),
        ("größe", None),
        ("grösse", Some(3)),
    ];
    for (name, id) in cases
        .into_iter()
        .chain([("", None), ("fla", None), ("HIDDEN", Some(4))])
    {
        assert_eq!(found(KeyKind::Server, name), id, "{name}");
    }
    assert_eq!(found(KeyKind::Client, "Hidden"), None);
    assert_eq!(found(KeyKind::Client, "HIDDEN"), Some(5));
}

#[test]
fn may_be_stopped_by_the_organisation() {
    let mut document = document_without_features();
    assert!(!compile(&document).stops_serving_flags());
    for (stops, expected) in [(json!(true), true), (json!(false), false), (json!(null), false)] {
        document["project"]["organisation"] = json!({"stop_serving_flags": stops});
        assert_eq!(compile(&document).stops_serving_flags(), expected);
    }
}
