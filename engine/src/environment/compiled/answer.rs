//! Flags as JSON, written once when the document is compiled.
//!
//! They are written as identities get them, with `reason` and `metadata`. `flags/` has neither: its body is made of the same
//! bytes, once, without them.
use hashbrown::HashMap;

use super::super::flag::{FlagFeature, Reason};
use super::multivariate::Multivariate;
use crate::json::{string_literal_length, value_length, write_minified, write_string};

/// Where in a buffer of answers something is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: u32,
    pub end: u32,
}

impl Span {
    pub(crate) fn length(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The whole of a fragment.
    pub(crate) fn whole(fragment: &[u8]) -> Self {
        Self {
            start: 0,
            end: offset(fragment.len()),
        }
    }
}

/// What a feature state answers: a flag's JSON and a comma, ready to be copied. Of an identity override it ends behind the
/// value, because [`IDENTITY_OVERRIDE_END`] is the same for all: a document may hold a hundred thousand of them, so each is
/// small. Where the value depends on the identity it is the start of the flag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub json: Span,
    /// Where the value starts in the buffer; a multivariate answer has its place in [`Answers::multivariates`] here.
    value: u32,
    is_multivariate: bool,
    pub enabled: bool,
    pub server_only: bool,
}

const _: () = assert!(size_of::<Answer>() == 16);

/// All answers of a document but the defaults.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub bytes: Vec<u8>,
    pub multivariates: Vec<Multivariate>,
    /// What overrides report whose feature has another id than the environment's; by the start of their answers.
    other_features: HashMap<u32, FlagFeature>,
}

/// What comes before a flag's reason.
const REASON: &[u8] = br#","reason":"#;
/// What comes before a flag's metadata.
const METADATA: &[u8] = br#","metadata":"#;
/// The end of every flag.
pub(crate) const END: &[u8] = b"},";
/// The reason and the end of a flag that an identity overrides.
pub(crate) const IDENTITY_OVERRIDE_END: &[u8] =
    br#","reason":"TARGETING_MATCH; segment=identity_overrides"},"#;
/// The reason of a flag in a circular dependency.
pub(crate) const CIRCULAR_DEPENDENCY: &[u8] = br#","reason":"ERROR; code=CIRCULAR_DEPENDENCY""#;

/// A flag's parts, as the document has them.
pub(crate) struct FlagParts<'a> {
    /// The feature's id, JSON.
    pub id: &'a str,
    pub name: &'a str,
    pub r#type: &'a str,
    pub enabled: bool,
    /// A JSON object that is not empty.
    pub metadata: Option<&'a str>,
}

impl FlagParts<'_> {
    /// Writes the flag up to its value.
    fn write_head(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"feature":{"id":"#);
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(br#","name":"#);
        write_string(out, self.name);
        out.extend_from_slice(br#","type":"#);
        write_string(out, self.r#type);
        out.extend_from_slice(br#"},"enabled":"#);
        out.extend_from_slice(if self.enabled { b"true" } else { b"false" });
        out.extend_from_slice(br#","feature_state_value":"#);
    }

    /// Writes what follows the reason: the metadata, the end and a comma.
    fn write_end(&self, out: &mut Vec<u8>) {
        if let Some(metadata) = self.metadata {
            out.extend_from_slice(METADATA);
            write_minified(out, metadata);
        }
        out.extend_from_slice(END);
    }

    /// Writes the flag and a comma; tells where the value starts. An identity override's flag ends behind its value.
    pub(crate) fn write(&self, out: &mut Vec<u8>, value: &str, reason: Reason<'_>) -> u32 {
        self.write_head(out);
        let start = offset(out.len());
        write_minified(out, value);
        if reason != Reason::IdentityOverride {
            write_reason(out, reason);
            self.write_end(out);
        }
        start
    }

    /// The feature that the flag reports.
    pub(crate) fn feature(&self) -> FlagFeature {
        FlagFeature {
            id: self.id.into(),
            name: self.name.into(),
            r#type: self.r#type.into(),
        }
    }
}

/// Writes a flag's reason, its name and a comma before it.
pub(super) fn write_reason(out: &mut Vec<u8>, reason: Reason<'_>) {
    out.extend_from_slice(REASON);
    write_string(out, &reason.to_string());
}

/// Where the parts of a written flag are that does not depend on the identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlagSpans {
    /// The value, JSON.
    pub value: Span,
    /// What follows the reason: the metadata, the end and a comma. Empty for an identity override.
    pub end: Span,
}

impl FlagSpans {
    /// Finds the parts of the flag that ends at `end` in the buffer and whose value starts at `value`. This reads the value, so
    /// that no offset of its end need be kept: whole answers never ask for it.
    pub(crate) fn find(bytes: &[u8], value: u32, end: u32) -> Self {
        let behind = |start: u32, length: usize| start.saturating_add(offset(length)).min(end);
        let rest = |start: u32| Span { start, end }.of(bytes);
        let value_end = behind(value, value_length(rest(value)));
        let reason = behind(value_end, REASON.len());
        let reason_end = behind(reason, string_literal_length(rest(reason)));
        Self {
            value: Span {
                start: value,
                end: value_end,
            },
            end: Span {
                start: reason_end,
                end,
            },
        }
    }
}

/// The metadata in the end of a flag, JSON.
pub(crate) fn metadata(end: &str) -> Option<&str> {
    let metadata = std::str::from_utf8(METADATA).unwrap_or_default();
    end.strip_prefix(metadata)?.strip_suffix("},")
}

impl Answers {
    /// Adds what a feature state without multivariate options answers.
    pub(crate) fn push(
        &mut self,
        parts: &FlagParts<'_>,
        value: &str,
        reason: Reason<'_>,
        server_only: bool,
    ) -> Answer {
        let mut start = 0;
        let json = self.write(|out| start = parts.write(out, value, reason));
        Answer {
            json,
            value: start,
            is_multivariate: false,
            enabled: parts.enabled,
            server_only,
        }
    }

    /// Adds what a multivariate feature state answers.
    pub(crate) fn push_multivariate(
        &mut self,
        parts: &FlagParts<'_>,
        mut multivariate: Multivariate,
        server_only: bool,
    ) -> Answer {
        multivariate.end = self.write(|out| parts.write_end(out));
        let json = self.write(|out| parts.write_head(out));
        let place = offset(self.multivariates.len());
        self.multivariates.push(multivariate);
        Answer {
            json,
            value: place,
            is_multivariate: true,
            enabled: parts.enabled,
            server_only,
        }
    }

    /// Adds to the buffer; tells where.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = offset(self.bytes.len());
        write(&mut self.bytes);
        Span {
            start,
            end: offset(self.bytes.len()),
        }
    }

    /// Notes that an answer reports a feature of another id than the environment's.
    pub(crate) fn report_other_feature(&mut self, answer: &Answer, feature: FlagFeature) {
        self.other_features.insert(answer.json.start, feature);
    }

    /// The feature that an answer reports, where its id is not that of the environment's feature.
    pub(crate) fn other_feature(&self, answer: &Answer) -> Option<&FlagFeature> {
        self.other_features.get(&answer.json.start)
    }

    pub(crate) fn multivariate(&self, answer: &Answer) -> Option<&Multivariate> {
        self.multivariates
            .get(answer.value as usize)
            .filter(|_| answer.is_multivariate)
    }

    /// The parts of an answer that does not depend on the identity.
    pub(crate) fn spans(&self, answer: &Answer) -> FlagSpans {
        FlagSpans::find(&self.bytes, answer.value, answer.json.end)
    }

    /// A part of the buffer as text.
    pub(crate) fn text(&self, span: Span) -> &str {
        std::str::from_utf8(span.of(&self.bytes)).unwrap_or_default()
    }
}

impl Answer {
    pub(crate) fn is_multivariate(&self) -> bool {
        self.is_multivariate
    }
}

/// An offset in a buffer. The largest document is far below 32-bit offsets; a larger offset would give an empty answer,
/// never a panic.
pub(crate) fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
