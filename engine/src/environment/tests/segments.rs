use serde_json::json;

use super::*;

fn condition(property: &str, operator: &str, value: Value) -> Value {
    json!({"property_": property, "operator": operator, "value": value})
}

fn environment_of(rules: Value) -> Environment {
    compile_with_warnings(&document(
        json!([]),
        json!([segment_of(1, "s", rules, json!([]))]),
    ))
    .0
}

fn matches(rules: Value, body: &Value) -> bool {
    !matching(&environment_of(rules), body).is_empty()
}

/// Conditions that hold, do not hold and raise for every identity.
fn parts() -> [Value; 3] {
    [
        condition("t", "EQUAL", json!("1")),
        condition("t", "EQUAL", json!("2")),
        condition("t", "MODULO", json!("0|0")),
    ]
}

#[test]
fn rules_combine_conditions_and_rules_by_type_lazily() {
    let [yes, no, raise] = parts();
    let rule = |kind: &str, conditions: Vec<&Value>, rules: Vec<Value>| json!({"type": kind, "conditions": conditions, "rules": rules});
    let all = |conditions: Vec<&Value>| rule("ALL", conditions, vec![]);
    let cases = [
        (json!([]), false),
        (json!([all(vec![])]), true),
        (json!([rule("ANY", vec![], vec![])]), true),
        (json!([rule("NONE", vec![], vec![])]), true),
        (json!([rule("MORE", vec![], vec![])]), true),
        (json!([rule("MORE", vec![&yes], vec![])]), false),
        (json!([all(vec![&yes, &yes])]), true),
        (json!([all(vec![&yes, &no])]), false),
        (json!([rule("ANY", vec![&no, &yes], vec![])]), true),
        (json!([rule("ANY", vec![&no, &no], vec![])]), false),
        (json!([rule("NONE", vec![&no, &no], vec![])]), true),
        (json!([rule("NONE", vec![&no, &yes], vec![])]), false),
        // All top-level rules, and both parts of each.
        (json!([all(vec![&yes]), all(vec![&no])]), false),
        (json!([all(vec![&yes]), all(vec![&yes])]), true),
        (json!([rule("ALL", vec![&yes], vec![all(vec![&no])])]), false),
        (json!([rule("NONE", vec![&no], vec![all(vec![&no])])]), true),
        (json!([rule("NONE", vec![&no], vec![all(vec![&yes])])]), false),
        (json!([rule("ANY", vec![&no], vec![all(vec![&yes])])]), false),
        // A raise makes the segment not match where it is reached, under NONE too.
        (json!([all(vec![&yes, &raise])]), false),
        (json!([all(vec![&no, &raise])]), false),
        (json!([rule("ANY", vec![&yes, &raise], vec![])]), true),
        (json!([rule("ANY", vec![&raise, &yes], vec![])]), false),
        (json!([rule("NONE", vec![&raise], vec![])]), false),
        (json!([rule("NONE", vec![], vec![all(vec![&raise])])]), false),
        (
            json!([rule("NONE", vec![], vec![rule("MORE", vec![&yes], vec![])])]),
            false,
        ),
        (json!([rule("NONE", vec![], vec![all(vec![&no, &raise])])]), true),
        // The conditions do not spare the rules.
        (json!([rule("ANY", vec![&yes], vec![all(vec![&raise])])]), false),
    ];
    for (rules, expected) in cases {
        assert_eq!(
            matches(rules.clone(), &identity("i", &[("t", json!(1))])),
            expected,
            "{rules}"
        );
    }
}

#[test]
fn parts_that_are_missing_are_empty() {
    let cases = [
        (json!(null), false),
        (json!([{"type": "ALL"}]), true),
        (json!([{"type": "ALL", "conditions": null, "rules": null}]), true),
        (json!([{"conditions": [], "rules": []}]), true),
    ];
    for (rules, expected) in cases {
        assert_eq!(matches(rules.clone(), &identity("i", &[])), expected, "{rules}");
    }
}

#[test]
fn properties() {
    let holds = |property: Value, value: &str, body: &Value| {
        let condition = json!({"property_": property, "operator": "EQUAL", "value": value});
        matches(json!([{"type": "ALL", "conditions": [condition]}]), body)
    };
    let body = identity(
        "007",
        &[
            ("t", json!("x")),
            ("", json!("blank")),
            ("a-b", json!(5)),
            ("$.", json!("invalid path")),
            ("$.identity", json!("object")),
            ("$.identity.traits.gone", json!("nothing")),
            ("$.identity.identifier", json!("forged")),
            ("$.environment.name", json!("forged")),
            ("null", json!(null)),
            ("$.identity.traits.null", json!("no path finds it")),
        ],
    );
    let cases = [
        ("t", "x"),
        ("", "blank"),
        ("$.identity.identifier", "7"),
        ("$.identity.key", "key_007"),
        ("$.identity.traits.t", "x"),
        ("$.identity.traits['t']", "x"),
        ("$.identity.traits.a-b", "5"),
        ("$.identity['traits'].t", "x"),
        ("$.environment.name", "Test"),
        ("$.environment.key", "key"),
        ("$.segments['1'].name", "s"),
        ("$.segments['1'].rules[0].conditions[0].operator", "EQUAL"),
        ("$..identifier", "7"),
        ("$.", "invalid path"),
        ("$.identity", "object"),
        ("$.identity.traits.gone", "nothing"),
        ("$.identity.traits.null", "no path finds it"),
    ];
    for (property, value) in cases {
        assert!(holds(json!(property), value, &body), "{property}");
        assert!(!holds(json!(property), "another", &body), "{property}");
    }
    for property in ["$.identity.identifier", "$.environment.name"] {
        assert!(!holds(json!(property), "forged", &body), "{property}");
    }
    for blank in [json!(null), json!(false), json!(0)] {
        assert!(holds(blank, "blank", &body));
    }
    let condition = json!({"property": "t", "operator": "EQUAL", "value": "x"});
    assert!(matches(
        json!([{"type": "ALL", "conditions": [condition]}]),
        &body
    ));
}

#[test]
fn features_are_read_as_the_document_has_them() {
    let mut first = multivariate(
        7,
        "a",
        json!("x"),
        json!([option(3, json!(1), json!("k"), json!(12.5))]),
    );
    first["feature_segment"] = json!({"priority": 4});
    let reads = |path: &str, value: &str| {
        let rules = json!([{"type": "ALL", "conditions": [condition(path, "EQUAL", json!(value))]}]);
        let environment = compile(&document(
            json!([first.clone()]),
            json!([segment_of(1, "s", rules, json!([]))]),
        ));
        !matching(&environment, &identity("i", &[])).is_empty()
    };
    let cases = [
        ("$.features.a.key", "700"),
        ("$.features.a.value", "x"),
        ("$.features.a.enabled", "true"),
        ("$.features.a.priority", "4"),
        ("$.features.a.metadata.id", "7"),
        ("$.features.a.variants[0].weight", "12.5"),
        ("$.features.a.variants[0].priority", "3"),
        ("$.features.a.variants[0].key", "k"),
        ("$.features[?@.value == $.features.a.value].name", "a"),
    ];
    for (path, value) in cases {
        assert!(reads(path, value), "{path}");
        assert!(
            !reads(path, if value == "true" { "false" } else { "9" }),
            "{path}"
        );
    }
}

#[test]
fn percentage_splits_hash_the_segment_and_the_value() {
    let split = |property: Value, percentage: f64| {
        let condition =
            json!({"property_": property, "operator": "PERCENTAGE_SPLIT", "value": percentage.to_string()});
        json!([{"type": "ALL", "conditions": [condition]}])
    };
    let body = identity("i", &[("t", json!("007")), ("", json!("blank"))]);
    let hash = crate::hashing::hashed_percentage;
    for (property, value) in [
        (json!(""), "key_i"),
        (json!(null), "key_i"),
        (json!("t"), "7"),
        (json!("$.identity.key"), "key_i"),
    ] {
        let percentage = hash("1", value);
        assert!(matches(split(property.clone(), percentage), &body), "{property}");
        assert!(
            !matches(split(property.clone(), percentage - 0.001), &body),
            "{property}"
        );
    }
    assert!(!matches(split(json!("unset"), 100.0), &body));
    let everyone = environment_of(split(json!(""), 100.0));
    assert_eq!(everyone.matching_segments(None), Vec::<&str>::new());
}

#[test]
fn of_duplicate_ids_have_the_later_content_at_the_first_place() {
    let segments = json!([
        segment(1, "first", "t", "1", json!([state(1, "a", json!("first"))])),
        segment(
            2,
            "other",
            "t",
            "2",
            json!([prioritised(state(1, "a", json!("other")), json!(2))])
        ),
        with(
            segment(
                3,
                "later",
                "t",
                "2",
                json!([prioritised(state(1, "a", json!("later")), json!(1))])
            ),
            "id",
            json!("1")
        ),
    ]);
    let environment = compile(&document(json!([state(1, "a", json!("default"))]), segments));
    for (value, segments, flag) in [(1, vec![], "default"), (2, vec!["later", "other"], "later")] {
        let body = identity("i", &[("t", json!(value))]);
        assert_eq!(matching(&environment, &body), segments);
        assert_eq!(values(&environment, &body), [flag]);
    }
}

#[test]
fn without_an_identity_read_the_environment_alone() {
    let rules = |property: &str, value: &str| json!([{"type": "ALL", "conditions": [condition(property, "EQUAL", json!(value))]}]);
    let cases = [
        ("$.environment.name", "Test", true),
        ("$.identity.identifier", "i", false),
        ("t", "1", false),
    ];
    for (property, value, matches) in cases {
        let environment = environment_of(rules(property, value));
        assert_eq!(
            !environment.matching_segments(None).is_empty(),
            matches,
            "{property}"
        );
    }
}
