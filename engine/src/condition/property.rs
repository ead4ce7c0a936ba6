//! Properties: they say where a condition finds its value.
use super::jsonpath::{PathError, Query};
use super::regex::Room;

/// Where a condition finds its value.
#[derive(Debug, Clone)]
pub(crate) enum Property {
    /// The trait of this name.
    Trait(String),
    /// A JSONPath. Where it finds nothing or an object, the trait named like the whole property is read.
    Path(Path),
}

/// A JSONPath over the evaluation context. The common paths have names: they need no context built for them.
#[derive(Debug, Clone)]
pub(crate) enum Path {
    /// `$.identity.identifier`
    IdentityIdentifier,
    /// `$.identity.key`
    IdentityKey,
    /// `$.identity.traits.NAME`
    IdentityTrait(String),
    /// `$.environment.key`
    EnvironmentKey,
    /// `$.environment.name`
    EnvironmentName,
    /// `$.flags.NAME…`: the result of another flag.
    Flags {
        /// The flag's name.
        name: String,
        /// What to read of its result. It starts there, so it holds no filter, which could start at the whole context.
        rest: Query,
    },
    /// Any other path, over `{environment, identity, features, segments, flags}`.
    General(Query),
    /// The reference raises on the path (an unknown function, an index past 2⁵³), so every condition on it raises.
    Raising,
}

impl Property {
    /// Reads a condition's property. Never fails: an invalid path is a trait's name. Patterns in a path become automata as far
    /// as there is room.
    pub(crate) fn parse(property: &str, room: &mut Room) -> Self {
        if !property.starts_with("$.") {
            return Self::Trait(property.to_owned());
        }
        match Query::parse(property, room) {
            Ok(query) => Self::Path(Path::from_query(query)),
            Err(PathError::Syntax) => Self::Trait(property.to_owned()),
            Err(PathError::Raised) => Self::Path(Path::Raising),
        }
    }
}

impl Path {
    /// Whether it reads the environment alone, which is the same for every identity.
    pub(crate) fn reads_environment(&self) -> bool {
        match self {
            Self::EnvironmentKey | Self::EnvironmentName => true,
            // A filter could start at the whole context.
            Self::General(query) => {
                !query.has_filter() && query.names().first() == Some(&Some("environment"))
            }
            _ => false,
        }
    }

    fn from_query(query: Query) -> Self {
        match *query.names().as_slice() {
            [Some("identity"), Some("identifier")] => Self::IdentityIdentifier,
            [Some("identity"), Some("key")] => Self::IdentityKey,
            [Some("identity"), Some("traits"), Some(name)] => Self::IdentityTrait(name.to_owned()),
            [Some("environment"), Some("key")] => Self::EnvironmentKey,
            [Some("environment"), Some("name")] => Self::EnvironmentName,
            [Some("flags"), Some(name), ..] if !query.has_filter() => Self::Flags {
                name: name.to_owned(),
                rest: query.after(2),
            },
            _ => Self::General(query),
        }
    }
}
