//! What a caller of `identities/` sends.
use std::marker::PhantomData;

/// An identity to evaluate: identifier and traits, borrowed from the request where possible.
#[derive(Debug)]
pub struct Identity<'a> {
    body: PhantomData<&'a [u8]>,
}

/// Why a request names no identity that can be evaluated: each is a 400 with this text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityError {
    /// Not JSON, or nested too deeply.
    NotJson,
}

impl<'a> Identity<'a> {
    /// Reads the body of `POST identities/`. `random` is asked for 16 random bytes where an anonymous identity without
    /// traits needs an identifier.
    ///
    /// # Errors
    /// Where the body is no JSON object of the expected form; the error never repeats what was sent.
    pub fn from_json(_body: &'a [u8], _random: impl FnOnce() -> [u8; 16]) -> Result<Self, IdentityError> {
        todo!()
    }
    /// The identity of `GET identities/?identifier=…`: without traits; anonymous where the identifier is blank.
    pub fn from_query(_identifier: Option<&'a str>, _random: impl FnOnce() -> [u8; 16]) -> Self {
        todo!()
    }
}
