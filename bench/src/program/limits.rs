//! What may not be exceeded: `bench/limits.json`, from the name of a row to the most it may be.
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Limits by the name of their row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits(BTreeMap<String, f64>);

impl Limits {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        Ok(Self(serde_json::from_str(&text)?))
    }

    /// The limit of a row.
    pub(crate) fn of(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }
}
