//! One evaluation of version 2.
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::counts::Counted;
use super::values::{Scalar, Text};

/// One entry of the list; `None`: it says nothing that could be counted.
pub(super) struct Entry<'b>(pub(super) Option<Counted<'b>>);

impl<'b> Deserialize<'b> for Entry<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&RawValue>::deserialize(deserializer)?.get();
        let read = || {
            let mut json = serde_json::Deserializer::from_str(value);
            json.deserialize_map(EntryVisitor).ok()
        };
        let is_object = value.starts_with('{');
        Ok(Entry(is_object.then(read).flatten().flatten()))
    }
}

struct EntryVisitor;

impl<'b> Visitor<'b> for EntryVisitor {
    type Value = Option<Counted<'b>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let (mut feature, mut enabled, mut count) = (None, None, None);
        let mut identity = Some(None);
        while let Some(Text(field)) = fields.next_key()? {
            let value: Scalar<'b> = fields.next_value()?;
            match field.as_deref().unwrap_or_default() {
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
        Ok(counted())
    }
}
