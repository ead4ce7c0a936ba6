//! A question as the query of a GET.
use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::asking::{Asking, AskingError, WrittenTrait};

impl Asking {
    /// Reads the query of a GET.
    ///
    /// # Errors
    /// Where it has other parameters, a trait that is none, or is no UTF-8. (`identities/` takes the last as Django does, which
    /// puts U+FFFD for what it cannot read. That is another identity, which nobody asks about.)
    pub(crate) fn from_query(query: &str) -> Result<Self, AskingError> {
        let mut asking = Self::default();
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let text = Some(value.clone()).filter(|value| !value.is_empty());
            match name.as_str() {
                "environment" => asking.environment = text,
                // An empty one is an identity too.
                "identifier" => asking.identifier = Some(value),
                "feature" => asking.feature = text,
                "trait" => {
                    let sent = WrittenTrait::read(&value).ok_or(AskingError::Trait)?;
                    asking.traits.push(sent.to_json());
                }
                "server_side" => {
                    asking.is_server_side = match value.as_str() {
                        "true" | "" => true,
                        "false" => false,
                        _ => return Err(AskingError::ServerSide),
                    }
                }
                _ => return Err(AskingError::Parameter),
            }
        }
        Ok(asking)
    }
}

/// A name or a value of a query, without its escapes.
fn decoded(written: &str) -> Result<String, AskingError> {
    let written = written.replace('+', " ");
    let text = percent_decode_str(&written).decode_utf8();
    text.map(Cow::into_owned).map_err(|_| AskingError::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_utf_8_is_nobody() {
        for query in [
            "identifier=%ff",
            "trait=plan%3D%c3",
            "environment=%e2%82",
            "%ff=a",
        ] {
            assert_eq!(Asking::from_query(query), Err(AskingError::Encoding), "{query}");
        }
        // U+FFFD itself may be meant.
        for (query, identifier) in [
            ("identifier=%EF%BF%BD", "\u{fffd}"),
            ("identifier=caf%C3%A9+au%20lait", "café au lait"),
            ("identifier=%2B%", "+%"),
            ("&&identifier=a=b&", "a=b"),
            ("identifier=a&identifier=b", "b"),
        ] {
            let asking = Asking::from_query(query).unwrap();
            assert_eq!(asking.identifier.as_deref(), Some(identifier), "{query}");
        }
    }
}
