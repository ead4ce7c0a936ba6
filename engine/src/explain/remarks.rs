//! What surprises people about a condition that does not hold: types, blanks, upper and lower case.
use crate::condition::Value;
use crate::python::{PyValue, parse_float, parse_int};

use super::comparisons::{almost, as_text, failing, holding, no_version, shown};
use super::words::quoted;

/// A sentence about a condition that does not hold for a value, or holds; `None`: the two say it all.
pub(super) fn remark(operator: &str, condition: &PyValue, value: &Value<'_>, holds: bool) -> Option<String> {
    match operator {
        "EQUAL"
        | "NOT_EQUAL"
        | "GREATER_THAN"
        | "GREATER_THAN_INCLUSIVE"
        | "LESS_THAN"
        | "LESS_THAN_INCLUSIVE" => match holds {
            true => holding(operator, condition, value),
            false => failing(operator, condition, value),
        },
        _ if holds => None,
        "CONTAINS" => contains(condition, value),
        "NOT_CONTAINS" => not_contains(condition, value),
        "IN" => is_in(condition, value),
        "REGEX" => regex(value),
        "MODULO" => modulo(condition, value),
        "IS_SET" | "IS_NOT_SET" | "PERCENTAGE_SPLIT" => None,
        _ => Some("no such operator is known here: the condition never holds".to_owned()),
    }
}

fn contains(condition: &PyValue, value: &Value<'_>) -> Option<String> {
    let Value::String(text) = value else {
        return Some("CONTAINS looks into text alone, and the value found is none".to_owned());
    };
    let wanted = match condition {
        PyValue::String(wanted) if wanted.ends_with(":semver") => return no_version(text),
        PyValue::String(wanted) => wanted,
        PyValue::None | PyValue::List(_) => return Some(as_text(condition)),
        _ => {
            return Some(format!(
                "{} is no text, and no text contains it",
                shown(condition)
            ));
        }
    };
    let is_contained = text.to_lowercase().contains(&wanted.to_lowercase());
    is_contained.then(|| "it does in other upper and lower case".to_owned())
}

fn not_contains(condition: &PyValue, value: &Value<'_>) -> Option<String> {
    match (value, condition) {
        (Value::String(_), PyValue::String(_)) => None,
        (Value::String(_), _) => Some(as_text(condition)),
        _ => Some("NOT_CONTAINS looks into text alone, and the value found is none".to_owned()),
    }
}

fn is_in(condition: &PyValue, value: &Value<'_>) -> Option<String> {
    let text = match value {
        Value::Boolean(_) => return Some("a boolean is in no list".to_owned()),
        Value::Float(_) => return Some("a decimal number is in no list".to_owned()),
        Value::Integer(integer) => integer.to_string(),
        Value::String(text) => text.as_ref().to_owned(),
    };
    let listed = listed(condition);
    let near = listed
        .iter()
        .find_map(|listed| Some((listed, almost(listed, &text)?)));
    if let Some((listed, difference)) = near {
        return Some(format!(
            "the list has {}, which differs in {difference} alone",
            quoted(listed)
        ));
    }
    let same_number = |listed: &&String| matches!(value, Value::Integer(number) if parse_int(listed).as_ref() == Some(number));
    let number = listed.iter().find(same_number)?;
    Some(format!(
        "the list has {}, and a list is compared as text with the number {text}",
        quoted(number)
    ))
}

/// What an IN condition lists, as far as remarks need it.
fn listed(condition: &PyValue) -> Vec<String> {
    let texts = |elements: &[PyValue]| elements.iter().map(PyValue::text).collect();
    match condition {
        PyValue::List(elements) => texts(elements),
        PyValue::String(text) => match PyValue::from_json_text(text) {
            // With a blank before it a list is none.
            Ok(PyValue::List(elements)) if text.starts_with('[') => texts(&elements),
            _ => text.split(',').map(str::to_owned).collect(),
        },
        _ => Vec::new(),
    }
}

fn regex(value: &Value<'_>) -> Option<String> {
    (!matches!(value, Value::String(_))).then(|| format!("the pattern is tried on {}", quoted(&value.text())))
}

fn modulo(condition: &PyValue, value: &Value<'_>) -> Option<String> {
    if matches!(value, Value::String(_)) {
        return Some("MODULO takes numbers, and the value found is text".to_owned());
    }
    let text = condition.text();
    let is_whole = text.split_once('|').is_some_and(|(divisor, remainder)| {
        parse_float(divisor).is_some() && parse_float(remainder).is_some()
    });
    (!is_whole).then(|| "its value is no divisor|remainder: the condition never holds".to_owned())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::String(Cow::Borrowed(text))
    }

    fn said(operator: &str, condition: &str, value: &Value<'_>) -> String {
        remark(operator, &PyValue::String(condition.to_owned()), value, false).unwrap_or_default()
    }

    #[test]
    fn what_holds_by_surprise_is_said() {
        let said = |operator: &str, condition: &str, value: &Value<'_>| {
            remark(operator, &PyValue::String(condition.to_owned()), value, true).unwrap_or_default()
        };
        let eighteen = said("GREATER_THAN", "18", &text("eighteen"));
        assert!(eighteen.contains("letter by letter"), "{eighteen}");
        let no = said("EQUAL", "no", &Value::Boolean(true));
        assert!(no.contains("as true"), "{no}");
        for (operator, condition, value) in [
            ("EQUAL", "pro", text("pro")),
            ("GREATER_THAN", "1.2.3:semver", text("1.3.0")),
            ("GREATER_THAN", "18", Value::Integer(19.into())),
            ("IN", "a,b", text("b")),
        ] {
            assert_eq!(said(operator, condition, &value), "", "{operator} {condition}");
        }
    }

    #[test]
    fn what_surprises_is_said() {
        for (operator, condition, value, says) in [
            (
                "GREATER_THAN",
                "18",
                text("19 "),
                "18 is a number, and they are compared as texts",
            ),
            ("EQUAL", "pro", text("Pro"), "differ in upper and lower case"),
            ("EQUAL", "pro", text("pro "), "differ in blanks"),
            (
                "EQUAL",
                "pro",
                Value::Integer(7.into()),
                "\"pro\" cannot be read as a whole number",
            ),
            (
                "EQUAL",
                "1.5",
                Value::Integer(1.into()),
                "\"1.5\" cannot be read as a whole number",
            ),
            ("NOT_EQUAL", "x", Value::Float(1.5), "cannot be read as a number"),
            ("EQUAL", "False", Value::Boolean(true), "as false"),
            ("EQUAL", "no", Value::Boolean(false), "as true"),
            (
                "EQUAL",
                "1.2.3:semver",
                text("v1.2.3"),
                "\"v1.2.3\" is no semantic version",
            ),
            (
                "GREATER_THAN",
                "1.2:semver",
                text("1.2.3"),
                "\"1.2\" is no semantic version",
            ),
            ("LESS_THAN", "2.0.0:semver", Value::Float(1.5), "no text"),
            (
                "CONTAINS",
                "4",
                Value::Integer(412.into()),
                "looks into text alone",
            ),
            (
                "CONTAINS",
                "PRO",
                text("a pro plan"),
                "other upper and lower case",
            ),
            ("IN", "a,b", Value::Boolean(true), "a boolean is in no list"),
            ("IN", "1.5", Value::Float(1.5), "a decimal number is in no list"),
            ("IN", "a, b", text("b"), "\" b\", which differs in blanks"),
            ("IN", "[\"A\"]", text("a"), "\"A\", which differs in upper"),
            (
                "IN",
                "0412",
                Value::Integer(412.into()),
                "compared as text with the number 412",
            ),
            ("REGEX", "^0", Value::Integer(7.into()), "tried on \"7\""),
            ("MODULO", "2|0", text("even"), "takes numbers"),
            ("MODULO", "2", Value::Integer(2.into()), "no divisor|remainder"),
            ("LIKE", "a", text("a"), "no such operator"),
        ] {
            let said = said(operator, condition, &value);
            assert!(said.contains(says), "{operator} {condition}: {said}");
        }
    }

    #[test]
    fn what_is_plain_needs_no_word() {
        for (operator, condition, value) in [
            ("EQUAL", "pro", text("free")),
            ("NOT_EQUAL", "18", text("18")),
            ("GREATER_THAN", "18", Value::Integer(17.into())),
            ("EQUAL", "1.2.3:semver", text("1.2.4")),
            ("IN", "a,b", text("c")),
            ("REGEX", "^a", text("b")),
            ("MODULO", "2|0", Value::Integer(3.into())),
            ("IS_SET", "", text("a")),
        ] {
            assert_eq!(said(operator, condition, &value), "", "{operator} {condition}");
        }
    }
}
