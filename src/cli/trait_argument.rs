//! A trait on the command line: `KEY=VALUE`.
use std::fmt;

use crate::explain::WrittenTrait;

/// A trait, as `explain` takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct TraitArgument(pub(crate) WrittenTrait);

impl TraitArgument {
    /// Reads it. `age=18` is a number, `age="18"` (quotes included) and `plan=pro` are text.
    ///
    /// # Errors
    /// Where there is no key, or no `=`: what to give instead.
    pub fn parse(text: &str) -> Result<Self, String> {
        WrittenTrait::read(text)
            .map(Self)
            .ok_or_else(|| "must be KEY=VALUE".to_owned())
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
    use super::*;

    #[test]
    fn a_value_is_a_number_a_boolean_or_text() {
        for (text, key, value) in [
            ("plan=pro", "plan", "\"pro\""),
            ("age=18", "age", "18"),
            ("age=18.50", "age", "18.50"),
            ("age=\"18\"", "age", "\"18\""),
            ("beta=true", "beta", "true"),
            ("formula=a=b", "formula", "\"a=b\""),
            ("empty=", "empty", "\"\""),
            ("list=[1]", "list", "\"[1]\""),
            ("zero=007", "zero", "\"007\""),
            ("null=null", "null", "null"),
        ] {
            let read = TraitArgument::parse(text).expect("a trait");
            assert_eq!((&*read.0.key, &*read.0.value), (key, value), "{text}");
        }
        for text in ["plan", "=pro", ""] {
            let error = TraitArgument::parse(text).expect_err("no trait");
            assert_eq!(error, "must be KEY=VALUE", "{text}");
        }
    }

    #[test]
    fn no_value_is_shown() {
        let shown = format!("{:?}", TraitArgument::parse("plan=s3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
