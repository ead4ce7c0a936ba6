//! Multivariate options, written once when the document is compiled.
use super::super::flag::Reason;
use super::answer::{Answers, Span, offset, write_reason};
use crate::hashing::hashed_percentage;
use crate::json::write_minified;

/// The multivariate options of a feature state and the ranges of percentages that get them.
#[derive(Debug)]
pub(crate) struct Multivariate {
    /// The feature state's key, which is hashed with the identity's.
    pub key: Box<str>,
    /// In the order in which they are tried.
    pub options: Box<[MultivariateOption]>,
    pub control: Control,
    /// What follows the reason of each: the metadata, the end of the flag and a comma.
    pub end: Span,
}

/// The control value.
#[derive(Debug)]
pub(crate) struct Control {
    /// The value, JSON. In the buffer the variant follows, then the reason.
    pub value: Span,
    /// Where the reason ends.
    end: u32,
}

#[derive(Debug)]
pub(crate) struct MultivariateOption {
    /// The range: `start <= percentage < end`.
    pub start: f64,
    pub end: f64,
    /// The value, JSON. In the buffer the variant follows, then the reason.
    pub value: Span,
    /// The option's key, JSON.
    pub variant: Span,
    /// The allocation as Python writes it, in the reason, whose closing quote follows.
    pub weight: Span,
}

/// What comes between a value and its variant.
const VARIANT: &[u8] = br#","variant":"#;
/// The variant of an identity that gets the control value, JSON.
pub(crate) const CONTROL: &str = r#""control""#;

impl Answers {
    /// Adds what a multivariate option answers after the flag's start, for the identities whose percentage is in the range.
    pub(crate) fn write_option(
        &mut self,
        (start, end): (f64, f64),
        weight: &str,
        value: &str,
        variant: &str,
    ) -> MultivariateOption {
        let value = self.write(|out| write_minified(out, value));
        self.write(|out| out.extend_from_slice(VARIANT));
        let variant = self.write(|out| write_minified(out, variant));
        let reason = self.write(|out| write_reason(out, Reason::Split { weight }));
        let weight_end = reason.end.saturating_sub(1);
        MultivariateOption {
            start,
            end,
            value,
            variant,
            weight: Span {
                start: weight_end.saturating_sub(offset(weight.len())),
                end: weight_end,
            },
        }
    }

    /// Adds what the control value answers after the flag's start.
    pub(crate) fn write_control(&mut self, value: &str, reason: Reason<'_>) -> Control {
        let value = self.write(|out| write_minified(out, value));
        let rest = self.write(|out| {
            out.extend_from_slice(VARIANT);
            out.extend_from_slice(CONTROL.as_bytes());
            write_reason(out, reason);
        });
        Control { value, end: rest.end }
    }
}

/// What an identity's multivariate flag says between its start and its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chosen {
    /// The value and the variant.
    pub value: Span,
    pub reason: Span,
}

impl Chosen {
    fn new(value: u32, reason: u32, end: u32) -> Self {
        Self {
            value: Span {
                start: value,
                end: reason,
            },
            reason: Span { start: reason, end },
        }
    }

    fn length(self) -> usize {
        self.value.length() + self.reason.length()
    }
}

impl MultivariateOption {
    fn chosen(&self) -> Chosen {
        Chosen::new(
            self.value.start,
            self.variant.end,
            self.weight.end.saturating_add(1),
        )
    }
}

impl Control {
    fn chosen(&self) -> Chosen {
        let variant = offset(VARIANT.len() + CONTROL.len());
        Chosen::new(self.value.start, self.value.end.saturating_add(variant), self.end)
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

    /// What the identity's flag says that gets this option; `None`: the control value.
    pub(crate) fn chosen(&self, option: Option<&MultivariateOption>) -> Chosen {
        option.map_or_else(|| self.control.chosen(), MultivariateOption::chosen)
    }

    /// How many bytes the flag has at most after its start.
    pub(crate) fn longest(&self) -> usize {
        let options = self.options.iter().map(|option| option.chosen().length());
        let longest = options.max().unwrap_or(0).max(self.control.chosen().length());
        longest + self.end.length()
    }
}
