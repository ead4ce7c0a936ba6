//! One trait of a request.
use std::borrow::Cow;

use serde_json::value::RawValue;

use super::error::{IdentityError, LONGEST_TRAIT_KEY, LONGEST_TRAIT_VALUE};
use super::fields::TraitFields;
use super::text::{self, is_longer};
use crate::condition::{Budget, Raised, Value};
use crate::json::{Kind, Members, decode_string, write_string};
use crate::python::{Integer, PyValue, PyValueError, parse_int};

/// What the names of cohorts' traits start with: core's own, for who is in a cohort, which never leaves core. A client that sends
/// one cannot make it so.
const COHORT_PREFIX: &str = "flagsmith_cohort_";

/// Whether a trait of this name tells who is in a cohort.
pub(crate) fn is_of_cohort(key: &str) -> bool {
    key.starts_with(COHORT_PREFIX)
}

/// Python reads no integer of more digits (its `sys.int_info.default_max_str_digits`).
const MOST_DIGITS: usize = 4300;

/// A trait as it was sent.
pub(crate) struct Trait<'a> {
    pub key: Cow<'a, str>,
    /// The key's JSON text, for the echo. `None`: it was sent with outer blanks, or as a number.
    key_json: Option<&'a str>,
    pub value: TraitValue<'a>,
    pub(super) transient: bool,
}

/// A trait's value with its JSON text, which is echoed as it came.
pub(crate) enum TraitValue<'a> {
    Boolean(bool),
    Number(&'a str),
    String {
        json: &'a str,
        text: Cow<'a, str>,
    },
    /// The Python text of a list or an object.
    Converted(String),
}

/// What was sent as a trait.
pub(super) enum Meaning<'a> {
    Trait(Trait<'a>),
    /// The value is null in so many letters: core takes the trait with this key from the identity.
    Unset(Cow<'a, str>),
    /// It does not count: it has no value, which the SDKs for Node and Java leave out where it is null or undefined, it tells
    /// of a cohort, or it is transient and unset.
    Nothing,
}

impl<'a> Trait<'a> {
    /// Reads a trait. `digits_left` bounds the integers in lists and objects, over all traits of the request.
    pub(super) fn read(sent: TraitFields<'a>, digits_left: &mut usize) -> Result<Meaning<'a>, IdentityError> {
        let (key, key_json) = read_key(sent.key.ok_or(IdentityError::TraitKey)?)?;
        let value = match sent.value {
            Some(json) => TraitValue::read(json, digits_left)?,
            None => None,
        };
        let transient = read_transient(sent.transient, IdentityError::TraitTransient)?;
        Ok(match value {
            _ if is_of_cohort(&key) => Meaning::Nothing,
            Some(value) => Meaning::Trait(Self {
                key,
                key_json,
                value,
                transient,
            }),
            None if sent.value.is_some() && !transient => Meaning::Unset(key),
            None => Meaning::Nothing,
        })
    }

    /// The value as JSON.
    pub(crate) fn value_json(&self) -> Cow<'_, str> {
        match &self.value {
            TraitValue::Boolean(true) => Cow::Borrowed("true"),
            TraitValue::Boolean(false) => Cow::Borrowed("false"),
            TraitValue::Number(json) | TraitValue::String { json, .. } => Cow::Borrowed(json),
            TraitValue::Converted(text) => {
                let mut json = Vec::with_capacity(written_length(text));
                write_string(&mut json, text);
                String::from_utf8_lossy(&json).into_owned().into()
            }
        }
    }

    /// How many bytes its key and its text have.
    pub(crate) fn length(&self) -> usize {
        let value = match &self.value {
            TraitValue::Boolean(_) => 0,
            TraitValue::Number(json) => json.len(),
            TraitValue::String { text, .. } => text.len(),
            TraitValue::Converted(text) => text.len(),
        };
        self.key.len() + value
    }

    /// How many bytes the echo of the trait takes at most, its comma included.
    pub(super) fn echo_length(&self) -> usize {
        const NAMES: usize = r#"{"trait_key":,"trait_value":,"transient":true},"#.len();
        let value = match &self.value {
            TraitValue::Boolean(_) => 5,
            TraitValue::Number(json) | TraitValue::String { json, .. } => json.len(),
            TraitValue::Converted(text) => written_length(text),
        };
        NAMES + self.key_json.map_or_else(|| written_length(&self.key), str::len) + value
    }

    /// Writes the trait as the answer echoes it.
    pub(super) fn write(&self, out: &mut Vec<u8>, all_transient: bool) {
        out.extend_from_slice(br#"{"trait_key":"#);
        match self.key_json {
            Some(json) => out.extend_from_slice(json.as_bytes()),
            None => write_string(out, &self.key),
        }
        out.extend_from_slice(br#","trait_value":"#);
        match &self.value {
            TraitValue::Boolean(true) => out.extend_from_slice(b"true"),
            TraitValue::Boolean(false) => out.extend_from_slice(b"false"),
            TraitValue::Number(json) | TraitValue::String { json, .. } => {
                out.extend_from_slice(json.as_bytes())
            }
            TraitValue::Converted(text) => write_string(out, text),
        }
        if self.transient || all_transient {
            out.extend_from_slice(br#","transient":true"#);
        }
        out.push(b'}');
    }
}

/// About how long a text is as JSON. It may need escapes; the output grows where there are many.
fn written_length(text: &str) -> usize {
    text.len() + text.len() / 8 + 2
}

/// Reads a key, and its JSON where the echo can repeat it.
fn read_key(json: &RawValue) -> Result<(Cow<'_, str>, Option<&str>), IdentityError> {
    let key = text::read(json, IdentityError::TraitKey)?;
    if is_longer(&key.text, LONGEST_TRAIT_KEY) {
        return Err(IdentityError::TraitKeyLength);
    }
    Ok((key.text, key.is_as_sent.then(|| json.get())))
}

impl<'a> TraitValue<'a> {
    /// `None`: null.
    fn read(json: &'a RawValue, digits_left: &mut usize) -> Result<Option<Self>, IdentityError> {
        let value = match Kind::of(json.get()) {
            Kind::Object => match wrapped_value(json) {
                Some(value) if Kind::of(value.get()) != Kind::Object => {
                    return Self::read(value, digits_left);
                }
                value => Self::convert(value.unwrap_or(json), digits_left)?,
            },
            Kind::List => Self::convert(json, digits_left)?,
            Kind::Null => return Ok(None),
            Kind::Boolean => Self::Boolean(json.get() == "true"),
            Kind::Number => {
                let fits = match is_float(json.get()) {
                    true => json.get().parse::<f64>().is_ok_and(f64::is_finite),
                    false => json.get().len() <= MOST_DIGITS,
                };
                if !fits {
                    return Err(IdentityError::Number);
                }
                Self::Number(json.get())
            }
            Kind::String => {
                let text = decode_string(json.get()).ok_or(IdentityError::Unicode)?;
                if is_longer(&text, LONGEST_TRAIT_VALUE) {
                    return Err(IdentityError::TraitValueLength);
                }
                Self::String {
                    json: json.get(),
                    text,
                }
            }
        };
        Ok(Some(value))
    }

    /// A list or an object is taken as its Python text, as core does.
    fn convert(json: &RawValue, digits_left: &mut usize) -> Result<Self, IdentityError> {
        let value = PyValue::from_json_within(json, digits_left).map_err(|error| match error {
            PyValueError::TooDeep => IdentityError::TraitValueDepth,
            // It is JSON: what Python does not read is too long an integer.
            PyValueError::NotJson => IdentityError::Number,
        })?;
        let text = value.text();
        if is_longer(&text, LONGEST_TRAIT_VALUE) {
            return Err(IdentityError::TraitValueLength);
        }
        Ok(Self::Converted(text))
    }

    /// Counts what reading an integer takes that does not fit 64 bits.
    ///
    /// # Errors
    /// Where the evaluation's budget ends.
    #[inline]
    pub(crate) fn spend_to_read(&self, budget: &Budget) -> Result<(), Raised> {
        match self {
            Self::Boolean(_) => Ok(()),
            Self::Number(json) => budget.spend_digits(json.len(), true),
            Self::String { text, .. } => budget.spend_text(text),
            Self::Converted(text) => budget.spend_text(text),
        }
    }

    /// The value as conditions see it.
    ///
    /// # Errors
    /// Where it is an integer of more digits than Python converts.
    pub(crate) fn to_value(&self) -> Result<Value<'_>, Raised> {
        Ok(match self {
            Self::Boolean(boolean) => Value::Boolean(*boolean),
            Self::Number(json) if is_float(json) => Value::Float(json.parse().map_err(|_| Raised)?),
            Self::Number(json) => Value::Integer(integer(json).ok_or(Raised)?),
            Self::String { text, .. } => Value::coerce(text)?,
            Self::Converted(text) => Value::coerce(text)?,
        })
    }

    /// The value as JSON gives it to Python, before number-like strings become numbers.
    pub(crate) fn to_python(&self) -> PyValue {
        match self {
            Self::Boolean(boolean) => PyValue::Boolean(*boolean),
            Self::Number(json) if is_float(json) => PyValue::Float(json.parse().unwrap_or(f64::NAN)),
            Self::Number(json) => integer(json).map_or(PyValue::None, PyValue::Integer),
            Self::String { text, .. } => PyValue::String(text.as_ref().to_owned()),
            Self::Converted(text) => PyValue::String(text.clone()),
        }
    }

    /// Python's `str()` of the value.
    pub(super) fn python_text(&self) -> Cow<'_, str> {
        match self {
            Self::String { text, .. } => Cow::Borrowed(text),
            Self::Converted(text) => Cow::Borrowed(text),
            // JSON writes an integer as Python does. A detour by a number would take quadratic time.
            Self::Number("-0") => Cow::Borrowed("0"),
            Self::Number(json) if !is_float(json) => Cow::Borrowed(json),
            other => Cow::Owned(other.to_python().text()),
        }
    }
}

/// The `v` of `{"value": v, "type": …}`, which is how Elixir's SDK sends a value.
fn wrapped_value(json: &RawValue) -> Option<&RawValue> {
    let Members(members) = serde_json::from_str(json.get()).ok()?;
    let last = |name: &str| {
        members
            .iter()
            .rev()
            .find(|member| member.0 == name)
            .map(|member| member.1)
    };
    let all_known = members
        .iter()
        .all(|(name, _)| matches!(name.as_ref(), "value" | "type"));
    last("type").and(last("value")).filter(|_| all_known)
}

/// An optional boolean as core's serializer takes it, which is Django REST framework's `BooleanField`: in any case `true`, `t`,
/// `yes`, `y`, `on` and 1, as text or number, and their opposites. Here null is false.
pub(super) fn read_transient(sent: Option<&RawValue>, error: IdentityError) -> Result<bool, IdentityError> {
    let Some(json) = sent.map(RawValue::get) else {
        return Ok(false);
    };
    let meant = match Kind::of(json) {
        Kind::Null => Some(false),
        Kind::Boolean => Some(json == "true"),
        Kind::Number => zero_or_one(json),
        Kind::String => decode_string(json).and_then(|text| truth(&text)),
        Kind::List | Kind::Object => None,
    };
    meant.ok_or(error)
}

fn zero_or_one(json: &str) -> Option<bool> {
    let number: f64 = json.parse().ok()?;
    [(1.0, true), (0.0, false)]
        .into_iter()
        .find_map(|(known, meant)| (number == known).then_some(meant))
}

fn truth(text: &str) -> Option<bool> {
    let is_one_of = |words: [&str; 6]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_one_of(["true", "t", "yes", "y", "on", "1"]) {
        Some(true)
    } else {
        is_one_of(["false", "f", "no", "n", "off", "0"]).then_some(false)
    }
}

fn is_float(json: &str) -> bool {
    json.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
}

fn integer(json: &str) -> Option<Integer> {
    json.parse().map(Integer::Small).ok().or_else(|| parse_int(json))
}
