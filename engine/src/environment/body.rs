//! The bytes of answers: fragments that were written when the document was compiled, put together.
use super::Environment;
use super::answer::{Answer, Span};
use super::dependencies::Outcome;
use super::evaluation::{Evaluation, Winners};
use super::features::Defaults;
use super::identity_overrides::IdentityOverride;
use crate::{Identity, KeyKind};

/// The body of `flags/`.
pub(super) fn flags(environment: &Environment, kind: KeyKind) -> Vec<u8> {
    let flags = environment
        .features
        .defaults(kind)
        .map_or(&[][..], |defaults| &defaults.bytes);
    [b"[", flags.strip_suffix(b",").unwrap_or(flags), b"]"].concat()
}

/// The body of `flags/?feature=name`.
pub(super) fn flag(environment: &Environment, kind: KeyKind, name: &str) -> Option<Vec<u8>> {
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
pub(super) fn identity(
    evaluation: &Evaluation<'_>,
    kind: KeyKind,
    identity: &Identity<'_>,
    echoes_traits: bool,
) -> Vec<u8> {
    const NAMES: usize = r#"{"identifier":"","traits":[],"flags":[]}"#.len();
    let flags = Flags::new(evaluation, kind);
    let traits = if echoes_traits {
        identity.traits_length()
    } else {
        0
    };
    let mut out = Vec::with_capacity(NAMES + identity.identifier().len() + traits + flags.longest());
    out.extend_from_slice(br#"{"identifier":"#);
    identity.write_identifier(&mut out);
    out.extend_from_slice(br#","traits":"#);
    if echoes_traits {
        identity.write_traits(&mut out);
    } else {
        out.extend_from_slice(b"[]");
    }
    out.extend_from_slice(br#","flags":"#);
    flags.write(&mut out);
    out.push(b'}');
    out
}

/// The body of `identities/?feature=name`.
pub(super) fn identity_flag(evaluation: &Evaluation<'_>, kind: KeyKind, feature: u32) -> Option<Vec<u8>> {
    let flags = Flags::new(evaluation, kind);
    let mut run = Run {
        out: &mut Vec::new(),
        pending: None,
    };
    match flags.answer(feature) {
        Some(answer) => flags.write_answer(feature, answer, &mut run),
        None => run.push_defaults(flags.defaults?, feature, feature + 1),
    }
    run.flush();
    let out = std::mem::take(run.out);
    let length = out.strip_suffix(b",")?.len();
    Some(out.get(..length)?.to_vec())
}

/// Every flag that a server-side key sees, as a list.
pub(super) fn evaluated_flags(evaluation: &Evaluation<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    Flags::new(evaluation, KeyKind::Server).write(&mut out);
    out
}

/// The flags of one evaluation for a kind of key.
struct Flags<'a, 'e> {
    evaluation: &'a Evaluation<'e>,
    kind: KeyKind,
    defaults: Option<&'e Defaults>,
    winners: Winners<'e>,
    own: &'e [IdentityOverride],
}

impl<'a, 'e> Flags<'a, 'e> {
    fn new(evaluation: &'a Evaluation<'e>, kind: KeyKind) -> Self {
        let environment = evaluation.environment;
        let own = evaluation
            .subject
            .identifier()
            .map(|identifier| environment.identity_overrides.of(identifier));
        Self {
            evaluation,
            kind,
            defaults: environment.features.defaults(kind),
            winners: evaluation.winners(),
            own: own.unwrap_or_default(),
        }
    }

    /// How many bytes the flags take at most.
    fn longest(&self) -> usize {
        let answers = &self.evaluation.environment.answers;
        let longest = |answer: &Answer| {
            answer.json.length()
                + answers
                    .multivariate(answer)
                    .map_or(0, super::answer::Multivariate::longest)
        };
        let defaults = self.defaults.map_or(0, |defaults| defaults.bytes.len());
        let multivariate = self
            .contested()
            .iter()
            .filter_map(|contested| contested.multivariate.as_ref())
            .map(longest);
        let winners = self.winners.iter().flatten().map(|winner| longest(winner.answer));
        let own = self.own.iter().map(|own| longest(&own.answer));
        defaults + multivariate.sum::<usize>() + winners.sum::<usize>() + own.sum::<usize>() + 2
    }

    fn contested(&self) -> &'e [super::features::Contested] {
        &self.evaluation.environment.features.contested
    }

    /// Writes the list. Neighbours that lie side by side in a buffer are copied together.
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        let start = out.len();
        let mut run = Run { out, pending: None };
        let (mut contested, mut own) = (
            self.contested().iter().zip(0_usize..).peekable(),
            self.own.iter().peekable(),
        );
        let mut next = 0;
        loop {
            let by_segment = contested.peek().map(|(contested, _)| contested.feature);
            let by_identity = own.peek().map(|own| own.feature);
            let Some(feature) = by_segment.into_iter().chain(by_identity).min() else {
                break;
            };
            self.push_defaults(&mut run, next, feature);
            next = feature + 1;
            let contested = contested.next_if(|(contested, _)| contested.feature == feature);
            let own = own.next_if(|own| own.feature == feature);
            match self.choose(feature, contested, own) {
                Some(answer) => self.write_answer(feature, answer, &mut run),
                None => self.push_defaults(&mut run, feature, next),
            }
        }
        self.push_defaults(
            &mut run,
            next,
            super::answer::offset(self.evaluation.environment.features.list.len()),
        );
        run.flush();
        if out.len() > start {
            // The comma behind the last flag.
            out.pop();
        }
        out.push(b']');
    }

    fn push_defaults(&self, run: &mut Run<'_, 'e>, first: u32, end: u32) {
        if let Some(defaults) = self.defaults {
            run.push_defaults(defaults, first, end);
        }
    }

    /// The answer of one feature; `None`: the plain default.
    fn answer(&self, feature: u32) -> Option<&'e Answer> {
        let place = self
            .evaluation
            .environment
            .features
            .get(feature)
            .and_then(|feature| feature.contested);
        let place = place.map(|place| place as usize);
        let contested = place.and_then(|place| Some((self.contested().get(place)?, place)));
        self.choose(
            feature,
            contested,
            self.own.iter().find(|own| own.feature == feature),
        )
    }

    fn choose(
        &self,
        feature: u32,
        contested: Option<(&'e super::features::Contested, usize)>,
        own: Option<&'e IdentityOverride>,
    ) -> Option<&'e Answer> {
        let by_default = || contested.and_then(|(contested, _)| contested.multivariate.as_ref());
        let read = self
            .evaluation
            .dependencies
            .as_ref()
            .and_then(|dependencies| dependencies.outcome(feature));
        match read {
            Some(Outcome::Segment { answer, .. } | Outcome::Identity { answer }) => Some(answer),
            Some(Outcome::Default) => by_default(),
            None => {
                let winner = contested.and_then(|(_, place)| self.winners.get(place).copied().flatten());
                own.map(|own| &own.answer)
                    .or(winner.map(|winner| winner.answer))
                    .or_else(by_default)
            }
        }
    }

    fn write_answer(&self, feature: u32, answer: &'e Answer, run: &mut Run<'_, 'e>) {
        let environment = self.evaluation.environment;
        let server_only = || {
            environment
                .features
                .get(feature)
                .is_none_or(|feature| feature.server_only)
        };
        if self.kind == KeyKind::Client && (answer.server_only || server_only())
            || environment.hides_disabled_flags && !answer.enabled
        {
            return;
        }
        let answers = &environment.answers;
        run.push(&answers.bytes, answer.json);
        if let Some(multivariate) = answers.multivariate(answer) {
            run.flush();
            multivariate.write(run.out, answers, self.evaluation.subject.key());
        }
    }
}

/// Copies spans of buffers, neighbouring ones at once.
struct Run<'o, 'e> {
    out: &'o mut Vec<u8>,
    pending: Option<(&'e [u8], Span)>,
}

impl<'e> Run<'_, 'e> {
    fn push_defaults(&mut self, defaults: &'e Defaults, first: u32, end: u32) {
        let (start, end) = defaults.range(first, end);
        self.push(&defaults.bytes, Span { start, end });
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
