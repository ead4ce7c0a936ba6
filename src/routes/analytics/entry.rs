//! One evaluation of version 2.
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::counts::Counted;
use super::values::{Scalar, Text};

/// One entry of the list; `None`: it says nothing that could be counted.
pub(super) struct Entry<'b>(pub(super) Option<Counted<'b>>);

impl<'b> Deserialize<'b> for Entry<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'b> Visitor<'b> for EntryVisitor {
    type Value = Entry<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut fields: A) -> Result<Entry<'b>, A::Error> {
        let (mut feature, mut enabled, mut count) = (None, None, None);
        let mut identity = Some(None);
        while let Some(Text(field)) = fields.next_key()? {
            let value: Scalar<'b> = fields.next_value()?;
            match &*field {
                "feature_name" => feature = value.text(),
                "identity_identifier" => identity = value.identity(),
                "enabled_when_evaluated" => enabled = value.truth(),
                "count" => count = value.count(),
                _ => {}
            }
        }
        let counted = || {
            Some(Counted {
                feature: feature?,
                identity: identity?,
                enabled: enabled?,
                count: count?,
            })
        };
        Ok(Entry(counted()))
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut items: A) -> Result<Entry<'b>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry(None))
    }

    fn visit_unit<E>(self) -> Result<Entry<'b>, E> {
        Ok(Entry(None))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Entry<'b>, E> {
        Ok(Entry(None))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Entry<'b>, E> {
        Ok(Entry(None))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Entry<'b>, E> {
        Ok(Entry(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Entry<'b>, E> {
        Ok(Entry(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Entry<'b>, E> {
        Ok(Entry(None))
    }
}
