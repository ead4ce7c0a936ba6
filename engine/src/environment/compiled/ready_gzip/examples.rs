//! Texts like those that answers hold beside runs: the codes of an environment are made for both.
use super::super::{Answers, Features, Segment};
use super::common::{NAME, SegmentGzip};
use crate::gzip::{PhraseCollector, PhraseId};

/// Bytes like those that answers have of their own.
const EXAMPLE: &[u8] = br#"{"identifier":"identity_0123456789@example.com","traits":[{"trait_key":"plan","trait_value":"premium"},
{"trait_key":"age","trait_value":42}],"flags":[]}"#;

/// The head of an answer, and a default.
pub(super) fn start_of_answer(features: &Features) -> Vec<&[u8]> {
    let defaults = features.defaults.first();
    vec![EXAMPLE, defaults.map_or(&[][..], |defaults| defaults.flag(0))]
}

/// One override of each segment.
pub(super) fn answered_alone<'a>(segments: &[Segment], answers: &'a Answers) -> Vec<&'a [u8]> {
    let overrides = segments.iter().zip(0..).filter_map(|(segment, place)| {
        let count = segment.overrides.len();
        segment.overrides.get(place % count.max(1))
    });
    overrides.map(|own| own.answer.json.of(&answers.bytes)).collect()
}

/// The references of what each segment overrides, and of the defaults beside it, where those are not in runs.
pub(super) fn references_alone(
    segments: &[Segment],
    known: &[SegmentGzip],
    phrases: &PhraseCollector,
) -> Vec<(usize, usize)> {
    let mut references = Vec::new();
    for (segment, known) in segments.iter().zip(known) {
        let Some(first) = segment.overrides.first() else {
            continue;
        };
        let flag = first.answer.json.length();
        let text = |phrase: Option<PhraseId>| phrase.map_or(0, |phrase| phrases.text(phrase).len());
        let lengths = [text(known.value), text(known.end), NAME.len() + NAME.len()];
        let runs = segment
            .runs
            .as_ref()
            .map_or(segment.overrides.len(), |runs| runs.len());
        for run in 0..runs {
            // The flag before is alike, or the one before that.
            let distance = flag * (1 + run % 2);
            references.extend(lengths.map(|length| (length, distance)));
        }
    }
    references
}
