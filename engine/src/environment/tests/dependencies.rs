use serde_json::json;

use super::*;

/// A segment whose only condition reads a flag.
fn reading(id: u64, path: &str, operator: &str, value: &str, overrides: Value) -> Value {
    let condition = json!({"property_": path, "operator": operator, "value": value});
    segment_of(
        id,
        &format!("s{id}"),
        json!([{"type": "ALL", "conditions": [condition]}]),
        overrides,
    )
}

#[test]
fn read_the_result_of_another_flag() {
    let options = json!([option(1, json!("one"), json!("first"), json!(100.0))]);
    let features = json!([
        state(1, "a", json!("default")),
        state(2, "b", json!("default")),
        multivariate(3, "m", json!("control"), options),
    ]);
    let cases = [
        ("$.flags.a.value", "default", "segment", "own"),
        ("$.flags['a'].enabled", "true", "true", "true"),
        ("$.flags.a.name", "a", "a", "a"),
        ("$.flags.a.metadata.id", "1", "1", "1"),
        (
            "$.flags.a.reason",
            "DEFAULT",
            "TARGETING_MATCH; segment=s",
            "TARGETING_MATCH; segment=identity_overrides",
        ),
        ("$.flags.m.variant", "first", "first", "first"),
        ("$.flags.m.value", "one", "one", "one"),
        (
            "$.flags.m.reason",
            "SPLIT; weight=100.0",
            "SPLIT; weight=100.0",
            "SPLIT; weight=100.0",
        ),
    ];
    for (path, by_default, by_segment, by_identity) in cases {
        for (body, expected) in [
            (identity("i", &[]), by_default),
            (identity("i", &[("t", json!(1))]), by_segment),
            (identity("own", &[("t", json!(1))]), by_identity),
        ] {
            for (value, matches) in [(expected, true), ("false", false)] {
                let segments = json!([
                    reading(1, path, "EQUAL", value, json!([state(2, "b", json!("depends"))])),
                    segment(2, "s", "t", "1", json!([state(1, "a", json!("segment"))])),
                ]);
                let mut document = document(features.clone(), segments);
                document["identity_overrides"] =
                    json!([identity_override("own", json!([state(1, "a", json!("own"))]))]);
                let flags = values(&compile(&document), &body);
                assert_eq!(
                    flags[1],
                    if matches { "depends" } else { "default" },
                    "{path} {value} {body}"
                );
            }
        }
    }
}

#[test]
fn read_disabled_flags_that_answers_hide() {
    let features = json!([
        with(state(1, "a", json!("x")), "enabled", json!(false)),
        state(2, "b", json!("default"))
    ]);
    let segments = json!([reading(
        1,
        "$.flags.a.enabled",
        "EQUAL",
        "false",
        json!([state(2, "b", json!("depends"))])
    )]);
    let document = with(document(features, segments), "hide_disabled_flags", json!(true));
    assert_eq!(values(&compile(&document), &identity("i", &[])), ["depends"]);
}

#[test]
fn of_unknown_flags_find_nothing() {
    for (operator, matches) in [("IS_SET", false), ("IS_NOT_SET", true)] {
        for path in [
            "$.flags.gone",
            "$.flags.gone.enabled",
            "$.flags.a.gone",
            "$.flags.a",
        ] {
            let document = document(
                json!([state(1, "a", json!(1))]),
                json!([reading(1, path, operator, "", json!([]))]),
            );
            assert_eq!(
                !matching(&compile(&document), &identity("i", &[])).is_empty(),
                matches,
                "{operator} {path}"
            );
        }
    }
}

#[test]
fn in_cycles_do_not_match() {
    // a depends on b, b on a; c on neither.
    let features = json!([
        state(1, "a", json!("a")),
        state(2, "b", json!("b")),
        state(3, "c", json!("c"))
    ]);
    let own = |id, name: &str| json!([state(id, name, json!("overridden"))]);
    let everyone = json!([{"type": "ALL", "conditions": []}]);
    let segments = json!([
        reading(1, "$.flags.b.enabled", "IS_SET", "", own(1, "a")),
        reading(2, "$.flags.a.enabled", "IS_NOT_SET", "", own(2, "b")),
        segment_of(3, "all", everyone, own(3, "c")),
        reading(4, "$.flags.self.enabled", "IS_NOT_SET", "", json!([])),
    ]);
    let environment = compile(&document(features, segments));
    assert_eq!(
        values(&environment, &identity("i", &[])),
        ["a", "b", "overridden"]
    );
    assert_eq!(matching(&environment, &identity("i", &[])), ["all", "s4"]);
}

/// Flags in a cycle have the feature state that holds otherwise, and say why.
#[test]
fn in_cycles_say_so() {
    let metadata = json!({"experiment": {"id": 1}});
    let marked = |state: Value| with(state, "metadata", metadata.clone());
    let options = json!([option(1, json!("one"), json!("first"), json!(100))]);
    let names = ["default", "segment", "split", "own", "reader", "hidden"];
    let features = json!([
        marked(state(1, "default", json!({"v": "}"}))),
        marked(state(2, "segment", json!("default"))),
        marked(multivariate(3, "split", json!("control"), options)),
        marked(state(4, "own", json!("default"))),
        state(5, "reader", json!("default")),
        with(state(6, "hidden", json!("default")), "enabled", json!(false)),
    ]);
    let everyone = json!([{"type": "ALL", "conditions": []}]);
    let cycle = |id: u64, name: &str| {
        reading(
            id,
            &format!("$.flags.{name}.enabled"),
            "IS_NOT_SET",
            "",
            json!([state(id, name, json!("cut"))]),
        )
    };
    let mut segments: Vec<Value> = (1..).zip(names).map(|(id, name)| cycle(id, name)).collect();
    // Who reads a flag in a cycle is in none.
    segments[4] = reading(
        5,
        "$.flags.default.enabled",
        "IS_NOT_SET",
        "",
        json!([state(5, "reader", json!("read"))]),
    );
    segments.push(segment_of(
        9,
        "all",
        everyone,
        json!([marked(prioritised(state(2, "segment", json!("all")), json!(1)))]),
    ));
    let mut document = with(
        document(features, json!(segments)),
        "hide_disabled_flags",
        json!(true),
    );
    document["identity_overrides"] = json!([identity_override(
        "i",
        json!([marked(state(4, "own", json!("mine")))])
    )]);
    let environment = compile(&document);
    let answer = answer(&environment, KeyKind::Client, &identity("i", &[]));
    let circular = "ERROR; code=CIRCULAR_DEPENDENCY";
    let expected = json!([
        [{"v": "}"}, circular, null, metadata],
        ["all", circular, null, metadata],
        ["one", circular, "first", metadata],
        ["mine", circular, null, null],
        ["default", "DEFAULT", null, null],
    ]);
    let flags: Vec<Value> = answer["flags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| {
            json!(["feature_state_value", "reason", "variant", "metadata"].map(|member| flag[member].clone()))
        })
        .collect();
    assert_eq!(json!(flags), expected);
    let body = identity("i", &[]).to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    for (flag, answered) in evaluated(&environment, &identity)
        .iter()
        .zip(answer["flags"].as_array().unwrap())
    {
        assert_eq!(answered["reason"], flag.reason.to_string());
        assert_eq!(flag.metadata.is_some(), !answered["metadata"].is_null());
        let single = environment
            .identity_flag(KeyKind::Client, &identity, &flag.feature.name)
            .unwrap();
        assert_eq!(&serde_json::from_slice::<Value>(&single).unwrap(), answered);
    }
}

/// Each of these flags depends on the one before.
fn chain(length: u64) -> Value {
    let name = |index: u64| format!("f{index}");
    let features = (0..length)
        .map(|index| state(index, &name(index), json!("default")))
        .collect();
    let segments = (1..length).map(|index| {
        let path = format!("$.flags.f{}.value", index - 1);
        let wanted = if index == 1 { "default" } else { "overridden" };
        reading(
            index,
            &path,
            "EQUAL",
            wanted,
            json!([state(index, &name(index), json!("overridden"))]),
        )
    });
    // The dependent comes first, so that nothing is resolved before it is read.
    document(features, segments.rev().collect())
}

#[test]
fn may_be_chained() {
    let values = values(&compile(&chain(60)), &identity("i", &[]));
    assert!(
        values[1..].iter().all(|value| value == "overridden"),
        "{values:?}"
    );
}

#[test]
fn in_endless_chains_and_dense_cycles_end() {
    let environment = compile(&chain(3000));
    assert_eq!(values(&environment, &identity("i", &[])).len(), 3000);
    let features = (0..40)
        .map(|index| state(index, &format!("f{index}"), json!(0)))
        .collect();
    let dense = (0..40).map(|index| {
        let conditions: Vec<Value> = (0..40)
            .map(|other| json!({"property_": format!("$.flags.f{other}.value"), "operator": "IS_NOT_SET", "value": ""}))
            .collect();
        let overrides = json!([state(index, &format!("f{index}"), json!(1))]);
        segment_of(index, "dense", json!([{"type": "ANY", "conditions": conditions}]), overrides)
    });
    let environment = compile(&document(features, dense.collect()));
    assert_eq!(values(&environment, &identity("i", &[])).len(), 40);
}
