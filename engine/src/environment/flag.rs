use serde::Deserialize;
use serde_json::value::RawValue;

/// An evaluated flag, for diagnostics and tests; answers to requests are written without it.
#[derive(Debug, Deserialize)]
pub struct Flag {
    /// The feature whose state was evaluated.
    pub feature: FlagFeature,
    /// Whether the flag is on.
    pub enabled: bool,
    /// The flag's value, as JSON with its exact text.
    pub feature_state_value: Box<RawValue>,
    /// The key of the multivariate option, `"control"`, or `None`: no identity, not multivariate, or an option without a
    /// key.
    #[serde(default)]
    pub variant: Option<String>,
}

/// The feature that a flag belongs to.
#[derive(Debug, Deserialize)]
pub struct FlagFeature {
    /// As JSON: a number, or a string.
    pub id: Box<RawValue>,
    /// The feature's name.
    pub name: String,
    /// `STANDARD` or `MULTIVARIATE`.
    pub r#type: String,
}

/// Reads a list of flags that the engine wrote.
pub(super) fn parse(flags: &[u8]) -> Vec<Flag> {
    serde_json::from_slice(flags).unwrap_or_default()
}
