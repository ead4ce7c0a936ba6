//! The feature state that holds for each feature, and why.
use std::ops::Range;

use hashbrown::HashMap;

use super::choice::{Choice, ChosenBy};
use super::dependencies::Dependencies;
use super::segments::Evaluation;
use super::winners::Winners;
use crate::KeyKind;
use crate::environment::compiled::{Answer, Defaults, IdentityOverride, OverrideRun, Segment, offset};

/// Receives the choices that a key may see, in document order, and makes an answer of them.
pub(crate) trait Writer<'e> {
    /// The defaults of these neighbouring features hold, whoever asks. Some may be hidden from the key.
    fn defaults(&mut self, features: Range<u32>);

    /// The only segment that matches overrides these neighbouring features.
    fn run(&mut self, segment: &'e Segment, run: &'e OverrideRun);

    /// This feature state was chosen.
    fn choice(&mut self, choice: Choice<'e>);
}

/// The choices of one evaluation for a kind of key.
pub(crate) struct Choices<'a, 'e> {
    evaluation: &'a Evaluation<'e>,
    kind: KeyKind,
    winners: Winners<'e>,
    own: &'e [IdentityOverride],
    /// Whether the key may not see some answers. (The defaults lack what is hidden.)
    hides: bool,
}

impl<'a, 'e> Choices<'a, 'e> {
    /// Inlined, so that the winners are built where they stay.
    #[inline]
    pub(crate) fn new(evaluation: &'a Evaluation<'e>, kind: KeyKind) -> Self {
        Self::noting(evaluation, kind, |_, _| {})
    }

    /// As [`Self::new`]; `note` hears of each segment that is evaluated for it, by its place, and whether it matches.
    #[inline]
    pub(crate) fn noting(evaluation: &'a Evaluation<'e>, kind: KeyKind, note: impl FnMut(u32, bool)) -> Self {
        let mut choices = Self::without_segments(evaluation, kind);
        choices.winners.find(evaluation, note);
        choices
    }

    /// The choices where no segment counts.
    #[inline]
    pub(crate) fn without_segments(evaluation: &'a Evaluation<'e>, kind: KeyKind) -> Self {
        let environment = evaluation.environment;
        Self {
            evaluation,
            kind,
            winners: Winners::Of(None),
            own: evaluation.own_overrides(),
            hides: environment.hides_disabled_flags
                || kind == KeyKind::Client && environment.features.any_server_only,
        }
    }

    pub(crate) fn evaluation(&self) -> &'a Evaluation<'e> {
        self.evaluation
    }

    /// The defaults that the key sees.
    pub(crate) fn defaults(&self) -> Option<&'e Defaults> {
        self.evaluation.environment.features.defaults(self.kind)
    }

    /// The fast path, which most evaluations take: neither the identity nor the kind of key changes an answer. Gives the
    /// segment whose overrides replace defaults, if one matches, and its overrides in runs.
    pub(crate) fn runs(&self) -> Option<(Option<&'e Segment>, &'e [OverrideRun])> {
        let is_plain = !self.hides
            && self.own.is_empty()
            && self.evaluation.dependencies.is_none()
            && self.evaluation.environment.features.multivariate.is_empty();
        match self.winners {
            Winners::Of(None) if is_plain => Some((None, &[])),
            Winners::Of(Some(segment)) if is_plain => Some((Some(segment), segment.runs.as_deref()?)),
            _ => None,
        }
    }

    /// What the identity overrides itself.
    pub(crate) fn own_overrides(&self) -> &'e [IdentityOverride] {
        self.own
    }

    /// The answers that may be chosen.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &'e Answer> {
        let multivariate = self.evaluation.environment.features.multivariate.iter();
        let multivariate = multivariate.map(|(_, answer)| answer);
        let winners = self.winners.iter().map(|winner| &winner.answer);
        multivariate
            .chain(winners)
            .chain(self.own.iter().map(|own| &own.answer))
    }

    /// What holds in place of defaults, in document order, hidden or not.
    pub(crate) fn overrides(&self) -> Vec<(u32, Answer)> {
        let features = offset(self.evaluation.environment.features.list.len());
        let plain = self.winners.iter().map(Choice::of_segment);
        let plain: HashMap<u32, Choice<'e>> = plain.map(|choice| (choice.feature, choice)).collect();
        (0..features)
            .filter_map(|feature| self.chosen(feature, plain.get(&feature).copied()))
            .filter(|choice| choice.by != ChosenBy::Default)
            .map(|choice| (choice.feature, *choice.answer))
            .collect()
    }

    /// What holds for each feature, in document order, hidden or not; `None`: the default, which no answer was written for.
    pub(crate) fn all(&self) -> Vec<Option<Choice<'e>>> {
        let environment = self.evaluation.environment;
        let mut plain: Vec<Option<Choice<'e>>> = vec![None; environment.features.list.len()];
        let defaults = environment.features.multivariate.iter().map(Choice::of_default);
        let of_segments = self.winners.iter().map(Choice::of_segment);
        // The later goes before the earlier.
        for choice in defaults
            .chain(of_segments)
            .chain(self.own.iter().map(Choice::of_identity))
        {
            if let Some(place) = plain.get_mut(choice.feature as usize) {
                *place = Some(choice);
            }
        }
        let chosen = (0..)
            .zip(plain)
            .map(|(feature, plain)| self.chosen(feature, plain));
        chosen.collect()
    }

    /// Tells the writer about every feature.
    pub(crate) fn write(&self, writer: &mut impl Writer<'e>) {
        let next = match self.runs() {
            Some((Some(segment), runs)) => write_runs(segment, runs, writer),
            Some((None, _)) => 0,
            None => self.write_each(writer),
        };
        let end = offset(self.evaluation.environment.features.list.len());
        if next < end {
            writer.defaults(next..end);
        }
    }

    /// Tells the writer about the features up to the last that is not plainly the default; gives the next one.
    fn write_each(&self, writer: &mut impl Writer<'e>) -> u32 {
        let features = &self.evaluation.environment.features;
        let mut by_identity = self.own.iter().map(Choice::of_identity).peekable();
        let mut by_segment = self.winners.iter().map(Choice::of_segment).peekable();
        let mut by_default = features.multivariate.iter().map(Choice::of_default).peekable();
        let mut read = self.evaluation.read_features().into_iter().peekable();
        let mut next = 0;
        loop {
            let first = |choice: Option<&Choice<'e>>| choice.map_or(u32::MAX, |choice| choice.feature);
            let feature = first(by_identity.peek())
                .min(first(by_segment.peek()))
                .min(first(by_default.peek()))
                .min(read.peek().copied().unwrap_or(u32::MAX));
            if feature == u32::MAX {
                return next;
            }
            let is_it = |choice: &Choice<'e>| choice.feature == feature;
            let of_identity = by_identity.next_if(is_it);
            let of_segment = by_segment.next_if(is_it);
            let of_default = by_default.next_if(is_it);
            let _ = read.next_if_eq(&feature);
            if next < feature {
                writer.defaults(next..feature);
            }
            next = feature + 1;
            self.write_one(feature, of_identity.or(of_segment).or(of_default), writer);
        }
    }

    /// Tells the writer about one feature.
    pub(crate) fn write_feature(&self, feature: u32, writer: &mut impl Writer<'e>) {
        let is_it = |choice: &Choice<'e>| choice.feature == feature;
        let multivariate = &self.evaluation.environment.features.multivariate;
        let mut own = self.own.iter().map(Choice::of_identity);
        let choice = own
            .find(is_it)
            .or_else(|| self.winners.iter().map(Choice::of_segment).find(is_it))
            .or_else(|| multivariate.iter().map(Choice::of_default).find(is_it));
        self.write_one(feature, choice, writer);
    }

    /// Tells the writer about one feature. A plain evaluation chose `plain` (`None`: the default). Where a condition has
    /// read the flag, the choice that it was given holds instead.
    fn write_one(&self, feature: u32, plain: Option<Choice<'e>>, writer: &mut impl Writer<'e>) {
        let is_default =
            |choice: &Choice<'_>| choice.by == ChosenBy::Default && !choice.answer.is_multivariate();
        match self.chosen(feature, plain).filter(|choice| !is_default(choice)) {
            None => writer.defaults(feature..feature + 1),
            Some(choice) if self.hides && self.is_hidden(&choice) => {}
            Some(choice) => writer.choice(choice),
        }
    }

    /// What holds for a feature for which a plain evaluation chose `plain`.
    #[inline]
    fn chosen(&self, feature: u32, plain: Option<Choice<'e>>) -> Option<Choice<'e>> {
        match &self.evaluation.dependencies {
            None => plain,
            Some(dependencies) => self.resolved(dependencies, feature, plain),
        }
    }

    fn resolved(
        &self,
        dependencies: &Dependencies<'e>,
        feature: u32,
        plain: Option<Choice<'e>>,
    ) -> Option<Choice<'e>> {
        if dependencies.is_cyclic(feature) {
            let default = || Choice::default_of(self.evaluation.environment, feature);
            return plain.or_else(default).map(Choice::in_cycle);
        }
        dependencies.choice(feature).or(plain)
    }

    fn is_hidden(&self, choice: &Choice<'_>) -> bool {
        let environment = self.evaluation.environment;
        let feature = environment.features.get(choice.feature);
        feature.is_none_or(|feature| environment.hides(self.kind, feature, choice.answer))
    }
}

/// Tells the writer about the features up to the last run; gives the next one.
fn write_runs<'e>(segment: &'e Segment, runs: &'e [OverrideRun], writer: &mut impl Writer<'e>) -> u32 {
    let mut next = 0;
    for run in runs {
        if next < run.features.0 {
            writer.defaults(next..run.features.0);
        }
        writer.run(segment, run);
        next = run.features.1;
    }
    next
}
