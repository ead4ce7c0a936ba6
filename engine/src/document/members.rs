//! Objects of a document as Python reads them: of several members of one name the last counts, whatever the others hold. (What
//! serde derives refuses an object that has two.)
use serde::de::{Deserialize, Error};
use serde_json::value::RawValue;

use super::parts::{Feature, MultivariateOption};
use crate::json::Text;

/// What is made of an object's member.
pub(super) trait Member<'a>: Sized {
    /// Reads the last member of this name; `None`: the object has none.
    fn read<E: Error>(json: Option<&'a RawValue>, name: &'static str) -> Result<Self, E>;
}

/// A member that is present, `null` included.
pub(crate) struct Present<'a>(pub Option<&'a RawValue>);

impl<'a> Member<'a> for Present<'a> {
    fn read<E: Error>(json: Option<&'a RawValue>, _: &'static str) -> Result<Self, E> {
        Ok(Self(json))
    }
}

/// `null` is none.
impl<'a> Member<'a> for Option<&'a RawValue> {
    fn read<E: Error>(json: Option<&'a RawValue>, _: &'static str) -> Result<Self, E> {
        Ok(json.filter(|json| json.get() != "null"))
    }
}

/// `null` is none.
impl<'a> Member<'a> for Option<Vec<&'a RawValue>> {
    fn read<E: Error>(json: Option<&'a RawValue>, _: &'static str) -> Result<Self, E> {
        json.map_or(Ok(None), typed)
    }
}

impl<'a> Member<'a> for &'a RawValue {
    fn read<E: Error>(json: Option<&'a RawValue>, name: &'static str) -> Result<Self, E> {
        json.ok_or_else(|| E::missing_field(name))
    }
}

/// Members that must be there and of their type.
macro_rules! typed_members {
    ($($member:ty),*) => {
        $(impl<'a> Member<'a> for $member {
            fn read<E: Error>(json: Option<&'a RawValue>, name: &'static str) -> Result<Self, E> {
                typed(json.ok_or_else(|| E::missing_field(name))?)
            }
        })*
    };
}

typed_members!(bool, Text<'a>, Feature<'a>, MultivariateOption<'a>);

fn typed<'a, T: Deserialize<'a>, E: Error>(json: &'a RawValue) -> Result<T, E> {
    serde_json::from_str(json.get()).map_err(E::custom)
}

/// Reads a struct from an object's members of these names.
macro_rules! reads_members {
    ($part:ident { $($member:ident: $name:literal),* $(,)? }) => {
        impl<'de> serde::Deserialize<'de> for $part<'de> {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct PartVisitor;
                impl<'de> serde::de::Visitor<'de> for PartVisitor {
                    type Value = $part<'de>;
                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str("an object")
                    }
                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                        $(let mut $member = None;)*
                        while let Some($crate::json::Text(name)) = map.next_key()? {
                            match &*name {
                                $($name => $member = Some(map.next_value()?),)*
                                _ => {
                                    map.next_value::<serde::de::IgnoredAny>()?;
                                }
                            }
                        }
                        Ok($part {
                            $($member: $crate::document::members::Member::read($member, $name)?,)*
                        })
                    }
                }
                deserializer.deserialize_map(PartVisitor)
            }
        }
    };
}
pub(super) use reads_members;
