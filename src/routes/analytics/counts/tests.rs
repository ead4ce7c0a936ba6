use std::fmt::Write as _;

use serde_json::json;

use actors::analytics::MOST_COUNT;

use super::*;
use crate::routes::analytics::values::MOST_CHARACTERS;

fn v1(body: &str) -> Result<Vec<(String, u32)>, CountsError> {
    let counts = features(body.as_bytes())?.into_iter();
    Ok(counts
        .map(|(feature, count)| (feature.into_owned(), count))
        .collect())
}

fn v2(body: &str) -> Result<Vec<String>, CountsError> {
    let show = |counted: Counted<'_>| {
        let EvaluationRef {
            feature,
            identity,
            enabled,
        } = counted.evaluation();
        format!("{feature} {identity:?} {enabled} {}", counted.count)
    };
    Ok(evaluations(body.as_bytes())?.into_iter().map(show).collect())
}

#[test]
fn an_integer_counts_and_whatever_else_is_skipped() {
    let body = r#" {"a": 1, "b": 2147483647, "zero": 0, "negative": -1, "huge": 2147483648, "beyond": 99999999999999999999,
        "float": 1.0, "exponent": 1e2, "true": true, "null": null, "text": "3", "list": [1, [2]], "object": {"a": {"b": 1}},
        "\u00e4\"": 3, "c": 4} "#;
    let expected = [("a", 1), ("b", MOST_COUNT), ("c", 4), ("\u{e4}\"", 3)];
    let expected = expected.map(|(feature, count)| (feature.to_owned(), count));
    assert_eq!(v1(body).unwrap(), expected);
    assert_eq!(v1("{}").unwrap(), []);
}

#[test]
fn names_without_escapes_are_borrowed() {
    let counts = features(br#"{"plain": 1, "\u0065scaped": 2}"#).unwrap();
    assert_eq!(counts[0].0, "escaped");
    assert!(matches!(counts[1].0, Cow::Borrowed("plain")));
}

#[test]
fn of_a_key_the_last_value_counts() {
    let body = r#"{"b": 9, "a": 1, "c": 5, "a": 2, "b": "9", "\u0061": 3, "c": 6}"#;
    assert_eq!(v1(body).unwrap(), [("a".to_owned(), 3), ("c".to_owned(), 6)]);
    let body = r#"{"evaluations": [{"feature_name": "b", "feature_name": "a", "enabled_when_evaluated": true, "count": 9, "count": 1}]}"#;
    assert_eq!(v2(body).unwrap(), ["a None true 1"]);
}

#[test]
fn numbers_and_texts_beyond_what_can_be_held_cost_their_own_entry_alone() {
    for odd in [
        "1e400",
        "-1e400",
        r#""\ud800""#,
        r#"[1e400]"#,
        r#"{"\udfff": 1e999}"#,
    ] {
        let body = format!(r#"{{"a": {odd}, "b": 1}}"#);
        assert_eq!(v1(&body).unwrap(), [("b".to_owned(), 1)], "{odd}");
        let good = r#"{"feature_name": "a", "enabled_when_evaluated": true, "count": 1}"#;
        let body = format!(
            r#"{{"more": {odd}, "evaluations": [{odd}, {{"feature_name": "a", "identity_identifier": {odd},
            "enabled_when_evaluated": true, "count": 1}}, {{"feature_name": "a", "enabled_when_evaluated": true,
            "count": {odd}}}, {good}]}}"#
        );
        assert_eq!(v2(&body).unwrap(), ["a None true 1"], "{odd}");
    }
    assert_eq!(v1(r#"{"\ud800": 7, "b": 1}"#).unwrap(), [("b".to_owned(), 1)]);
    let body = r#"{"\ud800": 1, "evaluations": [{"\ud800": 1, "feature_name": "a", "enabled_when_evaluated": true, "count": 1}]}"#;
    assert_eq!(v2(body).unwrap(), ["a None true 1"]);
}

#[test]
fn an_identifier_that_fails_all_of_its_batch_is_skipped() {
    let with = |identity: &str| {
        let entry = json!({"feature_name": "a", "identity_identifier": identity, "enabled_when_evaluated": true, "count": 1});
        v2(&json!({"evaluations": [entry]}).to_string()).unwrap()
    };
    for identity in ["", " ", "\t\n", "\u{a0}\u{3000}", "\u{1c}\u{1f}", "\0", "b\0b"] {
        assert_eq!(with(identity), [""; 0], "{identity:?}");
    }
    let padded = format!("\u{1f} {} ", "x".repeat(MOST_CHARACTERS));
    assert_eq!(with(&padded).len(), 1);
    for identity in [" bob", "bob\n", "\u{1c}bob\u{a0}", "bob"] {
        assert_eq!(with(identity), ["a Some(\"bob\") true 1"], "{identity:?}");
    }
}

#[test]
fn what_is_no_object_is_refused() {
    for body in [
        "",
        " ",
        "[]",
        "null",
        "1",
        "\"a\"",
        "true",
        "{",
        "{\"a\": 1",
        "{\"a\": 1}}",
        "{\"a\" 1}",
        "\u{feff}{}",
    ] {
        assert_eq!(v1(body), Err(CountsError::NotCounts), "{body:?}");
        assert_eq!(v2(body), Err(CountsError::NotEvaluations), "{body:?}");
    }
    assert_eq!(features(b"{\"\xff\": 1}").err(), Some(CountsError::NotCounts));
}

#[test]
fn nesting_costs_no_stack() {
    let (open, close) = ("[{\"a\":".repeat(20_000), "}]".repeat(20_000));
    let nested = format!("{open}1{close}");
    assert_eq!(
        v1(&format!("{{\"a\": {nested}, \"b\": 1}}")).unwrap(),
        [("b".to_owned(), 1)]
    );
    assert_eq!(
        v2(&format!("{{\"more\": {nested}, \"evaluations\": [{nested}]}}")).unwrap(),
        [""; 0]
    );
}

#[test]
fn evaluations_count_by_feature_identity_and_state() {
    let body = json!({"ignored": [1], "evaluations": [
        {"feature_name": "a", "identity_identifier": "bob", "enabled_when_evaluated": true, "count": 2, "more": {"a": [1]}},
        {"feature_name": "a", "enabled_when_evaluated": false, "count": 1},
        {"feature_name": "a", "identity_identifier": null, "enabled_when_evaluated": true, "count": 3},
    ]});
    let expected = ["a Some(\"bob\") true 2", "a None false 1", "a None true 3"];
    assert_eq!(v2(&body.to_string()).unwrap(), expected);
    assert_eq!(v2(r#"{"evaluations": []}"#).unwrap(), [""; 0]);
}

#[test]
fn an_evaluation_that_lacks_something_is_skipped() {
    let whole = json!({"feature_name": "a", "identity_identifier": "bob", "enabled_when_evaluated": true, "count": 1});
    let with = |field: &str, value: serde_json::Value| {
        let mut entry = whole.clone();
        entry[field] = value;
        entry
    };
    let without = |field: &str| {
        let mut entry = whole.clone();
        entry.as_object_mut().unwrap().remove(field);
        entry
    };
    let entries = [
        without("feature_name"),
        without("enabled_when_evaluated"),
        without("count"),
        with("feature_name", json!(1)),
        with("identity_identifier", json!(1)),
        with("identity_identifier", json!("x".repeat(MOST_CHARACTERS + 1))),
        with("enabled_when_evaluated", json!("true")),
        with("count", json!(1.5)),
        with("count", json!(-1)),
        json!(1),
        json!(-1),
        json!(1.5),
        json!("a"),
        json!("\u{e4}\""),
        json!(null),
        json!(true),
        json!([{"feature_name": "a"}]),
        whole.clone(),
    ];
    assert_eq!(
        v2(&json!({"evaluations": entries}).to_string()).unwrap(),
        ["a Some(\"bob\") true 1"]
    );
    let longest = with("identity_identifier", json!("\u{e4}".repeat(MOST_CHARACTERS)));
    assert_eq!(
        v2(&json!({"evaluations": [longest]}).to_string()).unwrap().len(),
        1
    );
}

#[test]
fn evaluations_must_be_a_list() {
    for body in [
        r#"{}"#,
        r#"{"evaluations": null}"#,
        r#"{"evaluations": {}}"#,
        r#"{"evaluations": "a"}"#,
        r#"{"a": 1}"#,
    ] {
        assert_eq!(v2(body), Err(CountsError::NotEvaluations), "{body}");
    }
    let twice = r#"{"evaluations": [{"feature_name": "a", "enabled_when_evaluated": true, "count": 1}], "evaluations": []}"#;
    assert_eq!(v2(twice).unwrap(), [""; 0]);
}

#[test]
fn too_many_entries_are_refused_and_named() {
    let counts = |entries: usize| {
        let mut body = "{\"a\":1".to_owned();
        for number in 1..entries {
            write!(body, ",\"{number}\":null").unwrap();
        }
        body + "}"
    };
    assert_eq!(v1(&counts(MOST_ENTRIES)).unwrap().len(), 1);
    assert_eq!(v1(&counts(MOST_ENTRIES + 1)), Err(CountsError::TooMany));
    let list = |entries: usize| format!("{{\"evaluations\":[{}]}}", vec!["null"; entries].join(","));
    assert_eq!(v2(&list(MOST_ENTRIES)).unwrap(), [""; 0]);
    assert_eq!(v2(&list(MOST_ENTRIES + 1)), Err(CountsError::TooMany));
    for error in [CountsError::NotCounts, CountsError::NotEvaluations] {
        assert!(error.to_string().contains('{'));
    }
    assert!(CountsError::TooMany.to_string().contains("10000"));
}
