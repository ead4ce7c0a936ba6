//! The compiled environment and what it answers.
use crate::{Identity, KeyKind};

/// A compiled environment document: immutable, shared by all who evaluate against it.
#[derive(Debug)]
pub struct Environment {}

impl Environment {
    /// The environment's id, as JSON text.
    pub fn id(&self) -> &str {
        todo!()
    }
    /// The environment's name.
    pub fn name(&self) -> &str {
        todo!()
    }
    /// Whether the organisation is disabled from serving flags.
    pub fn stops_serving_flags(&self) -> bool {
        todo!()
    }
    /// The body of `flags/`: every visible flag's default, a JSON array in document order.
    pub fn flags(&self, _kind: KeyKind) -> Vec<u8> {
        todo!()
    }
    /// The body of `flags/?feature=name`: an exact name first, then without case. `None`: unknown or hidden.
    pub fn flag(&self, _kind: KeyKind, _name: &str) -> Option<Vec<u8>> {
        todo!()
    }
    /// The body of `identities/`: identifier, the echo of the traits, the flags.
    pub fn identity_answer(&self, _kind: KeyKind, _identity: &Identity<'_>) -> Vec<u8> {
        todo!()
    }
    /// The body of `identities/?feature=name` (exact name). `None`: unknown or hidden.
    pub fn identity_flag(&self, _kind: KeyKind, _identity: &Identity<'_>, _name: &str) -> Option<Vec<u8>> {
        todo!()
    }
}
