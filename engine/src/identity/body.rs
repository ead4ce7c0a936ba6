//! The body of `POST identities/`, split into its fields. Of fields that are given twice the last one counts, as in
//! Python; unknown ones are passed over.
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::IdentityError;

/// The fields of the body, unread.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub identifier: Option<&'a RawValue>,
    pub traits: Vec<TraitBody<'a>>,
    pub transient: Option<&'a RawValue>,
}

/// The fields of a trait, unread.
#[derive(Default)]
pub(super) struct TraitBody<'a> {
    pub key: Option<&'a RawValue>,
    pub value: Option<&'a RawValue>,
    pub transient: Option<&'a RawValue>,
}

impl<'a> Body<'a> {
    pub(super) fn read(body: &'a [u8]) -> Result<Self, IdentityError> {
        let text = std::str::from_utf8(body).map_err(|_| IdentityError::NotJson)?;
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => IdentityError::Form,
            Category::Io | Category::Syntax | Category::Eof => IdentityError::NotJson,
        })
    }
}

/// The names of the fields of both objects.
enum Field {
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

impl<'de> Deserialize<'de> for Body<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BodyVisitor;
        impl<'de> Visitor<'de> for BodyVisitor {
            type Value = Body<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut body = Body::default();
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Identifier => body.identifier = Some(map.next_value()?),
                        Field::Traits => {
                            body.traits = map.next_value::<Option<Traits<'_>>>()?.unwrap_or_default().0
                        }
                        Field::Transient => body.transient = Some(map.next_value()?),
                        Field::TraitKey | Field::TraitValue | Field::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(body)
            }
        }
        deserializer.deserialize_map(BodyVisitor)
    }
}

#[derive(Default)]
struct Traits<'a>(Vec<TraitBody<'a>>);

impl<'de> Deserialize<'de> for Traits<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TraitsVisitor;
        impl<'de> Visitor<'de> for TraitsVisitor {
            type Value = Traits<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of traits")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut traits = Vec::with_capacity(USUAL_TRAITS);
                while let Some(sent) = seq.next_element()? {
                    traits.push(sent);
                }
                Ok(Traits(traits))
            }
        }
        deserializer.deserialize_seq(TraitsVisitor)
    }
}

/// Most identities send fewer traits.
const USUAL_TRAITS: usize = 16;

impl<'de> Deserialize<'de> for TraitBody<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TraitVisitor;
        impl<'de> Visitor<'de> for TraitVisitor {
            type Value = TraitBody<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a trait")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut sent = TraitBody::default();
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
