//! An evaluated flag with its parts, for writers of anything but Flagsmith's answer.
use std::fmt;

use crate::json::{Kind, decode_string, to_python};
use crate::python::PyValue;

/// An evaluated flag.
#[derive(Debug, Clone, Copy)]
pub struct Flag<'e> {
    /// The feature, as the chosen feature state names it.
    pub feature: &'e FlagFeature,
    /// Whether the flag is on.
    pub enabled: bool,
    /// The flag's value, JSON.
    pub value: &'e str,
    /// The key of the multivariate option, JSON (`null`: the option has none), or `"control"`. `None`: the feature state
    /// is not multivariate, or there is no identity.
    pub variant: Option<&'e str>,
    /// Why the flag is what it is.
    pub reason: Reason<'e>,
    /// What the chosen feature state says beside, a JSON object; `None`: nothing. Identity overrides never have it.
    pub metadata: Option<&'e str>,
    /// The flag's JSON as Flagsmith's API answers it to an identity. `None`: it is put together for each.
    pub ready: Option<&'e [u8]>,
}

/// The feature of a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagFeature {
    /// JSON: a number, or a string.
    pub id: Box<str>,
    /// The feature's name.
    pub name: Box<str>,
    /// `STANDARD` or `MULTIVARIATE`.
    pub r#type: Box<str>,
}

/// Why a flag is what it is. Its text is that of Flagsmith's engine (11.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason<'e> {
    /// The default; nothing overrides the feature.
    Static,
    /// The default, though segments or identities override the feature.
    Default,
    /// The override of the segment of this name.
    Segment(&'e str),
    /// The identity's own override.
    IdentityOverride,
    /// A multivariate option, which the identity got by its percentage.
    Split {
        /// The option's percentage allocation, as Python writes it.
        weight: &'e str,
    },
    /// Segments that override the feature read its own flag, or flags that depend on it.
    CircularDependency,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static => f.write_str("STATIC"),
            Self::Default => f.write_str("DEFAULT"),
            Self::Segment(name) => write!(f, "TARGETING_MATCH; segment={name}"),
            Self::IdentityOverride => f.write_str("TARGETING_MATCH; segment=identity_overrides"),
            Self::Split { weight } => write!(f, "SPLIT; weight={weight}"),
            Self::CircularDependency => f.write_str("ERROR; code=CIRCULAR_DEPENDENCY"),
        }
    }
}

impl Flag<'_> {
    /// The flag as paths (`$.flags.NAME…`) see it; `None` where its variant is neither a string nor null.
    pub(super) fn to_python(self) -> Option<PyValue> {
        let variant = match self.variant.map(|json| (Kind::of(json), json)) {
            None | Some((Kind::Null, _)) => PyValue::None,
            Some((_, json)) => PyValue::String(decode_string(json)?.into_owned()),
        };
        let read = |json: &str| to_python(json).unwrap_or(PyValue::None);
        let id = PyValue::Dict(vec![("id".to_owned(), read(&self.feature.id))]);
        let members = [
            ("enabled", PyValue::Boolean(self.enabled)),
            ("name", PyValue::String(self.feature.name.as_ref().to_owned())),
            ("reason", PyValue::String(self.reason.to_string())),
            ("value", read(self.value)),
            ("variant", variant),
            ("metadata", id),
        ];
        Some(PyValue::Dict(
            members.map(|(name, value)| (name.to_owned(), value)).into(),
        ))
    }
}
