//! The bodies that Flagsmith's API answers. The document's compilation wrote their fragments; this puts them together.
use std::ops::Range;

use crate::environment::compiled::{
    Answer, Answers, CIRCULAR_DEPENDENCY, Defaults, END, Environment, IDENTITY_OVERRIDE_END, Multivariate,
    OverrideRun, Segment, Span, offset,
};
use crate::environment::evaluation::{Choice, Choices, ChosenBy, Evaluation, Writer};
use crate::{Identity, KeyKind};

/// The body of `flags/`.
pub(in crate::environment) fn flags(environment: &Environment, kind: KeyKind) -> Vec<u8> {
    let mut out = vec![b'['];
    for feature in 0..offset(environment.features.list.len()) {
        let flag = flag_without_identity(environment, kind, feature);
        if flag.iter().any(|part| !part.is_empty()) {
            flag.iter().for_each(|part| out.extend_from_slice(part));
            out.extend_from_slice(END);
        }
    }
    if out.len() > 1 {
        // The comma behind the last flag.
        out.pop();
    }
    out.push(b']');
    out.shrink_to_fit();
    out
}

/// How many flags the body of `flags/` has.
pub(in crate::environment) fn flag_count(environment: &Environment, kind: KeyKind) -> usize {
    let features = 0..offset(environment.features.list.len());
    let is_visible = |feature: &u32| {
        let flag = flag_without_identity(environment, kind, *feature);
        flag.iter().any(|part| !part.is_empty())
    };
    features.filter(is_visible).count()
}

/// The body of `flags/?feature=name`.
pub(in crate::environment) fn flag(environment: &Environment, kind: KeyKind, name: &str) -> Option<Vec<u8>> {
    let features = &environment.features;
    let visible = |feature: u32| {
        let [start, value] = flag_without_identity(environment, kind, feature);
        (!start.is_empty()).then(|| [start, value, b"}"].concat())
    };
    match features.named(name) {
        Some(feature) => visible(feature),
        None => features.named_in_any_case(name).find_map(visible),
    }
}

/// A flag up to its value's end, as it is without an identity, in two parts. Both are empty where the key may not see it.
fn flag_without_identity(environment: &Environment, kind: KeyKind, place: u32) -> [&[u8]; 2] {
    let (features, answers) = (&environment.features, &environment.answers);
    let overridden = features.override_without_identity(place);
    let Some(feature) = features.get(place) else {
        return [&[], &[]];
    };
    let Some(answer) = overridden.or(feature.default.as_ref()) else {
        let defaults = features.defaults(kind);
        return [
            defaults.map_or(&[], |defaults| defaults.flag_without_reason(place)),
            &[],
        ];
    };
    if environment.hides(kind, feature, answer) {
        return [&[], &[]];
    }
    let (start, value) = match answers.multivariate(answer) {
        Some(multivariate) => (answer.json, multivariate.control.value),
        None => {
            let end = answers.spans(answer).value.end;
            (Span { end, ..answer.json }, Span::default())
        }
    };
    [start.of(&answers.bytes), value.of(&answers.bytes)]
}

/// The body of `identities/`.
pub(in crate::environment) fn identity(
    evaluation: &Evaluation<'_>,
    kind: KeyKind,
    identity: &Identity<'_>,
    echoes_traits: bool,
) -> Vec<u8> {
    identity_of(&Choices::new(evaluation, kind), identity, echoes_traits)
}

/// The body of `identities/` that these choices come to.
pub(super) fn identity_of(
    choices: &Choices<'_, '_>,
    identity: &Identity<'_>,
    echoes_traits: bool,
) -> Vec<u8> {
    let head = head_length(identity, echoes_traits);
    let mut out = Vec::with_capacity(head + longest(choices) + END_OF_FLAGS.len());
    write_head(&mut out, identity, echoes_traits);
    let start = out.len();
    let mut writer = Bytes::new(choices, &mut out);
    choices.write(&mut writer);
    writer.flush();
    if out.len() > start {
        // The comma behind the last flag.
        out.pop();
    }
    out.extend_from_slice(END_OF_FLAGS);
    out
}

/// What comes behind the flags of an identity.
pub(super) const END_OF_FLAGS: &[u8] = b"]}";

/// How many bytes [`write_head`] writes at most.
pub(super) fn head_length(identity: &Identity<'_>, echoes_traits: bool) -> usize {
    const NAMES: usize = r#"{"identifier":"","traits":[],"flags":["#.len();
    let traits = if echoes_traits {
        identity.traits_length()
    } else {
        0
    };
    NAMES + identity.identifier().len() + traits
}

/// Writes what comes before the flags of an identity.
pub(super) fn write_head(out: &mut Vec<u8>, identity: &Identity<'_>, echoes_traits: bool) {
    out.extend_from_slice(br#"{"identifier":"#);
    identity.write_identifier(out);
    out.extend_from_slice(br#","traits":"#);
    if echoes_traits {
        identity.write_traits(out);
    } else {
        out.extend_from_slice(b"[]");
    }
    out.extend_from_slice(br#","flags":["#);
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
pub(super) fn longest(choices: &Choices<'_, '_>) -> usize {
    let defaults = choices.defaults().map_or(0, |defaults| defaults.bytes.len());
    if let Some((_, runs)) = choices.runs() {
        return defaults + runs.iter().map(|run| run.json.length()).sum::<usize>();
    }
    let answers = &choices.evaluation().environment().answers;
    let longest = |answer: &Answer| {
        let multivariate = answers.multivariate(answer);
        answer.json.length() + multivariate.map_or(0, Multivariate::longest)
    };
    let own = choices.own_overrides().len() * IDENTITY_OVERRIDE_END.len();
    defaults + own + choices.candidates().map(longest).sum::<usize>()
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

    /// Copies a flag in a circular dependency, which has another reason than its answer.
    fn push_cyclic(&mut self, answer: &'e Answer) {
        let (answers, bytes) = (self.answers, &self.answers.bytes);
        let end = if let Some(multivariate) = answers.multivariate(answer) {
            let chosen = multivariate.chosen(self.evaluation.option(multivariate).flatten());
            self.push(bytes, answer.json);
            self.push(bytes, chosen.value);
            multivariate.end
        } else {
            let spans = answers.spans(answer);
            let end = spans.value.end;
            self.push(bytes, Span { end, ..answer.json });
            spans.end
        };
        self.push(CIRCULAR_DEPENDENCY, Span::whole(CIRCULAR_DEPENDENCY));
        if end.length() > 0 {
            self.push(bytes, end);
        } else {
            self.push(END, Span::whole(END));
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

    fn choice(&mut self, choice: Choice<'e>) {
        let Choice { answer, by, .. } = choice;
        let bytes = &self.answers.bytes;
        if by == ChosenBy::Cycle {
            self.push_cyclic(answer);
            return;
        }
        self.push(bytes, answer.json);
        if let Some(multivariate) = self.answers.multivariate(answer) {
            let chosen = multivariate.chosen(self.evaluation.option(multivariate).flatten());
            self.push(bytes, chosen.value);
            self.push(bytes, chosen.reason);
            self.push(bytes, multivariate.end);
        } else if by == ChosenBy::Identity {
            self.push(IDENTITY_OVERRIDE_END, Span::whole(IDENTITY_OVERRIDE_END));
        }
    }
}
