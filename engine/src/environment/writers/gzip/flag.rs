//! One flag: what it repeats of those before it, and what is its own.
use std::ops::Range;

use crate::KeyKind;
use crate::environment::compiled::{
    Defaults, END, Environment, FeatureGzip, ReadyGzip, START, Segment, SegmentOverride, Span,
};
use crate::environment::evaluation::Evaluation;
use crate::gzip::{GzipAnswer, PhraseId, Runs, alike};

/// Values that are no longer are written as they are: to look for what they repeat takes as long as writing them.
const SHORT_VALUE: usize = 8;

/// Flags' bytes that are neither ready nor known: beyond this a library makes less of them, although it takes some microseconds a
/// kilobyte.
const MOST_OWN: usize = 4 * 1024;

/// Writes flags.
pub(super) struct Flags<'a, 'e, 's> {
    pub(super) evaluation: &'a Evaluation<'e>,
    pub(super) environment: &'e Environment,
    pub(super) ready: &'e ReadyGzip,
    pub(super) defaults: Option<&'e Defaults>,
    pub(super) default_runs: Option<&'e Runs>,
    pub(super) answer: GzipAnswer<'e, 's>,
    pub(super) waiting: Waiting<'e>,
    pub(super) owed: Owed,
    pub(super) before: Before<'e>,
    /// What follows the phrase of the flag before that its value is in or behind, and where that is in the answer.
    pub(super) value: (&'e [u8], usize),
    /// Where the last flag starts in the answer.
    pub(super) place: usize,
    /// How many bytes of flags were neither ready nor known.
    own: usize,
}

/// Neighbours that wait for the next flag, which may be one too.
pub(super) enum Waiting<'e> {
    Nothing,
    Defaults(Range<u32>),
    Override(&'e SegmentOverride),
    /// Some of what a segment overrides: neighbours in its list.
    Overrides(&'e Segment, Range<usize>),
}

/// What is to be written before the next flag's id.
#[derive(Clone, Copy)]
pub(super) enum Owed {
    Nothing,
    /// The start of the first flag.
    Start,
    /// The end of the flag before, and the start of the next.
    End(PhraseId),
}

/// The id and the name of the flag before, and where they are in the answer.
#[derive(Clone, Copy, Default)]
pub(super) struct Before<'e> {
    pub(super) text: &'e [u8],
    pub(super) id_length: usize,
    pub(super) place: usize,
}

impl<'a, 'e, 's> Flags<'a, 'e, 's> {
    pub(super) fn new(evaluation: &'a Evaluation<'e>, kind: KeyKind, answer: GzipAnswer<'e, 's>) -> Self {
        let environment = evaluation.environment();
        let ready = &environment.gzip;
        Self {
            evaluation,
            environment,
            ready,
            defaults: environment.features.defaults(kind),
            default_runs: ready.defaults(kind),
            answer,
            waiting: Waiting::Nothing,
            owed: Owed::Start,
            before: Before::default(),
            value: (&[], 0),
            place: 0,
            own: 0,
        }
    }

    pub(super) fn of(&self, span: Span) -> &'e [u8] {
        span.of(&self.environment.answers.bytes)
    }

    /// Writes what is owed and what `next`, the flag's id and name, have in common with the flag before, where that is one reference.
    /// Tells how much that was.
    pub(super) fn settle(&mut self, next: &[u8]) -> usize {
        match std::mem::replace(&mut self.owed, Owed::Nothing) {
            Owed::Nothing => 0,
            Owed::Start => self.answer.phrase_and(self.ready.ends.start, &[], 0),
            Owed::End(end) => {
                let Before { text, place, .. } = self.before;
                let same = next.get(..alike(next, text)).unwrap_or_default();
                self.answer.phrase_and(end, same, place)
            }
        }
    }

    /// Writes a flag up to its value, or to the end of a phrase that may be there, or beyond that where the value starts as that of the
    /// flag before; gives what follows of this text.
    pub(super) fn start(
        &mut self,
        feature: u32,
        enabled: bool,
        flag: &'e [u8],
        phrase: Option<PhraseId>,
    ) -> &'e [u8] {
        let flag = flag.get(START.len()..).unwrap_or_default();
        let known = self.ready.features.get(feature as usize);
        let known = known.copied().unwrap_or(FeatureGzip::NONE);
        let (text, rest) = flag
            .split_at_checked(known.name_length as usize)
            .unwrap_or_default();
        let coder = &self.ready.coder;
        let after = |id: PhraseId| Some((id, rest.strip_prefix(coder.text(id))?));
        let middle = known.middles.get(usize::from(enabled)).copied().flatten();
        let Some((phrase, rest)) = phrase.and_then(after).or_else(|| middle.and_then(after)) else {
            // Another feature, or a flag that is written in another way.
            self.settle(&[]);
            self.before = Before::default();
            self.place = self.answer.length() - START.len();
            return flag;
        };
        let covered = self.settle(text);
        let here = Before {
            text,
            id_length: known.id_length as usize,
            place: self.answer.length() - covered,
        };
        self.place = here.place - START.len();
        self.name(here, covered);
        let (earlier, place) = self.value;
        self.before = here;
        let same = rest.get(..alike(rest, earlier)).unwrap_or_default();
        let more = self.answer.phrase_and(phrase, same, place);
        self.value = (rest, self.answer.length() - more);
        rest.get(more..).unwrap_or_default()
    }

    /// Writes a flag's id and name, save so many bytes.
    pub(super) fn name(&mut self, here: Before<'_>, covered: usize) {
        let Before {
            text,
            place,
            id_length,
        } = self.before;
        if covered < here.id_length {
            self.answer
                .literals(here.text.get(covered..here.id_length).unwrap_or_default());
            let earlier = text.get(id_length..).unwrap_or_default();
            let name = here.text.get(here.id_length..).unwrap_or_default();
            let (same, rest) = name.split_at_checked(alike(name, earlier)).unwrap_or_default();
            self.answer
                .repeated(same, self.answer.length() - (place + id_length));
            self.answer.literals(rest);
        } else {
            self.answer.literals(here.text.get(covered..).unwrap_or_default());
        }
    }

    /// Writes a flag that is whole in a buffer, with the phrase that may follow its name, and its usual end.
    pub(super) fn whole(
        &mut self,
        (feature, enabled): (u32, bool),
        flag: &'e [u8],
        value: Option<PhraseId>,
        end: Option<PhraseId>,
    ) {
        self.answer.append(flag);
        let coder = &self.ready.coder;
        let with_end = end.and_then(|end| {
            let (text, _) = coder
                .text(end)
                .split_at_checked(coder.text(end).len().checked_sub(START.len())?)?;
            Some((flag.strip_suffix(text)?, end))
        });
        let without_end = || (flag.strip_suffix(END).unwrap_or(flag), self.ready.ends.of_any);
        let (flag, end) = with_end.unwrap_or_else(without_end);
        let rest = self.start(feature, enabled, flag, value);
        self.write_value(rest);
        self.owed = Owed::End(end);
    }

    pub(super) fn write_value(&mut self, text: &[u8]) {
        if text.len() > SHORT_VALUE {
            self.own(text);
        } else {
            self.answer.literals(text);
        }
    }

    /// Writes what is neither ready nor known, unless the answer is given up.
    fn own(&mut self, text: &[u8]) {
        self.own += text.len();
        if self.is_given_up() {
            self.answer.pass(text);
        } else {
            self.answer.own(text);
        }
    }

    /// Whether a library makes less of this answer.
    pub(super) fn is_given_up(&self) -> bool {
        self.own > MOST_OWN
    }

    /// Writes a flag that is in parts. The first goes up to its value or beyond, the last ends with a comma.
    pub(super) fn in_parts(&mut self, feature: u32, enabled: bool, parts: &[&'e [u8]]) {
        parts.iter().for_each(|part| self.answer.append(part));
        let [first, rest @ ..] = parts else {
            return;
        };
        let start = self.start(feature, enabled, first, None);
        self.own(start);
        for (place, part) in (1..).zip(rest) {
            let is_last = place == rest.len();
            let end = part.strip_suffix(END).filter(|_| is_last);
            self.own(end.unwrap_or(part));
        }
        self.owed = Owed::End(self.ready.ends.of_any);
    }
}
