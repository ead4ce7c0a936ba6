//! The fields of the body and of its traits. As in Python, the last of fields of one name counts; unknown fields are passed
//! over.
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The names of the fields of both objects.
pub(super) enum Field {
    Identifier,
    Traits,
    Transient,
    TraitKey,
    TraitValue,
    Other,
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;
        impl Visitor<'_> for FieldVisitor {
            type Value = Field;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }
            fn visit_str<E: Error>(self, name: &str) -> Result<Field, E> {
                Ok(match name {
                    "identifier" => Field::Identifier,
                    "traits" => Field::Traits,
                    "transient" => Field::Transient,
                    "trait_key" => Field::TraitKey,
                    "trait_value" => Field::TraitValue,
                    _ => Field::Other,
                })
            }
        }
        deserializer.deserialize_identifier(FieldVisitor)
    }
}

/// The fields of a trait, unread.
#[derive(Default)]
pub(super) struct TraitFields<'a> {
    pub key: Option<&'a RawValue>,
    pub value: Option<&'a RawValue>,
    pub transient: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for TraitFields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TraitVisitor;
        impl<'de> Visitor<'de> for TraitVisitor {
            type Value = TraitFields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a trait")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut sent = TraitFields::default();
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::TraitKey => sent.key = Some(map.next_value()?),
                        Field::TraitValue => sent.value = Some(map.next_value()?),
                        Field::Transient => sent.transient = Some(map.next_value()?),
                        Field::Identifier | Field::Traits | Field::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(sent)
            }
        }
        deserializer.deserialize_map(TraitVisitor)
    }
}
