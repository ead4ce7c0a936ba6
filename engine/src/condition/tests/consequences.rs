//! What surprises, by name; and what warnings say.

use super::*;

#[test]
fn number_like_strings_are_numbers() {
    assert_eq!(holds("EQUAL", r#""1.1""#, r#""1.10""#), 'T');
    assert_eq!(holds("IN", r#""0412""#, r#""0412""#), 'F');
    assert_eq!(holds("IN", r#""412""#, r#""0412""#), 'T');
    assert_eq!(holds("CONTAINS", r#""04""#, r#""0412""#), 'F');
    assert_eq!(holds("NOT_CONTAINS", r#""x""#, r#""0412""#), 'F');
    assert_eq!(holds("REGEX", r#""^412$""#, r#""0412""#), 'T');
    assert_eq!(holds("REGEX", r#""0412""#, r#""0412""#), 'F');
}

#[test]
fn booleans_are_numbers_to_modulo_and_true_to_most_values() {
    assert_eq!(holds("MODULO", r#""2|1""#, "true"), 'T');
    assert_eq!(holds("EQUAL", r#""0""#, "true"), 'T');
    assert_eq!(holds("EQUAL", "null", "true"), 'T');
}

#[test]
fn a_failed_cast_is_false_even_for_not_equal() {
    assert_eq!(holds("NOT_EQUAL", r#""1.5""#, "1"), 'F');
    assert_eq!(holds("NOT_EQUAL", r#""x""#, "1.5"), 'F');
    assert_eq!(holds("NOT_EQUAL", r#""1.2.3:semver""#, r#""abc""#), 'F');
}

#[test]
fn unset_traits_match_is_not_set_alone() {
    for operator in [
        "EQUAL",
        "NOT_EQUAL",
        "CONTAINS",
        "NOT_CONTAINS",
        "IN",
        "REGEX",
        "MODULO",
        "IS_SET",
    ] {
        assert_eq!(holds(operator, r#""a""#, "null"), 'F', "{operator}");
        assert_eq!(holds(operator, r#""a""#, "[1]"), 'F', "{operator}");
    }
    assert_eq!(holds("IS_NOT_SET", "null", "null"), 'T');
    assert_eq!(holds("IS_NOT_SET", "null", r#"{"a": 1}"#), 'T');
}

#[test]
fn integers_compare_exactly_at_any_size() {
    assert_eq!(holds("EQUAL", r#""9007199254740993""#, "9007199254740992"), 'F');
    assert_eq!(
        holds(
            "GREATER_THAN",
            r#""99999999999999999999""#,
            r#""100000000000000000000""#
        ),
        'T'
    );
    assert_eq!(
        holds("LESS_THAN", r#""-99999999999999999999""#, "-9223372036854775808"),
        'F'
    );
}

#[test]
fn integers_that_python_does_not_convert_raise() {
    let longest = format!("\"{}\"", "9".repeat(4300));
    let too_long = format!("\"{}\"", "9".repeat(4301));
    assert_eq!(holds("IS_SET", "null", &longest), 'T');
    assert_eq!(holds("IS_SET", "null", &too_long), 'R');
    // As a condition's value, it is a failed cast.
    assert_eq!(holds("LESS_THAN", &too_long, "1"), 'F');
}

#[test]
fn remainders_are_floored() {
    for (given, value, expected) in [
        ("-3", "2|1", 'T'),
        ("3", "-2|-1", 'T'),
        ("-7.5", "2|0.5", 'T'),
        ("-5", "inf|inf", 'T'),
        ("5", "-inf|-inf", 'T'),
        ("0", "-2|0", 'T'),
        ("1e308", "inf|1e308", 'T'),
    ] {
        assert_eq!(
            holds("MODULO", &format!("\"{value}\""), given),
            expected,
            "{given} {value}"
        );
    }
    let huge = format!("1{}", "0".repeat(309));
    assert_eq!(holds("MODULO", r#""2|0""#, &huge), 'R', "too large for a float");
}

#[test]
fn splits_on_the_text_of_the_value() {
    let (matcher, _) = compile("PERCENTAGE_SPLIT", &json("50"), SEGMENT_ID);
    let split = |value: Value<'_>| matcher.matches(Some(&value), &Budget::new()).unwrap();
    for number in 0..50 {
        let text = number.to_string();
        assert_eq!(
            split(Value::String(text.clone().into())),
            split(Value::coerce(&text).unwrap())
        );
    }
    assert!(matcher.splits_by_percentage());
    assert!(!compile("EQUAL", &json("50"), SEGMENT_ID).0.splits_by_percentage());
}

#[test]
fn warns_of_what_raises_and_repeats_no_value() {
    for (operator, value, warned) in [
        ("REGEX", r#""secret(""#, "missing ), unterminated subpattern"),
        ("MODULO", r#""0|7123""#, "the divisor is 0"),
        ("MODULO", "7123", "the value is no string"),
        ("IN", "null", "neither a list nor a string"),
        ("PERCENTAGE_SPLIT", "null", "no number"),
        ("SOUNDS_LIKE", r#""secret""#, "unknown operator \"SOUNDS_LIKE\""),
    ] {
        let problem = compile(operator, &json(value), SEGMENT_ID).1.unwrap();
        assert!(problem.contains(warned), "{problem}");
        assert!(
            !problem.contains("secret") && !problem.contains("7123"),
            "{problem}"
        );
    }
    for (operator, value) in [
        ("EQUAL", "null"),
        ("REGEX", r#""a""#),
        ("MODULO", r#""2|1""#),
        ("IN", "[]"),
    ] {
        assert_eq!(compile(operator, &json(value), SEGMENT_ID).1, None, "{operator}");
    }
}

#[test]
fn shows_no_values_in_debug_formats() {
    let value = Value::coerce("secret").unwrap();
    assert_eq!(format!("{value:?}"), "String");
}

proptest::proptest! {
    #[test]
    fn no_condition_panics(operator_index in 0..14_usize, value in ".{0,12}", given in ".{0,12}") {
        let operator = [
            "EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_INCLUSIVE", "LESS_THAN", "LESS_THAN_INCLUSIVE",
            "CONTAINS", "NOT_CONTAINS", "IN", "REGEX", "MODULO", "IS_SET", "IS_NOT_SET", "PERCENTAGE_SPLIT",
        ][operator_index];
        let (matcher, _) = compile(operator, &PyValue::String(value), SEGMENT_ID);
        outcome(&matcher, &PyValue::String(given));
    }
}
