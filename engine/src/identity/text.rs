//! Texts of a request as core's serializer takes them, which are Django REST framework's `CharField`: without outer blanks, and a
//! number as its text.
use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::IdentityError;
use crate::json::{Kind, decode_string};
use crate::python::PyValue;

/// A text that was sent.
pub(super) struct Sent<'a> {
    pub text: Cow<'a, str>,
    /// It was a string without outer blanks.
    pub is_as_sent: bool,
}

/// Reads a text. What is neither a string nor a number is the error `otherwise`.
pub(super) fn read(json: &RawValue, otherwise: IdentityError) -> Result<Sent<'_>, IdentityError> {
    match Kind::of(json.get()) {
        Kind::String => {
            let text = decode_string(json.get()).ok_or(IdentityError::Unicode)?;
            let trimmed = trim(&text);
            let is_as_sent = trimmed.len() == text.len();
            let text = match text {
                text if is_as_sent => text,
                Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
                Cow::Owned(_) => Cow::Owned(trimmed.to_owned()),
            };
            Ok(Sent { text, is_as_sent })
        }
        Kind::Number => match PyValue::from_json(json) {
            Ok(PyValue::Float(number)) if !number.is_finite() => Err(IdentityError::Number),
            Ok(number) => Ok(Sent {
                text: Cow::Owned(number.text()),
                is_as_sent: false,
            }),
            Err(_) => Err(IdentityError::Number),
        },
        Kind::Null | Kind::Boolean | Kind::List | Kind::Object => Err(otherwise),
    }
}

/// As Python's `str.strip`, which counts the four ASCII separators among the blanks.
fn trim(text: &str) -> &str {
    let is_blank = |character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character);
    // Almost no text has any, and one that starts and ends like this has none.
    match text.as_bytes() {
        [b'!'..=b'~', .., b'!'..=b'~'] => text,
        _ => text.trim_matches(is_blank),
    }
}

/// Whether a text has more characters than that.
pub(super) fn is_longer(text: &str, most_characters: usize) -> bool {
    text.len() > most_characters && text.chars().count() > most_characters
}
