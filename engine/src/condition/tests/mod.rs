//! Every operator against traits of every type.

mod comparisons;
mod consequences;
mod operators;
mod property;
mod semver;

use super::{Budget, Matcher, Raised, RegexCache, Value};
use crate::python::PyValue;

/// The traits of the tables, as JSON.
const TRAITS: [&str; 19] = [
    "null",
    "true",
    "false",
    "0",
    "7",
    "-3",
    "1000000000000000000000000000000",
    "1.0",
    "2.5",
    "1e+16",
    r#""""#,
    r#""abc""#,
    r#""007""#,
    r#""7.0""#,
    r#""-3""#,
    r#""true""#,
    r#""1.2.3""#,
    r#""1.2.3-alpha+5""#,
    r#""１""#,
];

/// The segment's id in the tables; it counts for PERCENTAGE_SPLIT.
const SEGMENT_ID: &str = "12";

fn compile(operator: &str, value: &PyValue, segment_id: &str) -> (Matcher, Option<String>) {
    Matcher::compile(operator, value, segment_id, &mut RegexCache::default())
}

fn json(text: &str) -> PyValue {
    PyValue::from_json_text(text).unwrap()
}

/// The outcome for a trait: `T`, `F`, or `R` where it raises.
fn outcome(matcher: &Matcher, given: &PyValue) -> char {
    let value = match Value::from_found(given) {
        Ok(value) => value,
        Err(Raised) => return 'R',
    };
    match matcher.matches(value.as_ref(), &Budget::new()) {
        Ok(true) => 'T',
        Ok(false) => 'F',
        Err(Raised) => 'R',
    }
}

/// Whether a condition holds for a trait, both as JSON.
fn holds(operator: &str, value: &str, given: &str) -> char {
    outcome(&compile(operator, &json(value), SEGMENT_ID).0, &json(given))
}

/// Checks rows of operator, condition value and the outcome for each of [`TRAITS`].
fn check(rows: &[(&str, &str, &str)]) {
    for (operator, value, expected) in rows {
        let (matcher, _) = compile(operator, &json(value), SEGMENT_ID);
        assert_eq!(expected.len(), TRAITS.len());
        for (given, expected) in TRAITS.iter().zip(expected.chars()) {
            assert_eq!(
                outcome(&matcher, &json(given)),
                expected,
                "{given} {operator} {value}"
            );
        }
    }
}
