//! The bodies that Flagsmith's API answers. The document's compilation wrote their fragments; this puts them together.
use std::ops::Range;

use crate::environment::compiled::{
    Answer, Answers, Defaults, Environment, Multivariate, OverrideRun, Segment, Span,
};
use crate::environment::evaluation::{Choice, Choices, Evaluation, Writer};
use crate::{Identity, KeyKind};

/// The body of `flags/`.
pub(in crate::environment) fn flags(environment: &Environment, kind: KeyKind) -> Vec<u8> {
    let flags = environment
        .features
        .defaults(kind)
        .map_or(&[][..], |defaults| &defaults.bytes);
    [b"[", flags.strip_suffix(b",").unwrap_or(flags), b"]"].concat()
}

/// The body of `flags/?feature=name`.
pub(in crate::environment) fn flag(environment: &Environment, kind: KeyKind, name: &str) -> Option<Vec<u8>> {
    let features = &environment.features;
    let defaults = features.defaults(kind)?;
    let visible = |feature: u32| Some(defaults.flag(feature)).filter(|flag| !flag.is_empty());
    let flag = match features.named(name) {
        Some(feature) => visible(feature)?,
        None => features.named_in_any_case(name).find_map(visible)?,
    };
    Some(flag.strip_suffix(b",").unwrap_or(flag).to_vec())
}

/// The body of `identities/`.
pub(in crate::environment) fn identity(
    evaluation: &Evaluation<'_>,
    kind: KeyKind,
    identity: &Identity<'_>,
    echoes_traits: bool,
) -> Vec<u8> {
    const NAMES: usize = r#"{"identifier":"","traits":[],"flags":[]}"#.len();
    let choices = Choices::new(evaluation, kind);
    let traits = if echoes_traits {
        identity.traits_length()
    } else {
        0
    };
    let mut out = Vec::with_capacity(NAMES + identity.identifier().len() + traits + longest(&choices));
    out.extend_from_slice(br#"{"identifier":"#);
    identity.write_identifier(&mut out);
    out.extend_from_slice(br#","traits":"#);
    if echoes_traits {
        identity.write_traits(&mut out);
    } else {
        out.extend_from_slice(b"[]");
    }
    out.extend_from_slice(br#","flags":["#);
    let start = out.len();
    let mut writer = Bytes::new(&choices, &mut out);
    choices.write(&mut writer);
    writer.flush();
    if out.len() > start {
        // The comma behind the last flag.
        out.pop();
    }
    out.extend_from_slice(b"]}");
    out
}

/// The body of `identities/?feature=name`.
pub(in crate::environment) fn identity_flag(
    evaluation: &Evaluation<'_>,
    kind: KeyKind,
    feature: u32,
) -> Option<Vec<u8>> {
    let choices = Choices::new(evaluation, kind);
    let mut out = Vec::new();
    let mut writer = Bytes::new(&choices, &mut out);
    choices.write_feature(feature, &mut writer);
    writer.flush();
    let length = out.strip_suffix(b",")?.len();
    out.truncate(length);
    Some(out)
}

/// How many bytes the flags take at most.
fn longest(choices: &Choices<'_, '_>) -> usize {
    let defaults = choices.defaults().map_or(0, |defaults| defaults.bytes.len());
    if let Some((_, runs)) = choices.runs() {
        return defaults + runs.iter().map(|run| run.json.length()).sum::<usize>();
    }
    let answers = &choices.evaluation().environment().answers;
    let longest = |answer: &Answer| {
        let multivariate = answers.multivariate(answer);
        answer.json.length() + multivariate.map_or(0, Multivariate::longest)
    };
    defaults + choices.candidates().map(longest).sum::<usize>()
}

/// Copies flags, each with a comma behind. Neighbours that lie side by side in a buffer are copied together.
struct Bytes<'o, 'a, 'e> {
    out: &'o mut Vec<u8>,
    evaluation: &'a Evaluation<'e>,
    answers: &'e Answers,
    defaults: Option<&'e Defaults>,
    pending: Option<(&'e [u8], Span)>,
}

impl<'o, 'a, 'e> Bytes<'o, 'a, 'e> {
    fn new(choices: &Choices<'a, 'e>, out: &'o mut Vec<u8>) -> Self {
        let evaluation = choices.evaluation();
        Self {
            out,
            evaluation,
            answers: &evaluation.environment().answers,
            defaults: choices.defaults(),
            pending: None,
        }
    }

    fn push(&mut self, source: &'e [u8], span: Span) {
        if span.start >= span.end {
            return;
        }
        match &mut self.pending {
            Some((pending, earlier)) if std::ptr::eq(*pending, source) && earlier.end == span.start => {
                earlier.end = span.end;
            }
            _ => {
                self.flush();
                self.pending = Some((source, span));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((source, span)) = self.pending.take() {
            self.out.extend_from_slice(span.of(source));
        }
    }
}

impl<'e> Writer<'e> for Bytes<'_, '_, 'e> {
    fn defaults(&mut self, features: Range<u32>) {
        if let Some(defaults) = self.defaults {
            let (start, end) = defaults.range(features.start, features.end);
            self.push(&defaults.bytes, Span { start, end });
        }
    }

    fn run(&mut self, _: &'e Segment, run: &'e OverrideRun) {
        self.push(&self.answers.bytes, run.json);
    }

    fn choice(&mut self, Choice { answer, .. }: Choice<'e>) {
        self.push(&self.answers.bytes, answer.json);
        if let Some(multivariate) = self.answers.multivariate(answer) {
            self.flush();
            multivariate.write(self.out, self.answers, self.evaluation.option(multivariate));
        }
    }
}
