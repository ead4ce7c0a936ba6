//! What was chosen for each feature, and from what.
use crate::KeyKind;
use crate::environment::compiled::{Environment, Feature, Multivariate, MultivariateOption};
use crate::environment::evaluation::{Choice, Choices, ChosenBy, Evaluation};
use crate::environment::flag::{Flag, Reason};
use crate::environment::writers::Flags;
use crate::hashing::hashed_percentage;

/// What was chosen for a feature, and from what.
#[derive(Debug)]
pub(crate) struct ExaminedFeature<'e> {
    pub feature: &'e Feature,
    /// The flag as it is served; of a hidden one as it would be. `None`: it is hidden, and answers the document's own feature
    /// state.
    pub flag: Option<Flag<'e>>,
    /// Why it is not in the answer; empty: it is.
    pub hidden: Vec<Hidden>,
    pub by: ChosenBy,
    /// The segments that override it, in order of priority.
    pub candidates: Vec<Candidate>,
    /// Where the identity falls among the options, where the chosen feature state is multivariate.
    pub split: Option<ExaminedSplit<'e>>,
}

/// Why a feature is not in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// The key is a client-side one, and the feature is for server-side keys only.
    ServerKeyOnly,
    /// It is disabled, and the environment hides disabled flags.
    Disabled,
}

/// A segment that overrides a feature.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    /// Its place among the environment's segments.
    pub segment: u32,
    rank: u32,
}

/// Where an identity falls among the options of a feature state.
#[derive(Debug)]
pub(crate) struct ExaminedSplit<'e> {
    /// In percent; `None`: there is no identity, and the control value holds.
    pub bucket: Option<f64>,
    /// In the order in which they are tried.
    pub options: Vec<ExaminedOption<'e>>,
}

/// One option.
#[derive(Debug)]
pub(crate) struct ExaminedOption<'e> {
    /// `start <= bucket < end`, in percent.
    pub range: (f64, f64),
    /// As Python writes it.
    pub weight: &'e str,
    /// JSON.
    pub value: &'e str,
    /// JSON.
    pub variant: &'e str,
    pub is_chosen: bool,
}

impl ExaminedFeature<'_> {
    /// Whether it is on.
    pub(crate) fn is_enabled(&self) -> bool {
        self.flag.map_or(self.feature.enabled, |flag| flag.enabled)
    }

    /// Why it is what it is.
    pub(crate) fn reason(&self) -> Reason<'_> {
        self.flag
            .map_or_else(|| self.feature.default_reason(), |flag| flag.reason)
    }
}

/// Examines one feature, or all.
pub(super) fn examine<'e>(
    choices: &Choices<'_, 'e>,
    kind: KeyKind,
    only: Option<u32>,
) -> Vec<ExaminedFeature<'e>> {
    let evaluation = choices.evaluation();
    let environment = evaluation.environment();
    let served = served(choices, environment);
    let mut candidates = candidates(environment);
    let chosen = choices.all();
    let features = (0..).zip(&environment.features.list);
    let asked = features.filter(|(place, _)| only.is_none_or(|only| only == *place));
    let examined = asked.map(|(place, feature)| {
        let choice = chosen.get(place as usize).copied().flatten();
        let served = served.get(place as usize).copied().flatten();
        let hidden = match served {
            Some(_) => Vec::new(),
            None => why_hidden(environment, kind, feature, choice.as_ref()),
        };
        ExaminedFeature {
            feature,
            flag: served.or_else(|| choice?.flag(environment, |own| evaluation.option(own))),
            hidden,
            by: choice.map_or(ChosenBy::Default, |choice| choice.by),
            candidates: candidates
                .get_mut(place as usize)
                .map(std::mem::take)
                .unwrap_or_default(),
            split: choice.and_then(|choice| split(choice, evaluation)),
        }
    });
    examined.collect()
}

/// The flags that are served, by the places of their features.
fn served<'e>(choices: &Choices<'_, 'e>, environment: &Environment) -> Vec<Option<Flag<'e>>> {
    let mut served = vec![None; environment.features.list.len()];
    Flags::write(choices, |flag| {
        let place = environment.features.named(&flag.feature.name);
        if let Some(served) = place.and_then(|place| served.get_mut(place as usize)) {
            *served = Some(flag);
        }
    });
    served
}

fn candidates(environment: &Environment) -> Vec<Vec<Candidate>> {
    let mut candidates = vec![Vec::new(); environment.features.list.len()];
    for own in environment.segments.iter().flat_map(|segment| &segment.overrides) {
        if let Some(candidates) = candidates.get_mut(own.feature as usize) {
            candidates.push(Candidate {
                segment: own.segment,
                rank: own.rank,
            });
        }
    }
    for candidates in &mut candidates {
        candidates.sort_by_key(|candidate| candidate.rank);
    }
    candidates
}

fn why_hidden(
    environment: &Environment,
    kind: KeyKind,
    feature: &Feature,
    choice: Option<&Choice<'_>>,
) -> Vec<Hidden> {
    let is_server_only = feature.server_only || choice.is_some_and(|choice| choice.answer.server_only);
    let is_enabled = choice.map_or(feature.enabled, |choice| choice.answer.enabled);
    let server_key_only = kind == KeyKind::Client && is_server_only;
    let disabled = environment.hides_disabled_flags && !is_enabled;
    let reasons = [
        (server_key_only, Hidden::ServerKeyOnly),
        (disabled, Hidden::Disabled),
    ];
    reasons
        .into_iter()
        .filter_map(|(holds, hidden)| holds.then_some(hidden))
        .collect()
}

fn split<'e>(choice: Choice<'e>, evaluation: &Evaluation<'e>) -> Option<ExaminedSplit<'e>> {
    let environment = evaluation.environment();
    let multivariate: &'e Multivariate = environment.answers.multivariate(choice.answer)?;
    let key = evaluation.identity_key();
    let chosen = key.and_then(|key| multivariate.choose(key));
    let option = |option: &'e MultivariateOption| ExaminedOption {
        range: (option.start, option.end),
        weight: environment.answers.text(option.weight),
        value: environment.answers.text(option.value),
        variant: environment.answers.text(option.variant),
        is_chosen: chosen.is_some_and(|chosen| std::ptr::eq(chosen, option)),
    };
    Some(ExaminedSplit {
        bucket: key.map(|key| hashed_percentage(&multivariate.key, key)),
        options: multivariate.options.iter().map(option).collect(),
    })
}
