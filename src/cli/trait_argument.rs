//! A trait on the command line: `KEY=VALUE`.
use std::fmt;

use serde_json::Value;

/// A trait, as `explain` takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct TraitArgument {
    /// Its key.
    pub key: String,
    /// Its value: a number, a boolean or text.
    pub value: Value,
}

impl TraitArgument {
    /// Reads it. `age=18` is a number, `age="18"` (quotes included) and `plan=pro` are text.
    ///
    /// # Errors
    /// Where there is no key, or no `=`: what to give instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or("must be KEY=VALUE")?;
        let value = match serde_json::from_str(value) {
            Ok(value @ (Value::Bool(_) | Value::Number(_) | Value::String(_))) => value,
            _ => Value::from(value),
        };
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

/// Shows no value.
impl fmt::Debug for TraitArgument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraitArgument(…)")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_a_number_a_boolean_or_text() {
        for (text, key, value) in [
            ("plan=pro", "plan", json!("pro")),
            ("age=18", "age", json!(18)),
            ("age=\"18\"", "age", json!("18")),
            ("beta=true", "beta", json!(true)),
            ("share=0.5", "share", json!(0.5)),
            ("formula=a=b", "formula", json!("a=b")),
            ("empty=", "empty", json!("")),
            ("list=[1]", "list", json!("[1]")),
            ("null=null", "null", json!("null")),
        ] {
            let expected = TraitArgument {
                key: key.to_owned(),
                value,
            };
            assert!(TraitArgument::parse(text) == Ok(expected), "{text}");
        }
        for text in ["plan", "=pro", ""] {
            assert_eq!(
                TraitArgument::parse(text),
                Err("must be KEY=VALUE".to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn no_value_is_shown() {
        let shown = format!("{:?}", TraitArgument::parse("plan=s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
