//! Flags that wait for their neighbours, to be written as runs.
use std::ops::Range;

use super::flag::{Before, Flags, Waiting};
use crate::environment::compiled::{
    Defaults, FeatureGzip, START, Segment, SegmentGzip, SegmentOverride, offset,
};
use crate::gzip::Run;

/// The values of so many flags at the end of a run are noted, so that later ones may refer to them.
const NOTED_VALUES: usize = 8;

impl<'e> Flags<'_, 'e, '_> {
    pub(super) fn default_flag(&mut self, feature: u32) {
        let flag = self.defaults.map_or(&[][..], |defaults| defaults.flag(feature));
        let features = &self.environment.features;
        let known = self.ready.features.get(feature as usize);
        if let Some(feature_state) = features.get(feature)
            && let Some(FeatureGzip { value, end, .. }) = known
            && !flag.is_empty()
        {
            self.whole((feature, feature_state.enabled), flag, *value, *end);
        }
    }

    pub(super) fn override_of(&mut self, own: &SegmentOverride) {
        let known = self.ready.segments.get(own.segment as usize);
        let SegmentGzip { value, end } = known.copied().unwrap_or_default();
        let flag = self.of(own.answer.json);
        self.whole((own.feature, own.answer.enabled), flag, value, end);
    }

    pub(super) fn flush(&mut self) {
        match std::mem::replace(&mut self.waiting, Waiting::Nothing) {
            Waiting::Nothing => {}
            Waiting::Defaults(range) => self.write_defaults(range),
            Waiting::Override(own) => self.override_of(own),
            Waiting::Overrides(segment, range) => {
                self.write_overrides(segment.overrides.get(range).unwrap_or_default());
            }
        }
    }

    pub(super) fn write_defaults(&mut self, mut range: Range<u32>) {
        let Some(defaults) = self.defaults else {
            return;
        };
        let is_shown = |feature: &u32| !defaults.flag(*feature).is_empty();
        let Some(first) = range.find(is_shown) else {
            return;
        };
        let last = range.clone().rev().find(is_shown);
        self.default_flag(first);
        let (start, end) = defaults.range(first, last.unwrap_or(first) + 1);
        self.remember(&defaults.bytes, start, end);
        let Some(last) = last else {
            return;
        };
        if let Some(runs) = self.default_runs {
            let start = |feature| defaults.range(feature, feature).0;
            let run = Run {
                runs,
                buffer: &defaults.bytes,
                first: start(first),
                last: start(last),
            };
            if self.run(run) {
                self.note_defaults(defaults, first + 1..last);
                range.start = last;
            }
        }
        for feature in range {
            self.default_flag(feature);
        }
    }

    /// Notes the values of the last of these defaults, which have just been written, and the name of the last.
    pub(super) fn note_defaults(&mut self, defaults: &'e Defaults, range: Range<u32>) {
        let mut place = self.answer.length() - START.len();
        let mut is_last = true;
        // Flags that this kind of key may not see are empty, and no source of anything.
        let shown = range.rev().map(|feature| (feature, defaults.flag(feature)));
        for (feature, flag) in shown.filter(|(_, flag)| !flag.is_empty()).take(NOTED_VALUES) {
            place -= flag.len();
            let Some(known) = self.ready.features.get(feature as usize) else {
                continue;
            };
            if is_last {
                self.note_name(flag, known, place);
                is_last = false;
            }
            if let Some(value) = known.value {
                self.answer
                    .note(value, place + START.len() + known.name_length as usize);
            }
        }
    }

    pub(super) fn note_name(&mut self, flag: &'e [u8], known: &FeatureGzip, place: usize) {
        let text = flag
            .get(START.len()..)
            .and_then(|flag| flag.get(..known.name_length as usize));
        self.before = Before {
            text: text.unwrap_or_default(),
            id_length: known.id_length as usize,
            place: place + START.len(),
        };
    }

    pub(super) fn write_overrides(&mut self, overrides: &'e [SegmentOverride]) {
        let [first, between @ .., last] = overrides else {
            overrides.iter().for_each(|own| self.override_of(own));
            return;
        };
        self.override_of(first);
        let (ready, buffer) = (self.ready, &self.environment.answers.bytes);
        let run = Run {
            runs: &ready.overrides,
            buffer,
            first: first.answer.json.start,
            last: last.answer.json.start,
        };
        match between.last() {
            Some(before) if self.run(run) => {
                let (start, end) = (first.answer.json.start, last.answer.json.end);
                self.remember(buffer, start, end);
                let flag = self.of(before.answer.json);
                let place = self.answer.length() - START.len() - flag.len();
                if let Some(known) = ready.features.get(before.feature as usize) {
                    self.note_name(flag, known, place);
                }
            }
            _ => between.iter().for_each(|own| self.override_of(own)),
        }
        self.override_of(last);
    }

    /// Waits with what a segment overrides for its neighbours.
    pub(super) fn segment_override(&mut self, own: &'e SegmentOverride) {
        match &mut self.waiting {
            Waiting::Override(first) if first.segment == own.segment => {
                let (first, segments) = (*first, &self.environment.segments);
                let is_first = |other: &SegmentOverride| other.feature.cmp(&first.feature);
                if let Some(segment) = segments.get(own.segment as usize)
                    && let Ok(place) = segment.overrides.binary_search_by(is_first)
                    && is_there(segment, place + 1, own)
                {
                    self.waiting = Waiting::Overrides(segment, place..place + 2);
                    return;
                }
            }
            Waiting::Overrides(segment, range) if is_there(segment, range.end, own) => {
                range.end += 1;
                return;
            }
            _ => {}
        }
        self.flush();
        self.waiting = Waiting::Override(own);
    }

    /// Remembers where these flags are, of which the first has been written. If more come behind them, they start alike.
    pub(super) fn remember(&mut self, buffer: &'e [u8], start: u32, end: u32) {
        self.answer
            .remember(buffer, start, end + offset(START.len()), self.place);
    }

    /// Writes what is between the first flag of a run, which is written, and the id of its last. Tells whether it could.
    pub(super) fn run(&mut self, run: Run<'e>) -> bool {
        let Some(found) = run.find() else {
            return false;
        };
        self.settle(&[]);
        self.answer.run(run, &found);
        true
    }
}

fn is_there(segment: &Segment, place: usize, own: &SegmentOverride) -> bool {
    let there = segment.overrides.get(place);
    there.is_some_and(|there| std::ptr::eq(there, own))
}
