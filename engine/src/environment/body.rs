//! The body of an answer.
use std::fmt;

/// The body of an answer, and how it is coded.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// As it is.
    Plain(Vec<u8>),
    /// In gzip.
    Gzip(Vec<u8>),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the identifier or a trait.
        let (name, bytes) = match self {
            Self::Plain(bytes) => ("Plain", bytes),
            Self::Gzip(bytes) => ("Gzip", bytes),
        };
        f.debug_tuple(name)
            .field(&format_args!("{} bytes", bytes.len()))
            .finish()
    }
}
