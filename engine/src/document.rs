//! One fetched environment document.
use bytes::Bytes;

use crate::{Environment, UpdatedAt, Warning};

/// A fetched environment document, its pages merged: known to be an environment document, not yet compiled.
#[derive(Debug)]
pub struct Document {}

/// Identifies a document's content; equal for two fetches that differ in `updated_at` and `identity_uuid` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentDigest([u8; 32]);

/// Why bytes are no environment document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentError {
    /// Not JSON.
    NotJson(String),
    /// JSON, but not an environment document.
    NotADocument(String),
}

impl Document {
    /// Reads the pages of one fetch; the later ones add identity overrides.
    ///
    /// # Errors
    /// Where a page is not JSON, or no environment document.
    pub fn from_pages(_pages: Vec<Bytes>) -> Result<Self, DocumentError> {
        todo!()
    }
    /// The document's own `updated_at`; `None` where missing or unreadable.
    pub fn updated_at(&self) -> Option<UpdatedAt> {
        todo!()
    }
    /// What the document says, for comparison.
    pub fn content(&self) -> ContentDigest {
        todo!()
    }
    /// The document as it is served: every field kept, `updated_at` replaced, identity overrides of all pages in it.
    pub fn to_json(&self, _served: UpdatedAt) -> Vec<u8> {
        todo!()
    }
    /// Compiles the document; the warnings name the parts that could not be understood.
    pub fn compile(&self) -> (Environment, Vec<Warning>) {
        todo!()
    }
}
