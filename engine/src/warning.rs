use std::fmt;

/// A part of a document that the engine could not understand, and what it does about it.
///
/// Compilation gives it once. It holds names from the document, never a trait value or an identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Which part: `segment "beta" (id 7)`, `feature "checkout"`.
    pub part: String,
    /// What is wrong with it and what follows: `REGEX condition: unbalanced parenthesis; the segment will not match`.
    pub problem: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.part, self.problem)
    }
}
