//! The work that one evaluation may do.
use serde_json::json;

use super::*;
use crate::{LightWork, MOST_STEPS, TooMuchWork};

fn condition(property: &str, operator: &str, value: &str) -> Value {
    json!({"property_": property, "operator": operator, "value": value})
}

/// A segment whose rule has this type and these conditions, and which overrides the feature `f`.
fn with_conditions(id: u64, kind: &str, conditions: Vec<Value>) -> Value {
    let rules = json!([{"type": kind, "conditions": conditions}]);
    segment_of(
        id,
        &format!("s{id}"),
        rules,
        json!([prioritised(state(1, "f", json!("overridden")), json!(id))]),
    )
}

fn environment(segments: Vec<Value>) -> Environment {
    compile(&document(
        json!([state(1, "f", json!("default"))]),
        json!(segments),
    ))
}

/// The value of `f`, and how many steps it took.
fn ask(environment: &Environment, body: &Value) -> (Value, u32) {
    let body = body.to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    let (answer, steps) = environment.identity_answer_counted(KeyKind::Server, &identity);
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    (answer["flags"][0]["feature_state_value"].clone(), steps)
}

fn many_traits(value: impl Fn(usize) -> Value) -> Value {
    let traits: Vec<Value> = (0..1000)
        .map(|number| json!({"trait_key": format!("t{number}"), "trait_value": value(number)}))
        .collect();
    json!({"identifier": "i", "traits": traits})
}

/// The catastrophic pattern, and a trait that it is one for.
fn catastrophic() -> (Value, Value) {
    let condition = condition("t", "REGEX", r"(?=(a|a)*\1b)");
    (condition, identity("secret", &[("t", json!("a".repeat(100)))]))
}

#[test]
fn counts_nothing_where_nothing_depends_on_what_was_sent() {
    let environment = environment(vec![with_conditions(
        1,
        "ALL",
        vec![condition("t", "EQUAL", "x")],
    )]);
    assert_eq!(
        ask(&environment, &identity("i", &[("t", json!("x"))])),
        (json!("overridden"), 0)
    );
}

#[test]
fn counts_hashes_by_their_bytes() {
    let splits = |count| vec![condition("", "PERCENTAGE_SPLIT", "100"); count];
    let environment = environment(vec![with_conditions(1, "ALL", splits(100))]);
    let steps = |identifier: &str| ask(&environment, &identity(identifier, &[])).1;
    assert_eq!(steps(&"x".repeat(1000)) - steps(&"x".repeat(500)), 100 * 500 * 2);
    assert_eq!(
        steps(&"é".repeat(500)),
        steps(&"x".repeat(1000)),
        "bytes, not characters"
    );
}

#[test]
fn counts_literal_patterns_of_paths_as_compiled_once() {
    let path = "$.identity.traits[?match(@,'zz.*')]";
    let environment = environment(vec![with_conditions(
        1,
        "ALL",
        vec![condition(path, "IS_SET", "")],
    )]);
    let (value, steps) = ask(&environment, &many_traits(|number| json!(format!("y{number}"))));
    assert_eq!(value, "default");
    assert!(
        steps < 200_000,
        "{steps}: a hundredth of compiling a pattern a trait"
    );
    assert_eq!(ask(&environment, &many_traits(|_| json!("zzz"))).0, "overridden");
}

#[test]
fn counts_the_compilation_of_patterns_that_are_sent() {
    let path = "$.identity.traits[?match(@,@)]";
    let environment = environment(vec![with_conditions(
        1,
        "ALL",
        vec![condition(path, "IS_SET", "")],
    )]);
    assert_eq!(
        ask(
            &environment,
            &identity("i", &[("t", json!("a+")), ("u", json!("b"))])
        )
        .0,
        "overridden"
    );
    let hostile = many_traits(|number| json!(format!(r"\p{{L}}{number}")));
    assert_eq!(ask(&environment, &hostile).0, "default");
    assert_eq!(environment.exhausted_evaluations(), 1);
    // One pattern for all values is compiled once.
    let path = "$.identity.traits[?match(@,$.identity.traits.t0)]";
    let environment = self::environment(vec![with_conditions(
        1,
        "ALL",
        vec![condition(path, "IS_SET", "")],
    )]);
    let (_, steps) = ask(&environment, &many_traits(|number| json!(format!("[a{number}"))));
    assert!(steps < 500_000, "{steps}");
}

#[test]
fn counts_members_that_paths_compare() {
    let path = "$.identity.traits[?$.identity.traits.gone==1]";
    let environment = environment(vec![with_conditions(
        1,
        "ALL",
        vec![condition(path, "IS_SET", "")],
    )]);
    let (_, steps) = ask(&environment, &many_traits(|number| json!(number)));
    assert!(
        steps > 1_000_000,
        "{steps}: a thousand traits are compared for each of a thousand"
    );
}

#[test]
fn counts_integers_past_64_bits() {
    let conditions = vec![condition("t", "IN", "1,2"); 50];
    let environment = environment(vec![with_conditions(1, "NONE", conditions)]);
    let long = format!("1{}", "0".repeat(1999));
    assert_eq!(
        ask(&environment, &identity("i", &[("t", json!("3"))])),
        (json!("overridden"), 0)
    );
    assert!(ask(&environment, &identity("i", &[("t", json!(long))])).1 > 50 * 10_000);
}

#[test]
fn ends_a_segment_and_tells_once() {
    let (regex, body) = catastrophic();
    // A false condition would turn this on.
    let segments = ["ALL", "ANY", "NONE"]
        .into_iter()
        .zip(1..)
        .map(|(kind, id)| with_conditions(id, kind, vec![regex.clone()]));
    let environment = environment(segments.collect());
    assert_eq!(environment.take_exhausted(), []);
    let (value, steps) = ask(&environment, &body);
    assert_eq!(value, "default");
    assert!(steps <= MOST_STEPS);
    assert_eq!(environment.exhausted_evaluations(), 3);
    let warnings = environment.take_exhausted();
    assert_eq!(warnings.len(), 3);
    for (warning, name) in warnings.iter().zip(["s1", "s2", "s3"]) {
        let text = warning.to_string();
        assert!(text.contains(name) && !text.contains("secret"), "{text}");
    }
    assert_eq!(ask(&environment, &body), (json!("default"), steps));
    assert_eq!(environment.exhausted_evaluations(), 6);
    assert_eq!(environment.take_exhausted(), [], "each once");
}

#[test]
fn does_not_end_what_costs_nothing() {
    let (regex, body) = catastrophic();
    let segments = vec![
        with_conditions(1, "ALL", vec![regex]),
        with_conditions(2, "ALL", vec![condition("t", "IS_SET", "")]),
    ];
    let environment = environment(segments);
    assert_eq!(ask(&environment, &body).0, "overridden");
    assert_eq!(environment.exhausted_evaluations(), 1);
}

#[test]
fn of_conditions_leaves_the_multivariate_features_theirs() {
    let (regex, body) = catastrophic();
    let one = json!([option(1, json!("one"), json!("first"), json!(100.0))]);
    let features: Vec<Value> = (0..1000)
        .map(|id| multivariate(id, &format!("m{id}"), json!("control"), one.clone()))
        .collect();
    let segments = vec![segment_of(
        1,
        "s",
        json!([{"type": "ALL", "conditions": [regex]}]),
        json!([state(1, "m1", json!(1))]),
    )];
    let environment = compile(&document(json!(features), json!(segments)));
    assert!(values(&environment, &body).iter().all(|value| value == "one"));
    assert_eq!(environment.take_exhausted().len(), 1);
    // A thousand features and the longest identifier are too much: the last ones answer their control values.
    let long = identity(&"é".repeat(2000), &[]);
    let answered = values(&environment, &long);
    let first_control = answered.iter().position(|value| value == "control").unwrap();
    assert!((50..100).contains(&first_control), "{first_control}");
    assert!(answered[first_control..].iter().all(|value| value == "control"));
    let warnings = environment.take_exhausted();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].part.contains("multivariate"), "{}", warnings[0]);
}

#[test]
fn is_the_same_whatever_was_asked_before() {
    let conditions = vec![
        condition("t", "REGEX", r"(?i)(\w+\s?)*é$"),
        condition("t", "REGEX", r"[ab]{30}|c"),
        condition("$..x", "IS_SET", ""),
    ];
    let environment = environment(vec![with_conditions(1, "ANY", conditions)]);
    let body = identity("i", &[("t", json!("some words here"))]);
    let first = ask(&environment, &body);
    for other in ["ABABAB", "größe é", "", "a longer text of several words"] {
        ask(&environment, &identity("j", &[("t", json!(other))]));
        assert_eq!(ask(&environment, &body), first);
    }
}

#[test]
fn is_shared_by_flags_that_read_each_other() {
    let features = json!([state(1, "f", json!("default")), state(2, "g", json!("default"))]);
    let reads = with_conditions(1, "ALL", vec![condition("$.flags.g.value", "EQUAL", "default")]);
    let environment = compile(&document(features, json!([reads])));
    let (value, steps) = ask(&environment, &identity("i", &[]));
    assert_eq!(value, "overridden");
    assert!((400..2000).contains(&steps), "{steps}");
}

#[test]
fn a_light_evaluation_gives_the_whole_answer_or_none() {
    let (heavy, sent) = catastrophic();
    let environment = environment(vec![
        with_conditions(1, "ALL", vec![heavy]),
        with_conditions(2, "ALL", vec![condition("u", "EQUAL", "x")]),
    ]);
    for (body, is_light) in [(identity("i", &[("u", json!("x"))]), true), (sent, false)] {
        let body = body.to_string();
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
        let (kind, unless_heavy) = (KeyKind::Server, |answer| {
            if is_light { Ok(answer) } else { Err(TooMuchWork) }
        });
        let work = LightWork::Scarce;
        let answer = environment.light_identity_answer(kind, &identity, work);
        let flag = environment.light_identity_flag(kind, &identity, "f", work);
        assert!(
            environment.take_exhausted().is_empty(),
            "it says nothing of the segment"
        );
        assert_eq!(answer, unless_heavy(environment.identity_answer(kind, &identity)));
        assert_eq!(
            flag.clone().map(Option::unwrap),
            unless_heavy(environment.identity_flag(kind, &identity, "f").unwrap())
        );
        assert_eq!(environment.take_exhausted().is_empty(), is_light);
    }
    let identity = Identity::from_query(Some("i"), || [0; 16]).unwrap();
    assert_eq!(
        environment.light_identity_flag(KeyKind::Server, &identity, "g", LightWork::Ample),
        Ok(None)
    );
}
