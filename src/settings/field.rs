//! One given option, read as what it should be. Messages tell what is wrong without showing the value.
use std::time::Duration;

use serde_json::Value;

use super::schema::kind;
use super::{Origin, SettingsError};

/// The longest time. People write 999999999 s for "for ever"; clocks can still add it.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// An option that is given.
pub(super) struct Field<'a> {
    option: String,
    origin: Origin,
    value: &'a Value,
}

impl<'a> Field<'a> {
    /// The option's path, where it came from, and its value.
    pub(super) fn new(option: String, origin: Origin, value: &'a Value) -> Self {
        Self {
            option,
            origin,
            value,
        }
    }

    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    pub(super) fn option(&self) -> &str {
        &self.option
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// A part of this option, from the same place.
    pub(super) fn part(&self, suffix: &str, value: &'a Value) -> Self {
        Self {
            option: format!("{}{suffix}", self.option),
            origin: self.origin.clone(),
            value,
        }
    }

    /// Makes an error about this option; `problem` follows its name, as in `is empty`.
    pub(super) fn invalid(&self, problem: impl Into<String>) -> SettingsError {
        SettingsError::Invalid {
            option: self.option.clone(),
            origin: self.origin.clone(),
            problem: problem.into(),
        }
    }

    /// Reads text and strips its outer blanks.
    pub(super) fn text(&self) -> Result<&'a str, SettingsError> {
        match self.value {
            Value::String(text) if text.trim().is_empty() => Err(self.invalid("is empty")),
            Value::String(text) => Ok(text.trim()),
            other => Err(self.invalid(format!("is {}; give text", kind(other)))),
        }
    }

    /// Reads a boolean in any of the spellings that pydantic takes.
    pub(super) fn boolean(&self) -> Result<bool, SettingsError> {
        let wrong = || self.invalid(format!("is {} that is neither true nor false", kind(self.value)));
        match self.value {
            Value::Bool(truth) => Ok(*truth),
            Value::Number(number) => match number.as_f64() {
                Some(1.0) => Ok(true),
                Some(0.0) => Ok(false),
                _ => Err(wrong()),
            },
            Value::String(text) => match text.trim().to_lowercase().as_str() {
                "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
                "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }

    /// Reads a finite number, or text that is one.
    pub(super) fn number(&self) -> Result<f64, SettingsError> {
        let number = match self.value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        let number = number.filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| self.invalid(format!("is {} that is no number", kind(self.value))))
    }

    /// Reads a whole number within bounds, both included.
    pub(super) fn integer(&self, least: u32, most: u32) -> Result<u32, SettingsError> {
        let number = self.number()?;
        if number.fract() != 0.0 || number < f64::from(least) || number > f64::from(most) {
            return Err(self.invalid(format!("must be a whole number from {least} to {most}")));
        }
        // The check above makes it fit.
        Ok(number as u32)
    }

    /// Reads a time in seconds, with fractions, of at least `least` seconds.
    pub(super) fn seconds(&self, least: f64) -> Result<Duration, SettingsError> {
        let seconds = self.number()?;
        if seconds < least {
            return Err(self.invalid(format!("must be at least {least} (seconds)")));
        }
        Ok(duration(seconds))
    }
}

/// Makes a duration of `seconds`, which is 0 or more, and keeps it within what clocks can add.
pub(super) fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).map_or(LONGEST, |duration| duration.min(LONGEST))
}
