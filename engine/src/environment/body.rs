//! The bytes of answers: fragments that were written when the document was compiled, put together.
use super::Environment;
use super::answer::Answer;
use super::dependencies::Outcome;
use super::evaluation::{Evaluation, Winners};
use super::features::Defaults;
use super::identity_overrides::IdentityOverride;
use super::run::Run;
use super::segment::OverrideRun;
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
    let mut out = Vec::new();
    let mut run = Run::new(&mut out);
    match flags.answer(feature) {
        Some(answer) => flags.write_answer(feature, answer, &mut run),
        None => run.push_defaults(flags.defaults?, feature, feature + 1),
    }
    run.flush();
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
    defaults: Option<&'e Defaults>,
    winners: Winners<'e>,
    own: &'e [IdentityOverride],
    /// Whether answers may be hidden that are no defaults.
    hides: bool,
    kind: KeyKind,
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
            defaults: environment.features.defaults(kind),
            winners: evaluation.winners(),
            own: own.unwrap_or_default(),
            hides: environment.hides_disabled_flags
                || kind == KeyKind::Client && environment.features.any_server_only,
            kind,
        }
    }

    /// What stands in place of defaults, where neither identity nor kind of key count: the rule.
    fn runs(&self) -> Option<&'e [OverrideRun]> {
        let is_plain = !self.hides
            && self.own.is_empty()
            && self.evaluation.dependencies.is_none()
            && self.evaluation.environment.features.multivariate.is_empty();
        match self.winners {
            Winners::Of(None) if is_plain => Some(&[]),
            Winners::Of(Some(segment)) if is_plain => segment.runs.as_deref(),
            _ => None,
        }
    }

    /// How many bytes the flags take at most.
    fn longest(&self) -> usize {
        if let Some(runs) = self.runs() {
            let runs = runs.iter().map(|run| run.json.length()).sum::<usize>();
            return self.defaults.map_or(0, |defaults| defaults.bytes.len()) + runs + 2;
        }
        let answers = &self.evaluation.environment.answers;
        let longest = |answer: &Answer| {
            answer.json.length()
                + answers
                    .multivariate(answer)
                    .map_or(0, super::answer::Multivariate::longest)
        };
        let defaults = self.defaults.map_or(0, |defaults| defaults.bytes.len());
        let multivariate = self.evaluation.environment.features.multivariate.iter();
        let multivariate = multivariate.map(|(_, answer)| longest(answer));
        let winners = self.winners.iter().map(|winner| longest(&winner.answer));
        let own = self.own.iter().map(|own| longest(&own.answer));
        defaults + multivariate.sum::<usize>() + winners.sum::<usize>() + own.sum::<usize>() + 2
    }

    /// Writes the list. Neighbours that lie side by side in a buffer are copied together.
    fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        let start = out.len();
        let mut run = Run::new(out);
        let next = match self.runs() {
            Some(runs) => self.push_runs(runs, &mut run),
            None => self.push_each(&mut run),
        };
        let features = &self.evaluation.environment.features;
        self.push_defaults(&mut run, next, super::answer::offset(features.list.len()));
        run.flush();
        if out.len() > start {
            // The comma behind the last flag.
            out.pop();
        }
        out.push(b']');
    }

    /// Gives the feature after the last.
    fn push_runs(&self, runs: &[OverrideRun], run: &mut Run<'_, 'e>) -> u32 {
        let answers = &self.evaluation.environment.answers;
        let mut next = 0;
        for OverrideRun { features, json } in runs {
            self.push_defaults(run, next, features.0);
            run.push(&answers.bytes, *json);
            next = features.1;
        }
        next
    }

    /// Gives the feature after the last that is not plainly the default.
    fn push_each(&self, run: &mut Run<'_, 'e>) -> u32 {
        let features = &self.evaluation.environment.features;
        let mut by_identity = self.own.iter().map(|own| (own.feature, &own.answer)).peekable();
        let mut by_segment = self
            .winners
            .iter()
            .map(|own| (own.feature, &own.answer))
            .peekable();
        let mut by_default = features
            .multivariate
            .iter()
            .map(|(feature, answer)| (*feature, answer))
            .peekable();
        let read = self
            .evaluation
            .dependencies
            .as_ref()
            .map(|dependencies| dependencies.read_features());
        let mut read = read.unwrap_or_default().into_iter().peekable();
        let mut next = 0;
        loop {
            let first = |choice: Option<&(u32, &'e Answer)>| choice.map_or(u32::MAX, |(feature, _)| *feature);
            let feature = first(by_identity.peek())
                .min(first(by_segment.peek()))
                .min(first(by_default.peek()))
                .min(read.peek().copied().unwrap_or(u32::MAX));
            if feature == u32::MAX {
                break;
            }
            let is_it = |choice: &(u32, &'e Answer)| choice.0 == feature;
            let of_identity = by_identity.next_if(is_it);
            let of_segment = by_segment.next_if(is_it);
            let of_default = by_default.next_if(is_it);
            let _ = read.next_if_eq(&feature);
            self.push_defaults(run, next, feature);
            next = feature + 1;
            let choices =
                [of_identity, of_segment, of_default].map(|choice| choice.map(|(_, answer)| answer));
            match self.choose(feature, choices) {
                Some(answer) => self.write_answer(feature, answer, run),
                None => self.push_defaults(run, feature, next),
            }
        }
        next
    }

    fn push_defaults(&self, run: &mut Run<'_, 'e>, first: u32, end: u32) {
        if let Some(defaults) = self.defaults {
            run.push_defaults(defaults, first, end);
        }
    }

    /// The answer of one feature; `None`: the plain default.
    fn answer(&self, feature: u32) -> Option<&'e Answer> {
        let own = self.own.iter().find(|own| own.feature == feature);
        let winner = self.winners.iter().find(|own| own.feature == feature);
        let multivariate = &self.evaluation.environment.features.multivariate;
        let by_default = multivariate.iter().find(|(other, _)| *other == feature);
        self.choose(
            feature,
            [
                own.map(|own| &own.answer),
                winner.map(|own| &own.answer),
                by_default.map(|(_, answer)| answer),
            ],
        )
    }

    /// What holds of a feature's answers by identity, by segment, by default; another where flags were read.
    fn choose(&self, feature: u32, choices: [Option<&'e Answer>; 3]) -> Option<&'e Answer> {
        let [of_identity, of_segment, by_default] = choices;
        let read = match &self.evaluation.dependencies {
            None => None,
            Some(dependencies) => dependencies.outcome(feature),
        };
        match read {
            Some(Outcome::Segment { answer, .. } | Outcome::Identity { answer }) => Some(answer),
            Some(Outcome::Default) => by_default,
            None => of_identity.or(of_segment).or(by_default),
        }
    }

    fn write_answer(&self, feature: u32, answer: &'e Answer, run: &mut Run<'_, 'e>) {
        if self.hides && self.is_hidden(feature, answer) {
            return;
        }
        let answers = &self.evaluation.environment.answers;
        run.push(&answers.bytes, answer.json);
        if let Some(multivariate) = answers.multivariate(answer) {
            run.flush();
            multivariate.write(run.out, answers, self.evaluation.subject.key());
        }
    }

    fn is_hidden(&self, feature: u32, answer: &Answer) -> bool {
        let environment = self.evaluation.environment;
        let feature = environment.features.get(feature);
        self.kind == KeyKind::Client
            && (answer.server_only || feature.is_none_or(|feature| feature.server_only))
            || environment.hides_disabled_flags && !answer.enabled
    }
}
