//! What the bodies of `analytics/flags/` count; pure.
//!
//! As core reads them (`SDKAnalyticsFlagsV1Serializer` of its `app_analytics/serializers.py`, July 2026): a count is an
//! integer, and what is none is skipped; so are entries that core's table cannot hold. Of a key that comes several times the last
//! value counts, as in Python.
use std::borrow::Cow;
use std::fmt;

use actors::analytics::EvaluationRef;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::entry::Entry;
use super::values::{Scalar, Text};

/// The counts of one body. Environments have some hundred features; more would keep a worker busy for milliseconds.
const MOST_ENTRIES: usize = 10_000;

/// Why a body counts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CountsError {
    /// It is no JSON object.
    NotCounts,
    /// It is no JSON object with a list of evaluations.
    NotEvaluations,
    /// It has more entries than are read.
    TooMany,
}

impl std::error::Error for CountsError {}

impl fmt::Display for CountsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCounts => f.write_str("the body must be a JSON object of counts by feature: {\"feature\": 1}"),
            Self::NotEvaluations => f.write_str(
                "the body must be a JSON object with a list of evaluations: {\"evaluations\": [{\"feature_name\": \"feature\", \
                 \"enabled_when_evaluated\": true, \"count\": 1}]}",
            ),
            Self::TooMany => write!(f, "the body has more than {MOST_ENTRIES} counts; send them in several requests"),
        }
    }
}

/// How often one feature was evaluated for one identity.
pub(super) struct Counted<'b> {
    pub(super) feature: Cow<'b, str>,
    pub(super) identity: Option<Cow<'b, str>>,
    pub(super) enabled: bool,
    /// How often.
    pub(super) count: u32,
}

impl Counted<'_> {
    /// What was evaluated.
    pub(super) fn evaluation(&self) -> EvaluationRef<'_> {
        EvaluationRef {
            feature: &self.feature,
            identity: self.identity.as_deref(),
            enabled: self.enabled,
        }
    }
}

/// Reads a body of version 1.
///
/// # Errors
/// Where it is no JSON object, or has too many entries.
pub(super) fn features(body: &[u8]) -> Result<Vec<(Cow<'_, str>, u32)>, CountsError> {
    let mut read = Read::default();
    let text = std::str::from_utf8(body).map_err(|_| CountsError::NotCounts)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let is_whole = Features(&mut read)
        .deserialize(&mut json)
        .and_then(|()| json.end());
    let mut counts = read.finished(is_whole, CountsError::NotCounts)?;
    counts.sort_by(|(one, _), (other, _)| one.cmp(other));
    counts.dedup_by(|(later, value), (earlier, kept)| {
        let is_same = later == earlier;
        if is_same {
            *kept = *value;
        }
        is_same
    });
    let counts = counts.into_iter();
    Ok(counts
        .filter_map(|(feature, count)| Some((feature, count?)))
        .collect())
}

/// Reads a body of version 2.
///
/// # Errors
/// Where it is no JSON object with a list `evaluations`, or has too many entries.
pub(super) fn evaluations(body: &[u8]) -> Result<Vec<Counted<'_>>, CountsError> {
    let mut read = Read::default();
    let text = std::str::from_utf8(body).map_err(|_| CountsError::NotEvaluations)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let outcome = Evaluations(&mut read).deserialize(&mut json);
    let is_whole = outcome.and_then(|is_there| json.end().map(|()| is_there));
    match is_whole {
        Ok(false) => Err(CountsError::NotEvaluations),
        other => read.finished(other.map(drop), CountsError::NotEvaluations),
    }
}

/// What was read so far.
struct Read<T> {
    counts: Vec<T>,
    /// Entries, counted or not.
    entries: usize,
}

impl<T> Default for Read<T> {
    fn default() -> Self {
        Self {
            counts: Vec::new(),
            entries: 0,
        }
    }
}

impl<T> Read<T> {
    /// Notes one more entry.
    fn admit<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES {
            return Err(E::custom("too many"));
        }
        Ok(())
    }

    fn finished(
        self,
        is_whole: serde_json::Result<()>,
        otherwise: CountsError,
    ) -> Result<Vec<T>, CountsError> {
        match is_whole {
            Ok(()) => Ok(self.counts),
            Err(_) if self.entries > MOST_ENTRIES => Err(CountsError::TooMany),
            Err(_) => Err(otherwise),
        }
    }
}

/// Reads the object of version 1; `None`: no count.
struct Features<'r, 'b>(&'r mut Read<(Cow<'b, str>, Option<u32>)>);

impl<'b> DeserializeSeed<'b> for Features<'_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'b> Visitor<'b> for Features<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Text(feature)) = entries.next_key()? {
            self.0.admit()?;
            let value: Scalar<'b> = entries.next_value()?;
            self.0
                .counts
                .extend(feature.map(|feature| (feature, value.count())));
        }
        Ok(())
    }
}

/// Reads the object of version 2; gives whether it has the list.
struct Evaluations<'r, 'b>(&'r mut Read<Counted<'b>>);

impl<'b> DeserializeSeed<'b> for Evaluations<'_, 'b> {
    type Value = bool;

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'b> Visitor<'b> for Evaluations<'_, 'b> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut fields: A) -> Result<bool, A::Error> {
        let mut is_there = false;
        while let Some(Text(field)) = fields.next_key()? {
            if field.as_deref() == Some("evaluations") {
                // The last one counts, as in Python.
                self.0.counts.clear();
                fields.next_value_seed(List(&mut *self.0))?;
                is_there = true;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(is_there)
    }
}

/// Reads the list of version 2.
struct List<'r, 'b>(&'r mut Read<Counted<'b>>);

impl<'b> DeserializeSeed<'b> for List<'_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'b> Visitor<'b> for List<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some(Entry(counted)) = entries.next_element()? {
            self.0.admit()?;
            self.0.counts.extend(counted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
