//! The body of `POST identities/`, read by serde in one pass, borrowed.
//!
//! A reader of our own for what SDKs write took half as long (0.29 µs for 5 traits and 0.67 µs for 15, beside 0.57 and 1.39
//! in the same run) and 279 lines. A request costs 4 to 5 µs of CPU: the limits in `bench/limits.json` hold without it.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::IdentityError;
use super::error::{MOST_DIGITS, MOST_TRAITS};
use super::fields::Field;
use super::traits::{Meaning, Trait};

/// The fields of the body; the traits are read.
#[derive(Default)]
pub(super) struct Body<'a> {
    pub identifier: Option<&'a RawValue>,
    pub traits: Traits<'a>,
    pub transient: Option<&'a RawValue>,
}

/// The traits that were sent.
pub(super) struct Traits<'a> {
    /// Those that count, in order, or the error of the first that cannot be read. It stays aside until the whole body is read:
    /// an error of the body's form comes first.
    pub read: Result<Vec<Trait<'a>>, IdentityError>,
    /// Whether there were any, counted or not.
    pub any: bool,
    /// The keys of those that are null, which do not count here.
    pub unset: Vec<Cow<'a, str>>,
}

impl Default for Traits<'_> {
    fn default() -> Self {
        Self {
            read: Ok(Vec::new()),
            any: false,
            unset: Vec::new(),
        }
    }
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
                let (mut has_traits, mut later) = (false, None::<&RawValue>);
                while let Some(field) = map.next_key()? {
                    match field {
                        Field::Identifier => body.identifier = Some(map.next_value()?),
                        // The last list counts. Those between are not read: each has a bound of its own.
                        Field::Traits if has_traits => later = Some(map.next_value()?),
                        Field::Traits => {
                            has_traits = true;
                            body.traits = map.next_value::<Option<_>>()?.unwrap_or_default();
                        }
                        Field::Transient => body.transient = Some(map.next_value()?),
                        Field::TraitKey | Field::TraitValue | Field::Other => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                if let Some(later) = later {
                    let traits = serde_json::from_str::<Option<_>>(later.get()).map_err(A::Error::custom)?;
                    body.traits = traits.unwrap_or_default();
                }
                Ok(body)
            }
        }
        deserializer.deserialize_map(BodyVisitor)
    }
}

/// Room is made for this many traits at once: most identities send fewer.
const USUAL_TRAITS: usize = 16;

fn push<'a>(traits: &mut Vec<Trait<'a>>, sent: Trait<'a>) {
    if traits.capacity() == 0 {
        traits.reserve(USUAL_TRAITS);
    }
    traits.push(sent);
}

impl<'de> Deserialize<'de> for Traits<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TraitsVisitor;
        impl<'de> Visitor<'de> for TraitsVisitor {
            type Value = Traits<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of traits")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let (mut traits, mut unset) = (Ok(Vec::new()), Vec::new());
                let (mut count, mut digits_left) = (0, MOST_DIGITS);
                while let Some(fields) = seq.next_element()? {
                    count += 1;
                    // The rest of the list after an error need only be of the expected form.
                    let Ok(read) = &mut traits else { continue };
                    if count > MOST_TRAITS {
                        traits = Err(IdentityError::TraitCount);
                        continue;
                    }
                    match Trait::read(fields, &mut digits_left) {
                        Ok(Meaning::Trait(sent)) => push(read, sent),
                        Ok(Meaning::Unset(key)) => unset.push(key),
                        Ok(Meaning::Nothing) => {}
                        Err(error) => traits = Err(error),
                    }
                }
                Ok(Traits {
                    read: traits,
                    any: count > 0,
                    unset,
                })
            }
        }
        deserializer.deserialize_seq(TraitsVisitor)
    }
}
