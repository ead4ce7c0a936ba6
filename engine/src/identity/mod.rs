//! What a caller of `identities/` sends.
mod anonymous;
mod body;
mod error;
mod fields;
mod lasting;
#[cfg(test)]
mod tests;
mod text;
mod traits;

use std::borrow::Cow;
use std::fmt;

use serde_json::value::RawValue;

use crate::json::{Kind, write_string};

use body::Body;
use error::LONGEST_IDENTIFIER;

pub use error::IdentityError;
pub use lasting::LastingTrait;
pub(crate) use traits::{Trait, TraitValue, is_of_cohort};

/// An identity to evaluate: identifier and traits, borrowed from the request where possible.
pub struct Identity<'a> {
    identifier: Cow<'a, str>,
    /// As sent, order and duplicates kept, save those that do not count.
    traits: Vec<Trait<'a>>,
    /// The keys of traits that were sent as null.
    unset: Vec<Cow<'a, str>>,
    /// It is transient as a whole, for it says so or has no identifier of its own: its traits are echoed as transient.
    transient: bool,
    /// Where the key for percentages is not made of the environment's key and the identifier.
    key: Option<Cow<'a, str>>,
}

impl<'a> Identity<'a> {
    /// Reads the body of `POST identities/`; an empty one is an anonymous identity's, as core takes it. `random` is asked for 16
    /// random bytes where an anonymous identity without traits needs an identifier.
    ///
    /// # Errors
    /// Where the body is no JSON object of the expected form; the error never repeats what was sent.
    pub fn from_json(body: &'a [u8], random: impl FnOnce() -> [u8; 16]) -> Result<Self, IdentityError> {
        let body = match body {
            [] => Body::default(),
            _ => Body::read(body)?,
        };
        let traits = body.traits.read?;
        let transient = traits::read_transient(body.transient, IdentityError::Transient)?;
        let identifier = body.identifier.map_or(Ok(None), read_identifier)?;
        if identifier.as_deref().is_some_and(is_too_long) {
            return Err(IdentityError::IdentifierLength);
        }
        let is_anonymous = identifier.is_none();
        let identifier = identifier.unwrap_or_else(|| {
            Cow::Owned(match body.traits.any {
                true => anonymous::identifier(&traits),
                false => anonymous::random_identifier(random()),
            })
        });
        Ok(Self {
            identifier,
            traits,
            unset: body.traits.unset,
            transient: transient || is_anonymous,
            key: None,
        })
    }

    /// The identity of `GET identities/?identifier=…`: without traits; anonymous where there is no identifier. Blanks belong to
    /// it, as core takes it.
    ///
    /// # Errors
    /// Where the identifier is longer than 2,000 characters.
    pub fn from_query(
        identifier: Option<&'a str>,
        random: impl FnOnce() -> [u8; 16],
    ) -> Result<Self, IdentityError> {
        let identifier = identifier.filter(|identifier| !identifier.is_empty());
        if identifier.is_some_and(is_too_long) {
            return Err(IdentityError::IdentifierLength);
        }
        let random = || Cow::Owned(anonymous::random_identifier(random()));
        Ok(Self {
            identifier: identifier.map_or_else(random, Cow::Borrowed),
            traits: Vec::new(),
            unset: Vec::new(),
            transient: identifier.is_none(),
            key: None,
        })
    }

    /// The same identity with a key of its own for percentages, in place of `{environment key}_{identifier}`: what the
    /// evaluation contexts of Flagsmith's engine may carry. Requests never do.
    #[must_use]
    pub fn with_key(mut self, key: impl Into<Cow<'a, str>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The identifier that was sent, or the one made for an anonymous identity.
    pub fn identifier(&self) -> &str {
        &self.identifier
    }

    /// The key for percentages, where it is not made of the environment's key and the identifier.
    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The traits as sent, in order, duplicates included, unset ones not.
    pub(crate) fn traits(&self) -> &[Trait<'a>] {
        &self.traits
    }

    /// The keys of traits that were sent as null.
    pub(crate) fn unset(&self) -> impl Iterator<Item = &str> {
        self.unset.iter().map(AsRef::as_ref)
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
            if out.len() > start {
                out.push(b',');
            }
            sent.write(out, self.transient);
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
            .field("transient", &self.transient)
            .field("traits", &self.traits.len())
            .finish()
    }
}

/// Reads the identifier; `None` where it is null or blank.
fn read_identifier(json: &RawValue) -> Result<Option<Cow<'_, str>>, IdentityError> {
    if Kind::of(json.get()) == Kind::Null {
        return Ok(None);
    }
    let identifier = text::read(json, IdentityError::Identifier)?.text;
    Ok(Some(identifier).filter(|identifier| !identifier.is_empty()))
}

fn is_too_long(identifier: &str) -> bool {
    text::is_longer(identifier, LONGEST_IDENTIFIER)
}
