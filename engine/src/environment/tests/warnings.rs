use serde_json::json;

use super::*;

pub(super) fn warnings(document: &Value) -> Vec<String> {
    compile_with_warnings(document)
        .1
        .iter()
        .map(ToString::to_string)
        .collect()
}

fn of_condition(condition: Value) -> Vec<String> {
    let rules = json!([{"type": "ALL", "conditions": [condition]}]);
    warnings(&document(
        json!([]),
        json!([with(segment_of(7, "beta", rules, json!([])), "id", json!(7))]),
    ))
}

#[test]
fn name_the_condition_s_segment() {
    let cases = [
        (
            json!({"property_": "t", "value": "1"}),
            "a condition: it has no operator",
        ),
        (
            json!({"property_": "t", "operator": "EQUAL"}),
            "a condition: it has no value",
        ),
        (json!({"property_": {}, "operator": "EQUAL", "value": "1"}), ""),
        (
            json!({"property_": {"a": 1}, "operator": "EQUAL", "value": "1"}),
            "a condition: its property is not a string",
        ),
        (json!("text"), "a condition that is not an object"),
        (
            json!({"property_": "t", "operator": "REGEX", "value": "("}),
            "REGEX",
        ),
        (json!({"property_": "t", "operator": "EQUAL", "value": "1"}), ""),
        (json!({"property_": "t", "operator": "IS_SET"}), ""),
    ];
    for (condition, problem) in cases {
        let warnings = of_condition(condition.clone());
        if problem.is_empty() {
            assert_eq!(warnings, Vec::<String>::new(), "{condition}");
        } else {
            let [warning] = &warnings[..] else {
                panic!("{condition}: {warnings:?}")
            };
            assert!(warning.starts_with(r#"segment "beta" (id 7): "#), "{warning}");
            assert!(warning.contains(problem), "{warning}");
        }
    }
}

#[test]
fn name_parts_of_segments() {
    let in_segment = |member: &str, value: Value| {
        let segment = with(segment(7, "beta", "t", "1", json!([])), member, value);
        warnings(&document(json!([state(1, "a", json!(1))]), json!([segment])))
    };
    let broken = with(state(1, "a", json!(1)), "enabled", json!("maybe"));
    let cases = [
        in_segment("rules", json!(null)),
        in_segment("rules", json!([])),
        in_segment("rules", json!({})),
        in_segment("rules", json!([7])),
        in_segment(
            "rules",
            json!([{"type": "MORE", "conditions": [{"property_": "t", "operator": "IS_SET", "value": ""}]}]),
        ),
        in_segment("rules", json!([{"type": "ALL", "conditions": {"a": 1}}])),
        in_segment("feature_states", json!("none")),
        in_segment("feature_states", json!([broken])),
        in_segment(
            "feature_states",
            json!([prioritised(state(1, "a", json!(1)), json!("high"))]),
        ),
    ];
    for warnings in cases {
        let [warning] = &warnings[..] else {
            panic!("{warnings:?}")
        };
        assert!(warning.starts_with(r#"segment "beta" (id 7)"#), "{warning}");
    }
    assert_eq!(in_segment("feature_states", json!(null)), Vec::<String>::new());
    // Left-over overrides of features that are gone are ordinary.
    assert_eq!(
        in_segment("feature_states", json!([state(9, "gone", json!(1))])),
        Vec::<String>::new()
    );
}

#[test]
fn leave_the_rest_as_it_is() {
    let features = json!([
        state(1, "a", json!("a")),
        {"feature": {"id": 2}, "enabled": true, "feature_state_value": 1},
        with(state(3, "c", json!(1)), "enabled", json!("secret")),
        with(state(4, "d", json!(1)), "feature", json!({"id": null, "name": "d"})),
        7,
        state(5, "e", json!("e")),
    ]);
    let segments = json!([
        7,
        {"name": "no id", "rules": []},
        segment(2, "good", "t", "1", json!([state(1, "a", json!("overridden"))])),
    ]);
    let mut document = document(features, segments);
    document["identity_overrides"] = json!([
        {"identity_features": []},
        {"identifier": null, "identity_features": []},
        {"identifier": "secret", "identity_features": "none"},
        {"identifier": "secret", "identity_features": [7]},
        identity_override("i", json!([state(5, "e", json!("own"))])),
    ]);
    let (environment, warnings) = compile_with_warnings(&document);
    assert_eq!(
        values(&environment, &identity("i", &[("t", json!(1))])),
        ["overridden", "own"]
    );
    let parts: Vec<&str> = warnings.iter().map(|warning| &*warning.part).collect();
    assert_eq!(
        parts,
        [
            "feature state 2",
            "feature state 3",
            "feature state 4",
            "feature state 5",
            "segment 1 of the list",
            "segment 2 of the list",
            "identity override 1",
            "identity override 2",
            "identity override 3",
            "identity override 4",
        ]
    );
    assert!(
        warnings
            .iter()
            .all(|warning| !warning.to_string().contains("secret")),
        "{warnings:?}"
    );
}

#[test]
fn of_multivariate_options() {
    let cases = [
        (json!([{"id": 1, "multivariate_feature_option": {"value": 1}}]), 1),
        (
            json!([{"id": 1, "percentage_allocation": "half", "multivariate_feature_option": {"value": 1}}]),
            1,
        ),
        (
            json!([{"id": "x", "percentage_allocation": 1, "multivariate_feature_option": {"value": 1}}]),
            1,
        ),
        (json!([option(1, json!(1), json!(null), json!(50))]), 0),
        (json!([]), 0),
    ];
    for (options, expected) in cases {
        let document = document(
            json!([multivariate(1, "a", json!("control"), options.clone())]),
            json!([]),
        );
        assert_eq!(warnings(&document).len(), expected, "{options}");
        assert_eq!(
            evaluated(&compile_with_warnings(&document).0, None)[0].value,
            r#""control""#
        );
    }
}

#[test]
fn are_bounded() {
    let broken: Vec<Value> = (0..1000).map(|_| json!(7)).collect();
    let warnings = warnings(&document(json!(broken), json!([])));
    assert_eq!(warnings.len(), 101);
    assert_eq!(
        warnings[100],
        "environment document: 900 more parts could not be understood"
    );
}

#[test]
fn tell_of_hashing_by_database_id_once() {
    let document = with(
        document(json!([]), json!([])),
        "use_identity_composite_key_for_hashing",
        json!(false),
    );
    assert_eq!(warnings(&document).len(), 1);
}
