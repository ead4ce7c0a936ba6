//! Flags as JSON, written once when the document is compiled.
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

/// What a feature state answers: a flag's JSON with a comma behind, ready to be copied; or the start of it where the
/// value depends on the identity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    pub json: Span,
    /// One more than the place in [`Answers::multivariates`]; 0: not multivariate.
    multivariate: u32,
    pub enabled: bool,
    pub server_only: bool,
}

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
    /// The allocation as Python writes it, for the reason of a result.
    pub weight: Box<str>,
    /// `VALUE,"variant":KEY`
    pub value_and_variant: Span,
}

/// All answers of a document but the defaults.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub bytes: Vec<u8>,
    pub multivariates: Vec<Multivariate>,
}

/// What follows the control value of a flag that is evaluated for an identity.
const CONTROL_VARIANT: &[u8] = br#","variant":"control""#;
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

    /// Writes the flag and a comma.
    pub(crate) fn write(&self, out: &mut Vec<u8>, value: &str) {
        self.write_head(out);
        write_minified(out, value);
        out.extend_from_slice(END);
    }
}

impl Answers {
    /// Adds what a feature state without multivariate options answers.
    pub(crate) fn push(&mut self, parts: &FlagParts<'_>, value: &str, server_only: bool) -> Answer {
        let json = self.write(|out| parts.write(out, value));
        Answer {
            json,
            multivariate: 0,
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
        self.multivariates.push(multivariate);
        let multivariate = u32::try_from(self.multivariates.len()).unwrap_or(0);
        Answer {
            json,
            multivariate,
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

    pub(crate) fn multivariate(&self, answer: &Answer) -> Option<&Multivariate> {
        self.multivariates
            .get(usize::try_from(answer.multivariate).ok()?.checked_sub(1)?)
    }
}

impl Answer {
    pub(crate) fn is_multivariate(&self) -> bool {
        self.multivariate != 0
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

    /// Writes what follows the flag's start: the value, the variant, the end. Without an identity there is no variant.
    pub(crate) fn write(&self, out: &mut Vec<u8>, answers: &Answers, identity_key: Option<&str>) {
        match identity_key.map(|key| self.choose(key)) {
            Some(Some(option)) => out.extend_from_slice(option.value_and_variant.of(&answers.bytes)),
            Some(None) => {
                out.extend_from_slice(self.control.of(&answers.bytes));
                out.extend_from_slice(CONTROL_VARIANT);
            }
            None => out.extend_from_slice(self.control.of(&answers.bytes)),
        }
        out.extend_from_slice(END);
    }

    /// How many bytes [`Self::write`] writes at most.
    pub(crate) fn longest(&self) -> usize {
        let options = self
            .options
            .iter()
            .map(|option| option.value_and_variant.length());
        options
            .max()
            .unwrap_or(0)
            .max(self.control.length() + CONTROL_VARIANT.len())
            + END.len()
    }
}

/// Documents are bounded far below 32-bit offsets; a place beyond them would be an empty answer, never a panic.
pub(crate) fn offset(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
