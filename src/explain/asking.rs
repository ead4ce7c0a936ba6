//! What is asked: whose flags, by which environment.
use std::collections::BTreeMap;
use std::fmt;

use engine::{Identity, IdentityError, KeyKind};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A question, as it was asked. It holds an identifier and traits, so it shows neither.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Asking {
    /// The environment's name, its id, or its client-side key; `None`: the only one there is.
    pub environment: Option<String>,
    /// Who is asked about; `None`: an identity without an identifier where there are traits, else nobody. One that is there and
    /// empty is such an identity too, as `identities/` takes it.
    pub identifier: Option<String>,
    /// As `identities/` takes them: JSON objects.
    pub traits: Vec<String>,
    /// The exact name of one feature; `None`: all.
    pub feature: Option<String>,
    /// Whether to answer as to a server-side key.
    pub is_server_side: bool,
}

/// Why nothing is asked. Never repeats what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskingError {
    /// The body is no JSON object of the expected members.
    Body,
    /// The query has another parameter.
    Parameter,
    /// The query, its escapes decoded, is no UTF-8.
    Encoding,
    /// A trait of the query is no `KEY=VALUE`.
    Trait,
    /// `traits` is neither a list of traits nor an object.
    Traits,
    /// `server_side` is no boolean.
    ServerSide,
}

impl fmt::Display for AskingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Body => {
                "the body must be a JSON object with any of these members: environment, identifier and feature (strings), traits (an \
                 object, or a list as identities/ takes it), server_side (a boolean)"
            }
            Self::Parameter => {
                "the parameters are environment, identifier, trait (KEY=VALUE, as often as there are traits), feature and server_side"
            }
            Self::Encoding => {
                "the query is no UTF-8, so who is meant is not known: escape it as UTF-8, or POST the question as JSON"
            }
            Self::Trait => "a trait must be KEY=VALUE",
            Self::Traits => {
                "traits must be an object of keys and values, or a list of {\"trait_key\": …, \"trait_value\": …}"
            }
            Self::ServerSide => "server_side must be true or false",
        })
    }
}

impl std::error::Error for AskingError {}

/// The body of a POST.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    environment: Option<String>,
    identifier: Option<String>,
    #[serde(borrow)]
    traits: Option<&'a RawValue>,
    feature: Option<String>,
    server_side: Option<bool>,
}

/// The same as it is written.
#[derive(Serialize)]
struct WrittenBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identifier: Option<&'a str>,
    traits: Vec<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    feature: Option<&'a str>,
    server_side: bool,
}

/// A trait that was written as `KEY=VALUE`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct WrittenTrait {
    /// Its key.
    pub key: String,
    /// Its value, JSON: numbers keep their digits.
    pub value: String,
}

impl WrittenTrait {
    /// Reads it: `age=18` is a number, `age="18"` and `plan=pro` are text, `age=null` is not set. `None`: it has no key, or
    /// no `=`.
    pub(crate) fn read(written: &str) -> Option<Self> {
        let (key, value) = written.split_once('=').filter(|(key, _)| !key.is_empty())?;
        let json = serde_json::from_str::<&RawValue>(value).map(RawValue::get);
        let scalar = json.ok().filter(|json| !json.starts_with(['{', '[']));
        Some(Self {
            key: key.to_owned(),
            value: scalar.map_or_else(|| quoted(value), str::to_owned),
        })
    }

    /// The same as `identities/` takes it.
    pub(crate) fn to_json(&self) -> String {
        trait_json(&self.key, &self.value)
    }
}

impl Asking {
    /// Reads the body of a POST.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn from_json(body: &[u8]) -> Result<Self, AskingError> {
        let body: Body<'_> = serde_json::from_slice(body).map_err(|_| AskingError::Body)?;
        let mut asking = Self {
            environment: body.environment.filter(|name| !name.is_empty()),
            identifier: body.identifier,
            feature: body.feature.filter(|name| !name.is_empty()),
            is_server_side: body.server_side.unwrap_or(false),
            ..Self::default()
        };
        let traits = body.traits.map_or("null", RawValue::get).trim_start();
        if traits.starts_with('{') {
            let traits: BTreeMap<String, &RawValue> =
                serde_json::from_str(traits).map_err(|_| AskingError::Traits)?;
            let traits = traits.iter().map(|(key, value)| trait_json(key, value.get()));
            asking.traits = traits.collect();
        } else {
            let traits: Option<Vec<&RawValue>> =
                serde_json::from_str(traits).map_err(|_| AskingError::Traits)?;
            let traits = traits.unwrap_or_default().into_iter();
            asking.traits = traits.map(|sent| sent.get().to_owned()).collect();
        }
        Ok(asking)
    }

    /// What the key may see that the answer is for.
    pub(crate) fn kind(&self) -> KeyKind {
        match self.is_server_side {
            true => KeyKind::Server,
            false => KeyKind::Client,
        }
    }

    /// The body that `identities/` would be sent; `None`: it is `flags/` that is asked about.
    pub(super) fn identity_body(&self) -> Option<String> {
        if self.identifier.is_none() && self.traits.is_empty() {
            return None;
        }
        let identifier = self
            .identifier
            .as_deref()
            .map_or_else(|| "null".to_owned(), quoted);
        let traits = self.traits.join(",");
        Some(format!(r#"{{"identifier":{identifier},"traits":[{traits}]}}"#))
    }

    /// The same as the body of a POST.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let traits = self.traits.iter();
        let body = WrittenBody {
            environment: self.environment.as_deref(),
            identifier: self.identifier.as_deref(),
            traits: traits
                .filter_map(|sent| serde_json::from_str(sent).ok())
                .collect(),
            feature: self.feature.as_deref(),
            server_side: self.is_server_side,
        };
        serde_json::to_vec(&body).unwrap_or_default()
    }
}

/// Reads the identity of such a body.
pub(super) fn read_identity(body: &str) -> Result<Identity<'_>, IdentityError> {
    Identity::from_json(body.as_bytes(), rand::random)
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asking")
            .field("feature", &self.feature)
            .field("traits", &self.traits.len())
            .finish_non_exhaustive()
    }
}

fn trait_json(key: &str, value: &str) -> String {
    let key = quoted(key);
    format!(r#"{{"trait_key":{key},"trait_value":{value}}}"#)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(query: &str) -> Result<String, AskingError> {
        let asking = Asking::from_query(query)?;
        let again = Asking::from_json(&asking.to_json());
        assert!(again.as_ref() == Ok(&asking), "what is written is read again");
        Ok(asking.identity_body().unwrap_or_default())
    }

    #[test]
    fn traits_are_json_scalars_or_text() {
        for (written, value) in [
            ("age=18", "18"),
            ("age=12345678901234567890123.50", "12345678901234567890123.50"),
            ("age=%2218%22", "\"18\""),
            ("age=true", "true"),
            ("age=null", "null"),
            ("age=pro", "\"pro\""),
            ("age=a%3Db", "\"a=b\""),
            ("age=", "\"\""),
            ("age=[1]", "\"[1]\""),
            ("age=007", "\"007\""),
            ("age=%2B1", "\"+1\""),
        ] {
            let query = format!("identifier=a&trait={}", written.replacen('=', "%3D", 1));
            let expected =
                format!(r#"{{"identifier":"a","traits":[{{"trait_key":"age","trait_value":{value}}}]}}"#);
            assert_eq!(asked(&query), Ok(expected), "{written}");
        }
    }

    #[test]
    fn who_is_asked_about_follows_identities_and_flags() {
        assert_eq!(asked("environment=a&feature=b"), Ok(String::new()));
        assert_eq!(
            asked("trait=a%3D1"),
            Ok(r#"{"identifier":null,"traits":[{"trait_key":"a","trait_value":1}]}"#.to_owned())
        );
        for empty in ["identifier=", "identifier", "identifier=a&identifier="] {
            assert_eq!(
                asked(empty),
                Ok(r#"{"identifier":"","traits":[]}"#.to_owned()),
                "{empty}"
            );
        }
    }

    #[test]
    fn both_forms_of_traits_are_one() {
        let object = br#"{"identifier":"a","traits":{"age":18.50,"plan":"pro"}}"#;
        let list = br#"{"identifier":"a","traits":[{"trait_key":"age","trait_value":18.50},{"trait_key":"plan","trait_value":"pro"}]}"#;
        let bodies = [&object[..], list].map(|body| Asking::from_json(body).unwrap().identity_body());
        assert_eq!(bodies[0], bodies[1]);
        assert!(bodies[0].as_ref().unwrap().contains("18.50"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (body, error) in [
            ("", AskingError::Body),
            ("[]", AskingError::Body),
            (r#"{"identifer":"a"}"#, AskingError::Body),
            (r#"{"identifier":1}"#, AskingError::Body),
            (r#"{"traits":"a"}"#, AskingError::Traits),
            (r#"{"server_side":"yes"}"#, AskingError::Body),
        ] {
            assert_eq!(Asking::from_json(body.as_bytes()), Err(error), "{body}");
        }
        for (query, error) in [
            ("identifer=a", AskingError::Parameter),
            ("trait=a", AskingError::Trait),
            ("trait=%3Da", AskingError::Trait),
            ("server_side=yes", AskingError::ServerSide),
        ] {
            assert_eq!(Asking::from_query(query), Err(error), "{query}");
        }
    }

    #[test]
    fn nothing_that_was_sent_is_shown() {
        let shown = format!("{:?}", Asking::from_query("identifier=s3cret&trait=a%3Ds3cret"));
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
