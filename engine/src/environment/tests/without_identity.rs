//! `flags/`: what depends on flags and the environment alone.
use serde_json::{Value, json};

use super::flags::names;
use super::*;

/// A segment as core writes it for a feature that needs another one.
fn prerequisite(id: u64, needed: &str, of: Value) -> Value {
    let condition =
        json!({"property_": format!("$.flags.{needed}.enabled"), "operator": "NOT_EQUAL", "value": "true"});
    let of = with(prioritised(of, json!(0)), "enabled", json!(false));
    segment_of(
        id,
        "prerequisite",
        json!([{"type": "ALL", "conditions": [condition]}]),
        json!([of]),
    )
}

/// The flags' values and whether they are on.
fn on(body: Vec<u8>) -> Value {
    let flags: Vec<Value> = serde_json::from_slice(&body).unwrap();
    let flags = flags
        .iter()
        .map(|flag| json!([flag["feature_state_value"], flag["enabled"]]));
    flags.collect()
}

#[test]
fn depend_on_flags_without_an_identity() {
    let off = |state: Value| with(state, "enabled", json!(false));
    let features = json!([
        off(state(1, "a", json!("a"))),
        state(2, "b", json!("b")),
        state(3, "c", json!("c")),
        state(4, "d", json!("d")),
        multivariate(
            5,
            "m",
            json!("m"),
            json!([option(1, json!("o"), json!("k"), json!(100))])
        ),
    ]);
    // b needs a; c needs b, and so does not have it either; d needs c's neighbour m, which is on; m is overridden too.
    let segments = json!([
        prerequisite(1, "b", state(3, "c", json!("no b"))),
        prerequisite(2, "a", state(2, "b", json!("no a"))),
        prerequisite(3, "m", state(4, "d", json!("no m"))),
    ]);
    let environment = compile(&document(features.clone(), segments.clone()));
    let expected = json!([
        ["a", false],
        ["no a", false],
        ["no b", false],
        ["d", true],
        ["m", true]
    ]);
    for kind in [KeyKind::Client, KeyKind::Server] {
        assert_eq!(on(environment.flags(kind)), expected);
        let single = environment.flag(kind, "b").unwrap();
        assert_eq!(on([b"[", &*single, b"]"].concat()), json!([["no a", false]]));
        assert!(!text(environment.flags(kind)).contains("reason"));
    }
    // With an identity they count too.
    assert_eq!(
        values(&environment, &identity("i", &[])),
        ["a", "no a", "no b", "d", "o"]
    );
    let mut hiding = document(features, segments);
    hiding["hide_disabled_flags"] = json!(true);
    hiding["project"]["server_key_only_feature_ids"] = json!([4]);
    let hiding = compile(&hiding);
    assert_eq!(names(hiding.flags(KeyKind::Server)), ["d", "m"]);
    assert_eq!(names(hiding.flags(KeyKind::Client)), ["m"]);
    assert_eq!(hiding.flag(KeyKind::Server, "b"), None);
}

/// An override without an identity may show what is hidden by default, and be multivariate.
#[test]
fn that_are_shown_by_a_dependency() {
    let options = json!([option(1, json!("o"), json!("k"), json!(100))]);
    let features = json!([
        with(state(1, "a", json!("a")), "enabled", json!(false)),
        state(2, "b", json!("b"))
    ]);
    let condition = json!({"property_": "$.flags['b'].enabled", "operator": "EQUAL", "value": "true"});
    let segments = json!([segment_of(
        1,
        "s",
        json!([{"type": "ALL", "conditions": [condition]}]),
        json!([multivariate(1, "a", json!("shown"), options)])
    )]);
    let mut document = document(features, segments);
    document["hide_disabled_flags"] = json!(true);
    let environment = compile(&document);
    assert_eq!(
        on(environment.flags(KeyKind::Client)),
        json!([["shown", true], ["b", true]])
    );
    assert!(!text(environment.flags(KeyKind::Client)).contains("variant"));
}

/// Which segments count without an identity: each overrides `a`, and holds without one.
#[test]
fn depend_on_nothing_but_flags_and_the_environment() {
    let set = |path: &str| json!({"property_": path, "operator": "IS_SET", "value": ""});
    let unset = |path: &str| json!({"property_": path, "operator": "IS_NOT_SET", "value": ""});
    let flag = || set("$.flags.b.enabled");
    let nested =
        |kind: &str, inner: Value| json!([{"type": "ALL", "rules": [{"type": kind, "conditions": inner}]}]);
    let all = |conditions: Value| json!([{"type": "ALL", "conditions": conditions}]);
    let cases = [
        (all(json!([flag()])), true),
        (nested("ANY", json!([flag(), set("$.environment.name")])), true),
        (all(json!([flag(), set("$.environment['name']")])), true),
        (all(json!([set("$.environment.name")])), false),
        (all(json!([])), false),
        (all(json!([flag(), unset("plan")])), false),
        (all(json!([flag(), unset("$.identity.identifier")])), false),
        (all(json!([flag(), unset("$.flags")])), false),
        (all(json!([unset("$.flags")])), false),
        (all(json!([unset("$.flags[")])), false),
        (all(json!([flag(), set("$.features.b.name")])), false),
        (nested("NONE", json!([unset("$.flags.b.enabled")])), true),
        (
            nested("NONE", json!([unset("$.flags.b.enabled"), set("plan")])),
            false,
        ),
    ];
    for (rules, counts) in cases {
        let features = json!([state(1, "a", json!("default")), state(2, "b", json!(1))]);
        let segments = json!([segment_of(
            1,
            "s",
            rules.clone(),
            json!([state(1, "a", json!("segment"))])
        )]);
        let environment = compile(&document(features, segments));
        let expected = if counts { "segment" } else { "default" };
        assert_eq!(on(environment.flags(KeyKind::Client))[0][0], expected, "{rules}");
        assert_eq!(evaluated(&environment, None)[0].value, r#""segment""#, "{rules}");
    }
    // A segment that needs an identity is not in the way of one that needs none, nor does a flag read it.
    let everyone = json!([{"type": "ALL", "conditions": []}]);
    let features = json!([
        with(state(1, "a", json!("a")), "enabled", json!(false)),
        state(2, "b", json!("b"))
    ]);
    let segments = json!([
        segment_of(1, "all", everyone, json!([state(1, "a", json!("on for all"))])),
        prerequisite(2, "a", state(2, "b", json!("no a"))),
    ]);
    let environment = compile(&document(features, segments));
    assert_eq!(
        on(environment.flags(KeyKind::Client)),
        json!([["a", false], ["no a", false]])
    );
    assert_eq!(values(&environment, &identity("i", &[])), ["on for all", "b"]);
}
