//! What surprises people about comparisons: the condition's value is cast to the type of the value found, as Python casts it.
use super::words::{quoted, shortened};
use crate::condition::{Value, is_semantic_version};
use crate::python::{PyValue, parse_float, parse_int};

/// A sentence about a comparison that does not hold.
pub(super) fn failing(operator: &str, condition: &PyValue, value: &Value<'_>) -> Option<String> {
    match value {
        Value::Boolean(_) => Some(with_boolean(condition)),
        Value::Integer(_) => with_number(condition, Number::Whole),
        Value::Float(_) => with_number(condition, Number::Decimal),
        Value::String(text) => with_text(operator, condition, text),
    }
}

/// A sentence about a comparison that holds.
pub(super) fn holding(operator: &str, condition: &PyValue, value: &Value<'_>) -> Option<String> {
    match (value, condition) {
        (Value::Boolean(_), _) if matches!(operator, "EQUAL" | "NOT_EQUAL") => Some(with_boolean(condition)),
        (Value::Boolean(_), _) => None,
        (Value::Integer(_), _) => with_number(condition, Number::Whole),
        (Value::Float(_), _) => with_number(condition, Number::Decimal),
        (Value::String(_), PyValue::String(text)) if !text.ends_with(":semver") => by_letters(operator, text),
        (Value::String(_), PyValue::String(_)) => None,
        (Value::String(_), _) => Some(as_text(condition)),
    }
}

/// A condition's value as JSON has it, or what it is.
pub(super) fn shown(condition: &PyValue) -> String {
    match condition {
        PyValue::None => "null".to_owned(),
        PyValue::Boolean(boolean) => boolean.to_string(),
        PyValue::String(text) => quoted(text),
        PyValue::List(_) => "a list".to_owned(),
        PyValue::Dict(_) => "an object".to_owned(),
        PyValue::Integer(_) | PyValue::Float(_) => shortened(&condition.text()).into_owned(),
    }
}

/// That a condition's value that is no text is taken as its Python text.
pub(super) fn as_text(condition: &PyValue) -> String {
    format!(
        "{} is compared as the text {}",
        shown(condition),
        quoted(&condition.text())
    )
}

/// What two texts differ in, where it is little.
pub(super) fn almost(one: &str, other: &str) -> Option<&'static str> {
    if one.trim() == other.trim() {
        Some("blanks around it")
    } else if one.to_lowercase() == other.to_lowercase() {
        Some("upper and lower case")
    } else {
        None
    }
}

/// That a text is no semantic version, where it is none.
pub(super) fn no_version(text: &str) -> Option<String> {
    (!is_semantic_version(text)).then(|| format!("{} is no semantic version ({STRICT})", quoted(text)))
}

/// What a semantic version is here.
const STRICT: &str = "three numbers with two points, no v before them";

fn with_boolean(condition: &PyValue) -> String {
    let compared = format!("a boolean is compared with {} as", shown(condition));
    match condition {
        PyValue::String(text) => format!(
            "{compared} {}: everything is true but \"false\" and \"False\"",
            text != "false" && text != "False"
        ),
        _ => format!(
            "{compared} true, for it is no text: everything is true but the texts \"false\" and \"False\""
        ),
    }
}

/// What number was found.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Number {
    Whole,
    Decimal,
}

fn with_number(condition: &PyValue, found: Number) -> Option<String> {
    let what = match found {
        Number::Whole => "a whole number",
        Number::Decimal => "a number",
    };
    let unread = || {
        Some(format!(
            "{} cannot be read as {what}, which the value found is: no comparison holds then, NOT_EQUAL neither",
            shown(condition)
        ))
    };
    match condition {
        PyValue::String(text) if text.ends_with(":semver") => Some(format!(
            "the value found is no text, and so no semantic version ({STRICT})"
        )),
        PyValue::String(text) => match found {
            Number::Whole if parse_int(text).is_none() => unread(),
            Number::Decimal => match parse_float(text) {
                None => unread(),
                Some(number) if number.is_nan() => {
                    Some(format!("{} is no number that anything equals", quoted(text)))
                }
                Some(_) => None,
            },
            Number::Whole => None,
        },
        PyValue::Boolean(boolean) => Some(format!("{boolean} is read as the number {}", u8::from(*boolean))),
        PyValue::Float(number) if found == Number::Whole && number.is_nan() => unread(),
        PyValue::Float(number) if found == Number::Whole && number.is_finite() && number.fract() != 0.0 => {
            Some(format!(
                "{} is read as the whole number {:.0}",
                shown(condition),
                number.trunc()
            ))
        }
        PyValue::Integer(_) | PyValue::Float(_) => None,
        PyValue::None | PyValue::List(_) | PyValue::Dict(_) => unread(),
    }
}

fn with_text(operator: &str, condition: &PyValue, found: &str) -> Option<String> {
    match condition {
        PyValue::String(text) => match text.strip_suffix(":semver") {
            Some(version) => no_version(found)
                .or_else(|| no_version(version).map(|problem| format!("the condition's {problem}"))),
            None if operator == "EQUAL" => {
                let difference = almost(text, found);
                difference.map(|difference| format!("they differ in {difference} alone"))
            }
            None => by_letters(operator, text),
        },
        PyValue::None | PyValue::List(_) => Some(as_text(condition)),
        _ => Some(format!(
            "{} is no text, which the value found is: no comparison holds then, NOT_EQUAL neither",
            shown(condition)
        )),
    }
}

fn by_letters(operator: &str, condition: &str) -> Option<String> {
    let is_number = parse_float(condition).is_some_and(f64::is_finite);
    let orders = operator.starts_with("GREATER") || operator.starts_with("LESS");
    (orders && is_number).then(|| {
        format!(
            "{} is a number, and they are compared as texts, letter by letter",
            shortened(condition)
        )
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn text(text: &str) -> Value<'_> {
        Value::String(Cow::Borrowed(text))
    }

    fn json(json: &str) -> PyValue {
        crate::json::to_python(json).unwrap()
    }

    /// The condition's value as JSON, for it need not be text.
    #[test]
    fn what_is_no_text_is_cast_as_python_casts_it() {
        for (operator, condition, value, says) in [
            (
                "EQUAL",
                "false",
                Value::Boolean(false),
                "compared with false as true, for it is no text",
            ),
            ("EQUAL", "0", Value::Boolean(false), "compared with 0 as true"),
            (
                "EQUAL",
                "18",
                text("18 "),
                "18 is no text, which the value found is",
            ),
            (
                "NOT_EQUAL",
                "true",
                text("a"),
                "true is no text, which the value found is",
            ),
            ("GREATER_THAN", "18", text("eighteen"), "18 is no text"),
            ("EQUAL", "{}", text("a"), "an object is no text"),
            (
                "EQUAL",
                "null",
                text("a"),
                "null is compared as the text \"None\"",
            ),
            (
                "EQUAL",
                "[18]",
                text("a"),
                "a list is compared as the text \"[18]\"",
            ),
            (
                "EQUAL",
                "1.9",
                Value::Integer(2.into()),
                "1.9 is read as the whole number 1",
            ),
            (
                "EQUAL",
                "true",
                Value::Integer(2.into()),
                "true is read as the number 1",
            ),
            (
                "EQUAL",
                "null",
                Value::Integer(2.into()),
                "null cannot be read as a whole number",
            ),
            (
                "EQUAL",
                "[]",
                Value::Float(2.5),
                "a list cannot be read as a number",
            ),
            (
                "EQUAL",
                "\"nan\"",
                Value::Float(2.5),
                "no number that anything equals",
            ),
            (
                "LESS_THAN",
                "\"1.0.0:semver\"",
                Value::Boolean(true),
                "compared with \"1.0.0:semver\" as true",
            ),
            ("LESS_THAN", "\"nan\"", text("o"), ""),
        ] {
            let said = failing(operator, &json(condition), &value).unwrap_or_default();
            assert!(
                said.contains(says) && said.is_empty() == says.is_empty(),
                "{operator} {condition}: {said}"
            );
        }
    }

    #[test]
    fn what_holds_by_a_cast_is_said() {
        for (operator, condition, value, says) in [
            (
                "EQUAL",
                "1.9",
                Value::Integer(1.into()),
                "1.9 is read as the whole number 1",
            ),
            (
                "EQUAL",
                "true",
                Value::Integer(1.into()),
                "true is read as the number 1",
            ),
            (
                "EQUAL",
                "null",
                text("None"),
                "null is compared as the text \"None\"",
            ),
            ("EQUAL", "\"1.2.3:semver\"", Value::Boolean(true), "as true"),
            ("EQUAL", "18", Value::Integer(18.into()), ""),
            ("NOT_EQUAL", "\"18\"", text("a"), ""),
        ] {
            let said = holding(operator, &json(condition), &value).unwrap_or_default();
            assert!(
                said.contains(says) && said.is_empty() == says.is_empty(),
                "{operator} {condition}: {said}"
            );
        }
    }
}
