//! Environment keys and what they open.
use std::collections::HashMap;
use std::fmt;

use engine::KeyKind;

/// A secret: an environment key, client-side or server-side. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EnvironmentKey(String);

impl EnvironmentKey {
    /// Wraps a key whose outer blanks are off.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for comparing and for requests to upstream; never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EnvironmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentKey(…)")
    }
}

/// Which of the configured environments: its place in the list of key pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvironmentIndex(pub usize);

/// From key to environment and kind of key.
#[derive(Debug, Clone, Default)]
pub struct KeyTable {
    by_key: HashMap<EnvironmentKey, (EnvironmentIndex, KeyKind)>,
}
