//! Flags as JSON, written once when the document is compiled.
use hashbrown::HashMap;

use super::super::flag::FlagFeature;
use crate::hashing::hashed_percentage;
use crate::json::{write_minified, write_string};

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
}

/// What a feature state answers: a flag's JSON and a comma, ready to be copied. Where the value depends on the identity it
/// is the start of the flag. It is small, because a document may hold a hundred thousand of them.
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

/// The multivariate options of a feature state and the ranges of percentages that get them.
#[derive(Debug)]
pub(crate) struct Multivariate {
    /// The feature state's key, which is hashed with the identity's.
    pub key: Box<str>,
    /// In the order in which they are tried.
    pub options: Box<[MultivariateOption]>,
    /// The control value, JSON.
    pub control: Span,
}

#[derive(Debug)]
pub(crate) struct MultivariateOption {
    /// The range: `start <= percentage < end`.
    pub start: f64,
    pub end: f64,
    /// The allocation as Python writes it, for the flag's reason.
    pub weight: Span,
    /// The value, JSON. In the buffer `,"variant":` follows, then the variant.
    pub value: Span,
    /// The option's key, JSON.
    pub variant: Span,
}

/// All answers of a document but the defaults.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub bytes: Vec<u8>,
    pub multivariates: Vec<Multivariate>,
    /// What overrides report whose feature has another id than the environment's; by the start of their answers.
    other_features: HashMap<u32, FlagFeature>,
}

/// What comes between a value and its variant.
const VARIANT: &[u8] = br#","variant":"#;
/// The variant of an identity that gets the control value, JSON.
pub(crate) const CONTROL: &str = r#""control""#;
/// The end of every flag.
const END: &[u8] = b"},";

/// A flag's parts, as the document has them.
pub(crate) struct FlagParts<'a> {
    /// The feature's id, JSON.
    pub id: &'a str,
    pub name: &'a str,
    pub r#type: &'a str,
    pub enabled: bool,
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

    /// Writes the flag and a comma; tells where the value starts.
    pub(crate) fn write(&self, out: &mut Vec<u8>, value: &str) -> u32 {
        self.write_head(out);
        let start = offset(out.len());
        write_minified(out, value);
        out.extend_from_slice(END);
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

impl Answers {
    /// Adds what a feature state without multivariate options answers.
    pub(crate) fn push(&mut self, parts: &FlagParts<'_>, value: &str, server_only: bool) -> Answer {
        let mut start = 0;
        let json = self.write(|out| start = parts.write(out, value));
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
        multivariate: Multivariate,
        server_only: bool,
    ) -> Answer {
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

    /// Adds what a multivariate option answers after the flag's start. Tells where the value and the variant are.
    pub(crate) fn write_option(&mut self, value: &str, variant: &str) -> (Span, Span) {
        let value = self.write(|out| write_minified(out, value));
        self.write(|out| out.extend_from_slice(VARIANT));
        (value, self.write(|out| write_minified(out, variant)))
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

    /// The value of an answer that does not depend on the identity, JSON.
    pub(crate) fn value(&self, answer: &Answer) -> &str {
        self.text(Span {
            start: answer.value,
            end: value_end(answer.json.end),
        })
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

impl MultivariateOption {
    /// The value and the variant, ready to be copied.
    fn ready(&self) -> Span {
        Span {
            start: self.value.start,
            end: self.variant.end,
        }
    }
}

impl Multivariate {
    /// The option that an identity gets; `None`: the control value.
    pub(crate) fn choose(&self, identity_key: &str) -> Option<&MultivariateOption> {
        let percentage = hashed_percentage(&self.key, identity_key);
        self.options
            .iter()
            .find(|option| option.start <= percentage && percentage < option.end)
    }

    /// Writes what follows the flag's start: the value, the variant, the end. Without an identity there is no choice, and no
    /// variant.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        answers: &Answers,
        choice: Option<Option<&MultivariateOption>>,
    ) {
        match choice {
            Some(Some(option)) => out.extend_from_slice(option.ready().of(&answers.bytes)),
            Some(None) => {
                out.extend_from_slice(self.control.of(&answers.bytes));
                out.extend_from_slice(VARIANT);
                out.extend_from_slice(CONTROL.as_bytes());
            }
            None => out.extend_from_slice(self.control.of(&answers.bytes)),
        }
        out.extend_from_slice(END);
    }

    /// How many bytes [`Self::write`] writes at most.
    pub(crate) fn longest(&self) -> usize {
        let options = self.options.iter().map(|option| option.ready().length());
        options
            .max()
            .unwrap_or(0)
            .max(self.control.length() + VARIANT.len() + CONTROL.len())
            + END.len()
    }
}

/// Where the value ends in a flag that ends at `flag_end`, its comma included.
pub(super) fn value_end(flag_end: u32) -> u32 {
    flag_end.saturating_sub(offset(END.len()))
}

/// An offset in a buffer. The largest document is far below 32-bit offsets; a larger offset would give an empty answer,
/// never a panic.
pub(crate) fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
