use std::fmt;

use serde_json::error::Category;

/// Why bytes are no environment document. Names fields and places, never what the document holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentError {
    /// Not JSON, or nested too deeply.
    NotJson(String),
    /// JSON, but not an environment document.
    NotADocument(String),
}

impl DocumentError {
    pub(super) fn missing(field: &str) -> Self {
        Self::NotADocument(format!("`{field}` is missing"))
    }

    pub(super) fn wrong_type(field: &str, expected: &str) -> Self {
        Self::NotADocument(format!("`{field}` is not {expected}"))
    }

    /// serde's own message may quote the document: only the place is kept.
    pub(super) fn from_serde(error: &serde_json::Error) -> Self {
        match error.classify() {
            Category::Data => Self::NotADocument("it is not a JSON object".to_owned()),
            _ => Self::NotJson(format!(
                "invalid at line {} column {}",
                error.line(),
                error.column()
            )),
        }
    }
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotJson(problem) => write!(f, "not JSON: {problem}"),
            Self::NotADocument(problem) => write!(f, "not an environment document: {problem}"),
        }
    }
}

impl std::error::Error for DocumentError {}
