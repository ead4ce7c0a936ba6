//! The body of `identities/` in gzip, put together from the ready runs and phrases of the environment.
//!
//! # Layout
//! - `runs`: neighbours. `flag`: one flag.
mod flag;
mod runs;

use std::cell::RefCell;
use std::ops::Range;

use super::bytes::{END_OF_FLAGS, head_length, identity_of, longest, write_head};
use crate::environment::Body;
use crate::environment::compiled::{
    Answer, CIRCULAR_DEPENDENCY, END, IDENTITY_OVERRIDE_END, OverrideRun, START, Segment, Span,
};
use crate::environment::evaluation::{Choice, Choices, ChosenBy, Evaluation, Writer};
use crate::gzip::{GzipAnswer, Scratch};
use crate::{Identity, KeyKind};
use flag::{Flags, Owed, Waiting};

/// Ready pieces make little of what an identity sent: beyond this a library makes less of it, although it takes some microseconds a
/// kilobyte. Some twenty traits fit in.
const MOST_SENT: usize = 1_536;

/// Gzip of so few bytes has little to be made less.
const SHORT: usize = 400;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// The body of `identities/`, in gzip where it has at least so many bytes.
pub(in crate::environment) fn identity_gzip(
    evaluation: &Evaluation<'_>,
    kind: KeyKind,
    identity: &Identity<'_>,
    echoes_traits: bool,
    least: usize,
) -> Body {
    let choices = Choices::new(evaluation, kind);
    let plain = || Body::Plain(identity_of(&choices, identity, echoes_traits));
    let head = head_length(identity, echoes_traits);
    let flags = longest(&choices);
    if head + flags + END_OF_FLAGS.len() < least || head > MOST_SENT {
        return plain();
    }
    SCRATCH.with_borrow_mut(|scratch| {
        let environment = evaluation.environment();
        let ready = &environment.gzip;
        let answer = GzipAnswer::new(&ready.coder, scratch, (flags, head), |out| {
            write_head(out, identity, echoes_traits);
        });
        let mut flags = Flags::new(evaluation, kind, answer);
        choices.write(&mut flags);
        let Some(answer) = flags.finish() else {
            return plain();
        };
        let length = answer.length();
        if length < least {
            return plain();
        }
        let gzip = answer.finish();
        // Flags come to a tenth or a quarter: this is mostly something else, of which the library makes less.
        if gzip.len() > SHORT.max(length / 5 * 2) {
            return plain();
        }
        Body::Gzip(gzip)
    })
}

impl<'e, 's> Flags<'_, 'e, 's> {
    /// Ends the list of flags, and the body. `None`: a library makes less of it, and it is not whole.
    fn finish(mut self) -> Option<GzipAnswer<'e, 's>> {
        // What still waits may be too much.
        self.flush();
        if self.is_given_up() {
            return None;
        }
        if let Owed::End(end) = self.owed {
            // No comma, no next flag.
            self.answer.take_back();
            self.answer.phrase_without(end, START.len() + 1);
        }
        self.answer.append(END_OF_FLAGS);
        self.answer.literals(END_OF_FLAGS);
        Some(self.answer)
    }

    fn multivariate(&mut self, choice: Choice<'e>) -> bool {
        let Choice { feature, answer, .. } = choice;
        let Some(multivariate) = self.environment.answers.multivariate(answer) else {
            return false;
        };
        let chosen = multivariate.chosen(self.evaluation.option(multivariate).flatten());
        let reason = if choice.by == ChosenBy::Cycle {
            CIRCULAR_DEPENDENCY
        } else {
            self.of(chosen.reason)
        };
        let (value, end) = (self.of(chosen.value), self.of(multivariate.end));
        self.in_parts(
            feature,
            answer.enabled,
            &[self.of(answer.json), value, reason, end],
        );
        true
    }

    fn cyclic(&mut self, feature: u32, answer: &'e Answer) {
        let spans = self.environment.answers.spans(answer);
        let end = spans.value.end;
        let flag = self.of(Span { end, ..answer.json });
        let end = Some(self.of(spans.end)).filter(|end| !end.is_empty());
        self.in_parts(
            feature,
            answer.enabled,
            &[flag, CIRCULAR_DEPENDENCY, end.unwrap_or(END)],
        );
    }
}

impl<'e> Writer<'e> for Flags<'_, 'e, '_> {
    fn defaults(&mut self, features: Range<u32>) {
        match &mut self.waiting {
            Waiting::Defaults(waiting) if waiting.end == features.start => waiting.end = features.end,
            _ => {
                self.flush();
                self.waiting = Waiting::Defaults(features);
            }
        }
    }

    fn run(&mut self, segment: &'e Segment, run: &'e OverrideRun) {
        self.flush();
        let (first, end) = run.features;
        let place = |feature: u32| segment.overrides.partition_point(|own| own.feature < feature);
        self.waiting = Waiting::Overrides(segment, place(first)..place(end));
    }

    fn choice(&mut self, choice: Choice<'e>) {
        let Choice {
            feature, answer, by, ..
        } = choice;
        if let Some(own) = choice.segment_override
            && !answer.is_multivariate()
        {
            self.segment_override(own);
            return;
        }
        self.flush();
        if self.multivariate(choice) {
            return;
        }
        match by {
            ChosenBy::Cycle => self.cyclic(feature, answer),
            ChosenBy::Identity => {
                let flag = self.of(answer.json);
                self.answer.append(flag);
                self.answer.append(IDENTITY_OVERRIDE_END);
                let rest = self.start(feature, answer.enabled, flag, None);
                self.write_value(rest);
                self.owed = Owed::End(self.ready.ends.of_identities);
            }
            ChosenBy::Default | ChosenBy::Segment(_) => {
                self.whole((feature, answer.enabled), self.of(answer.json), None, None);
            }
        }
    }
}
