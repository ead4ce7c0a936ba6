//! Values and their types in words.
use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::condition::Value;
use crate::identity::TraitValue;
use crate::json::write_string;
use crate::python::float_text;

/// What is longer is cut, in characters.
const LONGEST: usize = 200;

/// A percentage has no more decimals than tell any two of its places apart.
const MOST_DECIMALS: usize = 12;

/// The JSON as it is; null where it is none, which does not come about.
pub(super) fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// JSON that may be long: what is cut becomes a string that ends with an ellipsis.
pub(super) fn short_raw(json: &str) -> Box<RawValue> {
    match shortened(json) {
        Cow::Borrowed(json) => raw(json),
        Cow::Owned(cut) => raw(&quoted_whole(&cut)),
    }
}

/// A text, cut where it is long.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.split_at(end).0)),
        None => Cow::Borrowed(text),
    }
}

/// A text as a JSON string, cut where it is long.
pub(super) fn quoted(text: &str) -> String {
    quoted_whole(&shortened(text))
}

fn quoted_whole(text: &str) -> String {
    let mut json = Vec::new();
    write_string(&mut json, text);
    String::from_utf8(json).unwrap_or_default()
}

/// A value as JSON, cut where it is long. Python's numbers that JSON lacks (`nan`, `inf`) are strings.
pub(super) fn json_of(value: &Value<'_>) -> String {
    match value {
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(integer) => {
            let digits = integer.to_string();
            match shortened(&digits) {
                Cow::Borrowed(_) => digits,
                Cow::Owned(cut) => quoted_whole(&cut),
            }
        }
        Value::Float(float) if float.is_finite() => float_text(*float),
        Value::Float(float) => quoted_whole(&float_text(*float)),
        Value::String(text) => quoted(text),
    }
}

/// The type of a value.
pub(super) fn type_of(value: &Value<'_>) -> &'static str {
    match value {
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "number",
        Value::Float(_) => "decimal number",
        Value::String(_) => "text",
    }
}

/// The same with its article, in a sentence.
pub(super) fn a_type(value: &Value<'_>) -> &'static str {
    match value {
        Value::Boolean(_) => "a boolean",
        Value::Integer(_) => "a number",
        Value::Float(_) => "a decimal number",
        Value::String(_) => "text",
    }
}

/// The type of a trait as it was sent.
pub(super) fn sent_type(sent: &TraitValue<'_>) -> &'static str {
    match sent {
        TraitValue::Boolean(_) => "boolean",
        TraitValue::Number(json) if json.contains(['.', 'e', 'E']) => "decimal number",
        TraitValue::Number(_) => "number",
        TraitValue::String { .. } | TraitValue::Converted(_) => "text",
    }
}

/// A trait's text, where it was sent as text.
pub(super) fn sent_text<'s>(sent: &'s TraitValue<'_>) -> Option<&'s str> {
    match sent {
        TraitValue::String { text, .. } => Some(text),
        TraitValue::Converted(text) => Some(text),
        TraitValue::Boolean(_) | TraitValue::Number(_) => None,
    }
}

/// What a condition asks for, in a sentence.
pub(super) fn named(property: &str) -> Cow<'_, str> {
    match property.trim() {
        "" => Cow::Owned(quoted(property)),
        _ => shortened(property),
    }
}

/// Where something falls in a percentage split that holds up to the `limit`, in a sentence.
pub(super) fn falls(by: &str, bucket: f64, limit: f64) -> String {
    let by = match by {
        "" => Cow::Borrowed("the identity"),
        property => named(property),
    };
    let place = percent(bucket, &[limit]);
    let holds = bucket <= limit;
    if !limit.is_finite() {
        let whom = if holds { "everybody" } else { "nobody" };
        let limit = float_text(limit);
        return format!("{by} falls at {place} %, and the percentage {limit} takes {whom} in");
    }
    let relation = if holds { "within" } else { "above" };
    format!("{by} falls at {place} %, {relation} the first {} %", share(limit))
}

/// A percentage with two decimals, or with as many more as tell it from these others, as they are shown.
pub(super) fn percent(percentage: f64, others: &[f64]) -> String {
    let tells = |text: &str| {
        let shown = text.parse::<f64>().unwrap_or(f64::NAN);
        others.iter().all(|other| {
            let other_shown = share(*other).parse::<f64>().unwrap_or(f64::NAN);
            shown.partial_cmp(&other_shown) == percentage.partial_cmp(other)
        })
    };
    let shortest = (2..=MOST_DECIMALS).map(|decimals| format!("{percentage:.decimals$}"));
    let mut shortest = shortest.filter(|text| tells(text));
    shortest.next().unwrap_or_else(|| percentage.to_string())
}

/// A share of a hundred: four decimals at most, and no zeros behind, unless that says something else.
pub(super) fn share(percentage: f64) -> String {
    if percentage == 0.0 {
        return "0".to_owned();
    }
    let text = format!("{percentage:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let shown = text.parse::<f64>().unwrap_or(f64::NAN);
    // Sums of shares are a little off.
    let is_near = (shown - percentage).abs() < 1e-9 && shown != 0.0;
    match is_near && percentage.abs() < 1e9 {
        true => text.to_owned(),
        false => float_text(percentage),
    }
}

/// A text for a terminal: what would move its cursor is escaped.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|character| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    });
    Cow::Owned(escaped.collect())
}

/// A place among so many, from 1, for people.
pub(super) fn rule_place(rules: &[u32]) -> String {
    let places: Vec<String> = rules.iter().map(|place| (place + 1).to_string()).collect();
    places.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_two_decimals_unless_that_would_mislead() {
        for (percentage, other, text) in [
            (37.207_441_488_297_66, 50.0, "37.21"),
            (10.0, 10.0, "10.00"),
            (10.002_000_400_080_016, 10.0, "10.002"),
            (9.999_99, 10.0, "9.99999"),
            (0.0, 10.0, "0.00"),
            (10.002_000_400_080_016, 10.002, "10.0020004"),
            (37.2, f64::NAN, "37.20"),
            (37.2, f64::INFINITY, "37.20"),
        ] {
            assert_eq!(percent(percentage, &[other]), text);
        }
        for (percentage, text) in [
            (100.0, "100"),
            (-0.0, "0"),
            (33.330_000_000_000_005, "33.33"),
            (0.000_01, "1e-05"),
            (0.750_150_02, "0.75015002"),
            (1e300, "1e+300"),
        ] {
            assert_eq!(share(percentage), text);
        }
    }

    #[test]
    fn a_percentage_split_says_what_it_does() {
        for (by, bucket, limit, says) in [
            (
                "",
                10.01,
                10.0,
                "the identity falls at 10.01 %, above the first 10 %",
            ),
            ("plan", 10.0, 10.0, "plan falls at 10.00 %, within the first 10 %"),
            (
                " ",
                1.0,
                f64::NAN,
                "\" \" falls at 1.00 %, and the percentage nan takes nobody in",
            ),
            (
                "",
                1.0,
                f64::INFINITY,
                "the identity falls at 1.00 %, and the percentage inf takes everybody in",
            ),
        ] {
            assert_eq!(falls(by, bucket, limit), says);
        }
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(visible("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }

    #[test]
    fn what_is_long_is_cut_and_stays_json() {
        let long = format!("[{}1]", "1,".repeat(500));
        let cut = short_raw(&long);
        assert!(
            cut.get().starts_with("\"[1,1") && cut.get().ends_with("…\""),
            "{cut}"
        );
        assert_eq!(short_raw("[1]").get(), "[1]");
        assert_eq!(json_of(&Value::Float(f64::INFINITY)), "\"inf\"");
    }
}
