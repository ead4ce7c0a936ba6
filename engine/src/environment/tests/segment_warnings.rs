//! What is warned of once that a segment asks for, overrides or is called.
use serde_json::json;

use super::warnings::warnings;
use super::*;

#[test]
fn name_segments_of_equal_priority() {
    let of = |name: &str, value: Value, priority: Value| {
        segment(
            u64::from(name.as_bytes()[0]),
            name,
            "t",
            "1",
            json!([prioritised(state(1, "f", value), priority)]),
        )
    };
    let warnings = |segments: Vec<Value>| {
        let features = json!([state(1, "f", json!(0)), state(2, "g", json!(0))]);
        warnings(&document(features, json!(segments)))
    };
    let tie = |first: &str, others: &str| {
        format!(
            "feature \"f\": segment {first:?} overrides it with the same priority as {others}; the first in the document \
             wins here, but Flagsmith itself may choose another"
        )
    };
    let none: [String; 0] = [];
    let (one, two) = (|| json!(1), || json!(2));
    assert_eq!(
        warnings(vec![
            of("a", json!(1), one()),
            of("b", json!(2), two()),
            of("c", json!(3), json!(1.0))
        ]),
        [tie("a", r#""c""#)]
    );
    assert_eq!(
        warnings(vec![
            of("a", json!(1), json!(null)),
            of("b", json!(2), json!(null))
        ]),
        [tie("a", r#""b""#)]
    );
    let many = "abcdef"
        .split("")
        .filter(|name| !name.is_empty())
        .map(|name| of(name, json!(name), one()));
    assert_eq!(warnings(many.collect()), [tie("a", r#""b", "c", "d", 2 more"#)]);
    // Where nothing depends on who wins, or nobody else has the priority.
    assert_eq!(
        warnings(vec![
            of("a", json!(7), one()),
            of("b", json!(7), one()),
            of("c", json!(8), two())
        ]),
        none
    );
    let twice = json!([
        prioritised(state(1, "f", json!(1)), one()),
        prioritised(state(1, "f", json!(2)), one()),
        prioritised(state(2, "g", json!(2)), one())
    ]);
    assert_eq!(warnings(vec![segment(1, "a", "t", "1", twice)]), none);
}

#[test]
fn name_segments_whose_names_are_too_long() {
    let longest = "é".repeat(2000);
    for (name, warns) in [(longest.clone(), false), (format!("{longest}x"), true)] {
        let overrides = json!([state(1, "f", json!(1))]);
        let document = document(
            json!([state(1, "f", json!(0))]),
            json!([segment(7, &name, "t", "1", overrides)]),
        );
        let (environment, warnings) = compile_with_warnings(&document);
        assert_eq!(warnings.len(), usize::from(warns));
        let flag =
            answer(&environment, KeyKind::Server, &identity("i", &[("t", json!(1))]))["flags"][0].take();
        assert_eq!(flag["reason"], format!("TARGETING_MATCH; segment={longest}"));
    }
}

#[test]
fn name_segments_that_ask_for_a_cohort() {
    let asks = |property: &str| {
        let condition = json!({"property_": property, "operator": "EQUAL", "value": "true"});
        segment_of(
            7,
            "beta",
            json!([{"type": "ALL", "rules": [{"type": "ANY", "conditions": [condition.clone(), condition]}]}]),
            json!([state(1, "f", json!("cohort"))]),
        )
    };
    for (property, is_known) in [
        ("flagsmith_cohort_12", false),
        ("$.identity.traits.flagsmith_cohort_12", false),
        ("$.identity.traits['flagsmith_cohort_12']", false),
        ("flagsmith_cohort", true),
        ("my_flagsmith_cohort_12", true),
    ] {
        let document = document(json!([state(1, "f", json!("default"))]), json!([asks(property)]));
        let (environment, warnings) = compile_with_warnings(&document);
        let warnings: Vec<String> = warnings.iter().map(ToString::to_string).collect();
        let expected = "segment \"beta\" (id 7): it asks who is in a cohort, which Flagsmith tells nobody; here, nobody is in \
                        any";
        let expected = if is_known { vec![] } else { vec![expected] };
        assert_eq!(warnings, expected, "{property}");
        // Nobody makes himself part of one.
        let name = property
            .trim_start_matches("$.identity.traits")
            .trim_matches(['.', '[', ']', '\'']);
        let body = identity("i", &[(name, json!(true))]);
        let value = if is_known { "cohort" } else { "default" };
        assert_eq!(values(&environment, &body), [value], "{property}");
        let echoed = answer(&environment, KeyKind::Server, &body)["traits"].take();
        assert_eq!(
            echoed.as_array().unwrap().len(),
            usize::from(is_known),
            "{property}"
        );
    }
}

#[test]
fn hold_no_more_of_a_name_than_a_person_reads() {
    let name = "n".repeat(100_000);
    let features = json!([state(1, &name, json!(0)), state(2, "g", json!(0))]);
    let overrides = json!([prioritised(state(1, &name, json!(1)), json!("high"))]);
    let (_, warnings) = compile_with_warnings(&document(
        features,
        json!([segment(1, &name, "t", "1", overrides)]),
    ));
    assert!(!warnings.is_empty());
    for warning in warnings {
        assert!(warning.part.chars().count() <= 501 && warning.problem.chars().count() <= 501);
    }
}
