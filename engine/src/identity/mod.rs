//! What a caller of `identities/` sends.
mod anonymous;
mod body;
mod error;
mod fields;
#[cfg(test)]
mod tests;
mod traits;

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use crate::json::{Kind, decode_string, write_string};
use crate::python::PyValue;

use body::Body;
use error::LONGEST_IDENTIFIER;

pub use error::IdentityError;
pub(crate) use traits::Trait;

/// An identity to evaluate: identifier and traits, borrowed from the request where possible.
pub struct Identity<'a> {
    identifier: Cow<'a, str>,
    /// As sent: order and duplicates kept.
    traits: Vec<Trait<'a>>,
    /// Without an identifier of its own: its traits are echoed as transient.
    anonymous: bool,
    /// Where the key for percentages is not made of the environment's key and the identifier.
    key: Option<Cow<'a, str>>,
}

impl<'a> Identity<'a> {
    /// Reads the body of `POST identities/`. `random` is asked for 16 random bytes where an anonymous identity without
    /// traits needs an identifier.
    ///
    /// # Errors
    /// Where the body is no JSON object of the expected form; the error never repeats what was sent.
    pub fn from_json(body: &'a [u8], random: impl FnOnce() -> [u8; 16]) -> Result<Self, IdentityError> {
        let body = Body::read(body)?;
        let traits = body.traits.0?;
        traits::check_transient(body.transient, IdentityError::Transient)?;
        let identifier = body.identifier.map_or(Ok(None), read_identifier)?;
        if identifier.as_deref().is_some_and(is_too_long) {
            return Err(IdentityError::IdentifierLength);
        }
        Ok(Self::new(identifier, traits, random))
    }

    /// The identity of `GET identities/?identifier=…`: without traits; anonymous where the identifier is blank.
    ///
    /// # Errors
    /// Where the identifier is longer than 2,000 characters.
    pub fn from_query(
        identifier: Option<&'a str>,
        random: impl FnOnce() -> [u8; 16],
    ) -> Result<Self, IdentityError> {
        let identifier = identifier.map(trim).filter(|identifier| !identifier.is_empty());
        if identifier.is_some_and(is_too_long) {
            return Err(IdentityError::IdentifierLength);
        }
        Ok(Self::new(identifier.map(Cow::Borrowed), Vec::new(), random))
    }

    /// The same identity with a key of its own for percentages, in place of `{environment key}_{identifier}`: what the
    /// evaluation contexts of Flagsmith's engine may carry. Requests never do.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Cow<'a, str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The identifier: as sent without its outer blanks, or the one made for an anonymous identity.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The key for percentages, where it is not made of the environment's key and the identifier.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The traits as sent, in order, duplicates and unset ones included.
    pub(crate) fn traits(&self) -> &[Trait<'a>] {
        &self.traits
    }

    fn new(
        identifier: Option<Cow<'a, str>>,
        traits: Vec<Trait<'a>>,
        random: impl FnOnce() -> [u8; 16],
    ) -> Self {
        let anonymous = identifier.is_none();
        let identifier = identifier.unwrap_or_else(|| Cow::Owned(anonymous::identifier(&traits, random)));
        Self {
            identifier,
            traits,
            anonymous,
            key: None,
        }
    }

    /// How many bytes [`Self::write_traits`] writes at most.
    pub(crate) fn traits_length(&self) -> usize {
        self.traits.iter().map(Trait::echo_length).sum::<usize>() + 2
    }

    /// Writes the list of traits that the answer echoes: in the order sent, unset ones left out.
    pub(crate) fn write_traits(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        let start = out.len();
        for sent in &self.traits {
            if sent.value.is_unset() {
                continue;
            }
            if out.len() > start {
                out.push(b',');
            }
            sent.write(out, self.anonymous);
        }
        out.push(b']');
    }

    /// Writes the identifier as JSON.
    pub(crate) fn write_identifier(&self, out: &mut Vec<u8>) {
        write_string(out, &self.identifier);
    }
}

impl fmt::Debug for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the identifier or a trait.
        f.debug_struct("Identity")
            .field("anonymous", &self.anonymous)
            .field("traits", &self.traits.len())
            .finish()
    }
}

/// Reads the identifier; `None` where it is null or blank.
fn read_identifier(json: &RawValue) -> Result<Option<Cow<'_, str>>, IdentityError> {
    match Kind::of(json.get()) {
        Kind::Null => Ok(None),
        Kind::String => {
            let identifier = decode_string(json.get()).ok_or(IdentityError::Unicode)?;
            let identifier = match identifier {
                Cow::Borrowed(identifier) => Cow::Borrowed(trim(identifier)),
                Cow::Owned(identifier) => Cow::Owned(trim(&identifier).to_owned()),
            };
            Ok(Some(identifier).filter(|identifier| !identifier.is_empty()))
        }
        Kind::Number => {
            let number = PyValue::from_json(json).map_err(|_| IdentityError::Number)?;
            traits::finite(&number)?;
            Ok(Some(Cow::Owned(number.text())))
        }
        Kind::Boolean | Kind::List | Kind::Object => Err(IdentityError::Identifier),
    }
}

fn is_too_long(identifier: &str) -> bool {
    traits::is_longer(identifier, LONGEST_IDENTIFIER)
}

/// As Python's `str.strip`, which counts the four ASCII separators among the blanks.
fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character))
}
