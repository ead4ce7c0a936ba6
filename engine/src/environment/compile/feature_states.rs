//! Feature states: the environment's own, and what overrides answer.
use std::borrow::Cow;

use hashbrown::{HashMap, HashSet};
use serde_json::value::RawValue;

use super::reading::{elements, problem};
use super::warnings::Warnings;
use crate::document::Outline;
use crate::document::parts::FeatureState;
use crate::environment::compiled::{Answer, Answers, FlagParts};
use crate::environment::flag::{FlagFeature, Reason};
use crate::json::{Kind, decode_string};

/// Flagsmith knows `STANDARD` and `MULTIVARIATE`. A longer type is refused, because every answer would repeat it.
const LONGEST_TYPE: usize = 100;
/// What the reference reports for a feature that it does not know.
const STANDARD: &str = "STANDARD";

/// The feature states of a document and the answers made of them.
pub(super) struct FeatureStates<'a> {
    /// In document order. The last feature state of a name counts, at the place of the first.
    pub of_environment: Vec<NamedState<'a>>,
    pub answers: Answers,
    /// By the feature's id, JSON.
    types: HashMap<&'a str, Cow<'a, str>>,
    server_only: HashSet<&'a str>,
}

/// A feature state of the environment.
pub(super) struct NamedState<'a> {
    pub name: Cow<'a, str>,
    /// One of the feature states of this name is for server-side keys only.
    pub server_only: bool,
    pub state: FeatureState<'a>,
}

impl<'a> FeatureStates<'a> {
    pub(super) fn new(outline: &Outline<'a>, warnings: &mut Warnings) -> Self {
        let mut states = Self {
            of_environment: Vec::new(),
            answers: Answers::default(),
            types: HashMap::new(),
            server_only: elements(outline.server_key_only_feature_ids)
                .into_iter()
                .map(RawValue::get)
                .collect(),
        };
        let mut places: HashMap<Cow<'a, str>, usize> = HashMap::new();
        for (number, json) in (1..).zip(elements(outline.feature_states)) {
            let state = match read(json) {
                Ok(state) => state,
                Err(problem) => {
                    warnings.push(
                        &format!("feature state {number}"),
                        &format!("{problem}; it is left out"),
                    );
                    continue;
                }
            };
            states.note_type(&state, warnings);
            let server_only = states.server_only.contains(state.feature.id.get());
            let name = state.feature.name.0.clone();
            let place = *places.entry(name.clone()).or_insert(states.of_environment.len());
            match states.of_environment.get_mut(place) {
                Some(earlier) => {
                    earlier.server_only |= server_only;
                    earlier.state = state;
                }
                None => states.of_environment.push(NamedState {
                    name,
                    server_only,
                    state,
                }),
            }
        }
        states
    }

    /// Whether any feature is for server-side keys only, known to the environment or not.
    pub(super) fn any_server_only(&self) -> bool {
        !self.server_only.is_empty()
    }

    fn note_type(&mut self, state: &FeatureState<'a>, warnings: &mut Warnings) {
        let Some(r#type) = state.feature.r#type.and_then(|json| decode_string(json.get())) else {
            return;
        };
        if r#type.len() > LONGEST_TYPE {
            warnings.push(
                &part(state),
                "its type is not one of Flagsmith's; it is reported as STANDARD",
            );
            return;
        }
        self.types.entry(state.feature.id.get()).or_insert(r#type);
    }

    /// Writes what the feature in this place answers by default.
    pub(super) fn default_answer(
        &mut self,
        place: usize,
        reason: Reason<'_>,
        warnings: &mut Warnings,
    ) -> Option<Answer> {
        let own = std::mem::take(&mut self.of_environment);
        let answer = own
            .get(place)
            .map(|NamedState { state, .. }| self.answer(state, reason, &|| part(state), warnings));
        self.of_environment = own;
        answer
    }

    /// Writes what an override of a feature answers, and why. `part` names it in warnings.
    pub(super) fn override_answer(
        &mut self,
        state: &FeatureState<'a>,
        feature: &FlagFeature,
        reason: Reason<'_>,
        part: &dyn Fn() -> String,
        warnings: &mut Warnings,
    ) -> Answer {
        let answer = self.answer(state, reason, part, warnings);
        if *feature.id != *state.feature.id.get() {
            let other = self.parts(state).feature();
            self.answers.report_other_feature(&answer, other);
        }
        answer
    }

    /// Writes what a feature state answers.
    fn answer(
        &mut self,
        state: &FeatureState<'a>,
        reason: Reason<'_>,
        part: &dyn Fn() -> String,
        warnings: &mut Warnings,
    ) -> Answer {
        let server_only = self.server_only.contains(state.feature.id.get());
        let multivariate = super::multivariate::compile(state, reason, &mut self.answers, part, warnings);
        let r#type = self
            .types
            .get(state.feature.id.get())
            .map_or(STANDARD, |r#type| r#type);
        let mut parts = parts(state, r#type);
        if reason == Reason::IdentityOverride {
            parts.metadata = None;
        }
        match multivariate {
            Some(multivariate) => self.answers.push_multivariate(&parts, multivariate, server_only),
            None => self.answers.push(&parts, state.value(), reason, server_only),
        }
    }

    /// A feature state's parts; its type is that of the environment's feature with the same id.
    pub(super) fn parts<'s>(&'s self, state: &'s FeatureState<'a>) -> FlagParts<'s> {
        parts(
            state,
            self.types
                .get(state.feature.id.get())
                .map_or(STANDARD, |r#type| r#type),
        )
    }
}

/// Reads a feature state.
pub(super) fn read(json: &RawValue) -> Result<FeatureState<'_>, Cow<'static, str>> {
    if Kind::of(json.get()) != Kind::Object {
        return Err(Cow::Borrowed("it is not an object"));
    }
    let state: FeatureState<'_> = serde_json::from_str(json.get()).map_err(|error| problem(&error))?;
    match Kind::of(state.feature.id.get()) {
        Kind::Number | Kind::String => Ok(state),
        _ => Err(Cow::Borrowed("its feature's id is neither a number nor a string")),
    }
}

fn parts<'s>(state: &'s FeatureState<'_>, r#type: &'s str) -> FlagParts<'s> {
    FlagParts {
        id: state.feature.id.get(),
        name: &state.feature.name.0,
        r#type,
        enabled: state.enabled,
        metadata: state
            .metadata
            .map(RawValue::get)
            .filter(|metadata| is_metadata(metadata)),
    }
}

/// Whether it is an object with members: core sends null or nothing where there is no metadata.
fn is_metadata(json: &str) -> bool {
    let members = json.strip_prefix('{').map(str::trim_ascii_start);
    members.is_some_and(|members| !members.starts_with('}'))
}

fn part(state: &FeatureState<'_>) -> String {
    format!("feature {:?}", state.feature.name.0)
}
