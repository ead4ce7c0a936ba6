//! What flags have in common, so that an answer in gzip refers from one to another.
use hashbrown::HashSet;

use super::super::{Answer, Answers, Features, IDENTITY_OVERRIDE_END, Segment, Span, offset};
use crate::gzip::{Phrase, PhraseCollector, PhraseId};
use crate::json::value_length;

/// What the flags of one feature have in common.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeatureGzip {
    /// How long its id is, and its id and what follows up to the end of its name.
    pub id_length: u32,
    pub name_length: u32,
    /// What follows up to the value, where the flag is not enabled and where it is.
    pub middles: [Option<PhraseId>; 2],
    /// What follows in its default up to the value's end, where others have that value too.
    pub value: Option<PhraseId>,
    /// The end of its default.
    pub end: Option<PhraseId>,
}

/// What the flags have in common that one segment overrides.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SegmentGzip {
    /// What is between the name and the value, and what the values start with.
    pub value: Option<PhraseId>,
    /// The end.
    pub end: Option<PhraseId>,
}

/// The ends of flags: from the value's end up to the next flag's id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ends {
    pub of_identities: PhraseId,
    /// The end without the reason.
    pub of_any: PhraseId,
    /// What all flags start with.
    pub start: PhraseId,
    target: PhraseId,
    reason: PhraseId,
}

/// What all flags start with.
pub(crate) const START: &[u8] = br#"{"feature":{"id":"#;
/// The end of a flag without its reason, and the start of the next.
const ANY_END: &[u8] = br#"},{"feature":{"id":"#;
pub(super) const NAME: &[u8] = br#","name":""#;
const TYPE: &[u8] = br#"","type":""#;
const ENABLED: &[u8] = br#"},"enabled":"#;
const VALUE: &[u8] = br#","feature_state_value":"#;
const REASON: &[u8] = br#","reason":""#;
const TARGET: &[u8] = br#","reason":"TARGETING_MATCH; segment="#;

/// Values that are no longer are no phrases: a reference takes as much.
const SHORT_VALUE: usize = 6;

impl Ends {
    pub(super) fn new(phrases: &mut PhraseCollector) -> Self {
        // All of these are of a phrase's length.
        let mut add = |text, first, last| phrases.add(Phrase { text, first, last }).unwrap_or_default();
        let start = add(START, None, None);
        let of_any = add(ANY_END, None, Some(start));
        let reason = add(REASON, None, None);
        let target = add(TARGET, Some(reason), None);
        let mut ends = Self {
            of_identities: of_any,
            of_any,
            start,
            target,
            reason,
        };
        ends.of_identities = ends.add(IDENTITY_OVERRIDE_END, phrases).unwrap_or_default();
        ends
    }

    /// Adds the end of a flag, from its value's end on.
    fn add(&self, end: &[u8], phrases: &mut PhraseCollector) -> Option<PhraseId> {
        let text = &*[end, START].concat();
        let starts = [(TARGET, self.target), (REASON, self.reason)];
        let first = starts.into_iter().find(|(start, _)| end.starts_with(start));
        phrases.add(Phrase {
            text,
            first: first.map(|(_, id)| id),
            last: Some(self.of_any).filter(|_| text.ends_with(ANY_END)),
        })
    }
}

impl FeatureGzip {
    pub(super) fn new(
        features: &Features,
        answers: &Answers,
        feature: usize,
        ends: &Ends,
        shared: &HashSet<&[u8]>,
        phrases: &mut PhraseCollector,
    ) -> Self {
        let place = offset(feature);
        let defaults = features.defaults.iter().map(|defaults| defaults.flag(place));
        let mut shown = defaults.filter(|flag| !flag.is_empty());
        let hidden = || {
            let default = features.get(place).and_then(|feature| feature.default.as_ref());
            default.map_or(&[][..], |answer| answer.json.of(&answers.bytes))
        };
        let is_shown = shown.clone().next().is_some();
        let flag = shown.next().unwrap_or_else(hidden);
        Self::read(flag, is_shown.then_some(shared), ends, phrases).unwrap_or(Self::NONE)
    }

    /// A feature of which nothing is known.
    pub(crate) const NONE: Self = Self {
        id_length: 0,
        name_length: 0,
        middles: [None; 2],
        value: None,
        end: None,
    };

    /// Reads a flag, up to its value where no values are given that several have.
    fn read(
        flag: &[u8],
        shared: Option<&HashSet<&[u8]>>,
        ends: &Ends,
        phrases: &mut PhraseCollector,
    ) -> Option<Self> {
        let flag = flag.strip_prefix(START)?;
        // None of these can be within a string of JSON, nor within a number.
        let id = memchr::memmem::find(flag, NAME)?;
        let name = memchr::memmem::find(flag, TYPE)?;
        let enabled = name + memchr::memmem::find(flag.get(name..)?, ENABLED)? + ENABLED.len();
        let value = enabled + memchr::memmem::find(flag.get(enabled..)?, VALUE)? + VALUE.len();
        let first = phrases.add_text(flag.get(name..enabled)?);
        let last = phrases.add_text(VALUE);
        let middles = ["false", "true"].map(|enabled_text| {
            let text = [
                flag.get(name..enabled).unwrap_or_default(),
                enabled_text.as_bytes(),
                VALUE,
            ]
            .concat();
            let text = &*text;
            phrases.add(Phrase { text, first, last })
        });
        let mut own = Self {
            id_length: offset(id),
            name_length: offset(name),
            middles,
            value: None,
            end: None,
        };
        if let Some(shared) = shared {
            let rest = flag.get(value..)?;
            let (value, end) = rest.split_at_checked(value_length(rest))?;
            own.end = ends.add(end, phrases);
            if shared.contains(value) {
                let text = flag.get(name..flag.len() - end.len())?;
                own.value = middles.iter().find_map(|middle| {
                    let first = Some((*middle)?);
                    let starts = text.starts_with(phrases.text((*middle)?));
                    let last = None;
                    starts.then(|| phrases.add(Phrase { text, first, last }))?
                });
            }
        }
        Some(own)
    }
}

impl SegmentGzip {
    pub(super) fn new(
        segment: &Segment,
        answers: &Answers,
        (ends, features): (&Ends, &[FeatureGzip]),
        phrases: &mut PhraseCollector,
    ) -> Self {
        let plain = segment
            .overrides
            .iter()
            .filter(|own| !own.answer.is_multivariate());
        let mut plain = plain.filter_map(|own| {
            let Answer { json, enabled, .. } = own.answer;
            let known = features.get(own.feature as usize)?;
            let spans = answers.spans(&own.answer);
            let end = Span {
                start: spans.value.end,
                ..json
            };
            let before = START.len() + known.name_length as usize;
            let flag = Span {
                end: spans.value.end,
                ..json
            }
            .of(&answers.bytes)
            .get(before..)?;
            let middle = known.middles.get(usize::from(enabled)).copied().flatten();
            Some((middle, flag, end.of(&answers.bytes)))
        });
        let Some((first, text, end)) = plain.next() else {
            return Self::default();
        };
        let next = plain.next().map_or(&[][..], |(_, text, _)| text);
        let alike = text.iter().zip(next).take_while(|(a, b)| a == b).count();
        let text = text.get(..alike).unwrap_or_default();
        let middle = first.map_or(&[][..], |first| phrases.text(first));
        let value = text.starts_with(middle) && text.len() > middle.len() + SHORT_VALUE;
        Self {
            value: value.then(|| text.to_vec()).and_then(|text| {
                let (text, last) = (&*text, None);
                phrases.add(Phrase { text, first, last })
            }),
            end: ends.add(end, phrases),
        }
    }
}

/// The longer values that several defaults have.
pub(super) fn shared_values(features: &Features) -> HashSet<&[u8]> {
    let mut seen = HashSet::new();
    let Some(defaults) = features.defaults.first() else {
        return seen;
    };
    let values = (0..features.list.len()).map(|feature| defaults.value(offset(feature)).as_bytes());
    let longer = values.filter(|value| value.len() > SHORT_VALUE);
    longer.filter(|value| !seen.insert(*value)).collect()
}
