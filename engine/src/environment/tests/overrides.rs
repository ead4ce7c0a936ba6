use std::slice::from_ref;

use serde_json::json;

use super::*;

/// The value that everyone gets of a feature that two segments override with these priorities.
fn winner(first: Value, second: Value) -> Value {
    let everyone = || json!([{"type": "ALL", "conditions": [], "rules": []}]);
    let own = |value: &str, priority| json!([with(state(1, "a", json!(value)), "feature_segment", priority)]);
    let segments = json!([
        segment_of(1, "first", everyone(), own("first", first)),
        segment_of(2, "second", everyone(), own("second", second)),
    ]);
    let document = document(json!([state(1, "a", json!("default"))]), segments);
    values(&compile_with_warnings(&document).0, &identity("i", &[])).remove(0)
}

#[test]
fn of_segments_the_strictly_lowest_priority_wins() {
    let priority = |priority: Value| json!({"priority": priority});
    let cases = [
        (priority(json!(0)), priority(json!(1)), "first"),
        (priority(json!(1)), priority(json!(0)), "second"),
        (priority(json!(1)), priority(json!(1)), "first"),
        (priority(json!(1)), priority(json!(1.0)), "first"),
        (priority(json!(1.5)), priority(json!(1.25)), "second"),
        (priority(json!(0.0)), priority(json!(-0.0)), "first"),
        (priority(json!(null)), priority(json!(9_999_999)), "second"),
        (json!(null), priority(json!(9_999_999)), "second"),
        (json!(null), json!(null), "first"),
        (json!({}), priority(json!(5)), "second"),
        (priority(json!(-5)), priority(json!(0)), "first"),
    ];
    for (first, second, expected) in cases {
        assert_eq!(
            winner(first.clone(), second.clone()),
            expected,
            "{first} {second}"
        );
    }
}

#[test]
fn within_a_segment_too() {
    let own = json!([
        prioritised(state(1, "a", json!("weak")), json!(2)),
        prioritised(state(1, "a", json!("strong")), json!(1)),
        prioritised(state(1, "a", json!("late")), json!(1)),
    ]);
    let environment = compile(&document(
        json!([state(1, "a", json!("default"))]),
        json!([segment(1, "s", "t", "1", own)]),
    ));
    assert_eq!(
        values(&environment, &identity("i", &[("t", json!(1))])),
        ["strong"]
    );
    assert_eq!(values(&environment, &identity("i", &[])), ["default"]);
}

#[test]
fn of_several_segments_apply_to_several_features() {
    let features = json!([
        state(1, "a", json!("a")),
        state(2, "b", json!("b")),
        state(3, "c", json!("c")),
        state(4, "d", json!("d")),
        state(5, "e", json!("e")),
    ]);
    let own = |id, name: &str, value: &str, priority: u64| {
        prioritised(state(id, name, json!(value)), json!(priority))
    };
    let segments = json!([
        segment(
            1,
            "one",
            "one",
            "1",
            json!([own(4, "d", "d1", 2), own(2, "b", "b1", 2), own(3, "c", "c1", 1)])
        ),
        segment(
            2,
            "two",
            "two",
            "1",
            json!([own(3, "c", "c2", 2), own(4, "d", "d2", 1), own(9, "gone", "x", 0)])
        ),
    ]);
    let mut document = document(features, segments);
    document["identity_overrides"] = json!([identity_override(
        "own",
        json!([state(5, "e", json!("e0")), state(3, "c", json!("c0"))])
    )]);
    let environment = compile(&document);
    let (one, two) = (("one", json!(1)), ("two", json!("1")));
    type Case<'c> = (&'c str, &'c [(&'c str, Value)], [&'c str; 5]);
    let cases: [Case<'_>; 6] = [
        ("i", &[], ["a", "b", "c", "d", "e"]),
        ("i", from_ref(&one), ["a", "b1", "c1", "d1", "e"]),
        ("i", from_ref(&two), ["a", "b", "c2", "d2", "e"]),
        ("i", &[one.clone(), two.clone()], ["a", "b1", "c1", "d2", "e"]),
        ("own", &[], ["a", "b", "c0", "d", "e0"]),
        ("own", &[one.clone(), two.clone()], ["a", "b1", "c0", "d2", "e0"]),
    ];
    for (identifier, traits, expected) in cases {
        assert_eq!(
            values(&environment, &identity(identifier, traits)),
            expected,
            "{identifier} {traits:?}"
        );
    }
}

#[test]
fn of_identities_apply_to_the_exact_identifier() {
    let mut document = document(json!([state(1, "a", json!("default"))]), json!([]));
    let identifiers = ["alice", "007", "1.50", "-1", "é", "true"];
    let own = |identifier: &&str| identity_override(identifier, json!([state(1, "a", json!(identifier))]));
    document["identity_overrides"] = identifiers.iter().map(own).collect();
    let environment = compile(&document);
    for identifier in identifiers {
        assert_eq!(values(&environment, &identity(identifier, &[])), [identifier]);
    }
    for other in ["Alice", "7", "1.5", "-01", "e", "alice2", "True"] {
        assert_eq!(
            values(&environment, &identity(other, &[])),
            ["default"],
            "{other}"
        );
    }
}

#[test]
fn of_one_identity_the_first_counts_per_feature() {
    let features = json!([
        state(1, "a", json!(0)),
        state(2, "b", json!(0)),
        state(3, "c", json!(0))
    ]);
    let mut document = document(features, json!([]));
    document["identity_overrides"] = json!([
        identity_override(
            "i",
            json!([
                state(2, "b", json!(1)),
                state(2, "b", json!(2)),
                state(9, "gone", json!(1))
            ])
        ),
        identity_override("j", json!([state(1, "a", json!(5)), state(3, "c", json!(6))])),
        identity_override("i", json!([state(1, "a", json!(3)), state(2, "b", json!(4))])),
        identity_override("k", json!([])),
        identity_override("l", json!(null)),
        identity_override("i", json!([state(3, "c", json!(7))])),
    ]);
    let environment = compile(&document);
    for (identifier, expected) in [
        ("i", [3, 1, 7]),
        ("j", [5, 0, 6]),
        ("k", [0, 0, 0]),
        ("l", [0, 0, 0]),
    ] {
        let expected: Vec<Value> = expected.iter().map(|value| json!(value)).collect();
        assert_eq!(
            values(&environment, &identity(identifier, &[])),
            expected,
            "{identifier}"
        );
    }
}

#[test]
fn report_their_own_feature_id_and_the_type_known_for_it() {
    let mut features = json!([state(1, "a", json!(0)), state(2, "b", json!(0))]);
    features[1]["feature"]["type"] = json!("MULTIVARIATE");
    let mut document = document(features, json!([]));
    document["identity_overrides"] = json!([
        identity_override("i", json!([state(2, "a", json!(1))])),
        identity_override(
            "j",
            json!([with(
                state(77, "a", json!(1)),
                "feature",
                json!({"id": 77, "name": "a", "type": "X"})
            )])
        ),
    ]);
    let environment = compile(&document);
    for (identifier, id, r#type) in [
        ("i", 2, "MULTIVARIATE"),
        ("j", 77, "STANDARD"),
        ("k", 1, "STANDARD"),
    ] {
        let answer = answer(&environment, KeyKind::Client, &identity(identifier, &[]));
        assert_eq!(
            answer["flags"][0]["feature"],
            json!({"id": id, "name": "a", "type": r#type})
        );
    }
}

#[test]
fn use_their_own_options() {
    let options = |value: &str| json!([option(1, json!(value), json!(value), json!(100))]);
    let features = json!([multivariate(1, "a", json!("default control"), options("default"))]);
    let segments = json!([
        segment(
            1,
            "plain",
            "plain",
            "1",
            json!([prioritised(state(1, "a", json!("plain")), json!(2))])
        ),
        segment(
            2,
            "split",
            "split",
            "1",
            json!([prioritised(
                multivariate(1, "a", json!(0), options("split")),
                json!(1)
            )])
        ),
    ]);
    let mut document = document(features, segments);
    document["identity_overrides"] = json!([identity_override(
        "own",
        json!([multivariate(1, "a", json!(0), options("own"))])
    )]);
    let environment = compile(&document);
    let (plain, split) = (("plain", json!(1)), ("split", json!(1)));
    type Case<'c> = (&'c str, &'c [(&'c str, Value)], &'c str, Option<&'c str>);
    let cases: [Case<'_>; 5] = [
        ("i", &[], "default", Some("default")),
        ("i", from_ref(&plain), "plain", None),
        ("i", from_ref(&split), "split", Some("split")),
        ("own", &[], "own", Some("own")),
        ("own", &[plain.clone(), split.clone()], "own", Some("own")),
    ];
    for (identifier, traits, value, variant) in cases {
        let flag = &answer(&environment, KeyKind::Client, &identity(identifier, traits))["flags"][0];
        assert_eq!(flag["feature_state_value"], value);
        assert_eq!(flag.get("variant").and_then(Value::as_str), variant);
    }
}

#[test]
fn of_many_identities_are_each_found() {
    let mut document = document(
        json!([state(1, "a", json!(0)), state(2, "b", json!(0))]),
        json!([]),
    );
    let own = |index: u64| {
        identity_override(
            &format!("i{index}"),
            json!([state(1 + index % 2, ["a", "b"][index as usize % 2], json!(index))]),
        )
    };
    document["identity_overrides"] = (0..3000).map(own).collect();
    let environment = compile(&document);
    for index in 0..3000_u64 {
        let mut expected = [json!(0), json!(0)];
        expected[index as usize % 2] = json!(index);
        assert_eq!(
            values(&environment, &identity(&format!("i{index}"), &[])),
            expected
        );
    }
}

/// Each answer holds the segment's name, as its reason.
#[test]
fn what_cannot_win_takes_no_room() {
    let bytes = |count: usize| {
        let overrides: Vec<Value> = (0..count).map(|_| state(1, "f", json!(1))).collect();
        let segments = json!([segment(1, &"n".repeat(1_000), "t", "1", json!(overrides))]);
        let environment = compile(&document(json!([state(1, "f", json!(0))]), segments));
        environment.answers.bytes.len()
    };
    assert_eq!(bytes(1_000), bytes(1));
}
