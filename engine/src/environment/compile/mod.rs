//! From a document to a compiled [`Environment`].
//!
//! A part that cannot be understood never fails the document: it is dropped or does not match, and a warning names it.
//!
//! `source` reads a document's own words again, in the places to which they were compiled.
mod context;
mod feature_states;
mod identity_overrides;
mod multivariate;
mod properties;
mod reading;
mod rules;
mod segments;
mod source;
mod warnings;

use super::compiled::{
    Answer, Defaults, DependencyIndex, Environment, Exhaustion, Feature, Features, ReadyGzip, Segment, offset,
};
use super::evaluation::{Choices, Evaluation};
use crate::document::{Document, Outline};
use crate::{DocumentError, KeyKind, Warning};
use context::StaticContext;
use feature_states::FeatureStates;
use properties::Properties;
use warnings::Warnings;

pub(crate) use source::{ConditionSource, DocumentSource, SegmentSource};

impl Environment {
    /// Compiles a document; the warnings name the parts that could not be understood.
    ///
    /// # Errors
    /// Where a load-bearing field is missing or of a wrong type. No [`Document`] can be read that has such a fault; an
    /// environment without a document does not exist all the same.
    pub fn compile(document: &Document) -> Result<(Self, Vec<Warning>), DocumentError> {
        let mut warnings = Warnings::default();
        let environment = compile_outline(document, &Outline::read(document)?, &mut warnings);
        Ok((environment, warnings.finish()))
    }
}

fn compile_outline(document: &Document, outline: &Outline<'_>, warnings: &mut Warnings) -> Environment {
    if !outline.composite_key_hashing {
        warnings.push(
            "environment",
            "it hashes identities by a database id, which only core has; percentages are by environment key and \
             identifier and may differ from core's",
        );
    }
    let mut states = FeatureStates::new(outline, warnings);
    let mut features = name_features(&states);
    let context = StaticContext::new(outline);
    let mut properties = Properties::new(&context, &features);
    let (mut segments, pending) = segments::compile(outline, &mut states, &mut properties, warnings);
    let segments_by_feature = segments::dependencies(&pending, features.list.len());
    let ranked = segments::rank(pending);
    segments::warn_of_ties(&ranked, &segments, warnings);
    let Properties {
        slots: trait_slots,
        reads_flags,
        reads_context,
        ..
    } = properties;
    contest_features(&mut features, &states, &segments_by_feature);
    segments::attach_overrides(&mut segments, ranked, &features, &mut states, warnings);
    let identity_overrides = identity_overrides::compile(document, &mut features, &mut states, warnings);
    features.any_server_only = states.any_server_only();
    write_default_answers(&mut features, &mut states, reads_flags, warnings);
    features.defaults = write_defaults(outline, &features, &states);
    let mut answers = states.answers;
    answers.bytes.shrink_to_fit();
    let mut environment = Environment {
        id: outline.id.into(),
        name: outline.name.as_ref().into(),
        key_prefix: format!("{}_", outline.api_key).into(),
        hides_disabled_flags: outline.hide_disabled_flags,
        allows_client_traits: outline.allow_client_traits,
        stops_serving_flags: outline.stops_serving_flags,
        overriding_segments: overriding(&segments),
        exhaustion: Exhaustion::new(segments.len()),
        gzip: ReadyGzip::new(&features, &segments, &answers),
        features,
        segments,
        trait_slots,
        answers,
        identity_overrides,
        context: reads_context.then(|| context.whole().clone()),
        dependencies: reads_flags.then_some(DependencyIndex {
            segments: segments_by_feature,
        }),
    };
    environment.features.without_identity = overrides_without_identity(&environment);
    environment
}

/// What segments override without an identity. The bodies of `flags/` are made of it, so it is found once.
fn overrides_without_identity(environment: &Environment) -> Vec<(u32, Answer)> {
    if environment
        .segments
        .iter()
        .any(|segment| segment.needs_no_identity)
    {
        Choices::new(&Evaluation::without_identity(environment), KeyKind::Server).overrides()
    } else {
        Vec::new()
    }
}

/// The features by name. [`contest_features`] and [`write_default_answers`] add the rest.
fn name_features(states: &FeatureStates<'_>) -> Features {
    let features = states.of_environment.iter().map(|own| Feature {
        reported: states.parts(&own.state).feature(),
        enabled: own.state.enabled,
        server_only: false,
        targeted: false,
        contested: None,
        default: None,
    });
    Features::new(features.collect())
}

/// Finds the features that segments override or that are multivariate.
fn contest_features(features: &mut Features, states: &FeatureStates<'_>, segments: &[Vec<u32>]) {
    for (place, feature) in (0..).zip(&mut features.list) {
        feature.targeted = segments
            .get(place as usize)
            .is_some_and(|segments| !segments.is_empty());
        let Some(state) = states.of_environment.get(place as usize) else {
            continue;
        };
        feature.server_only = state.server_only;
        if feature.targeted || multivariate::is_multivariate(&state.state) {
            feature.contested = Some(offset(features.contested.len()));
            features.contested.push(place);
        }
    }
}

/// Writes the defaults that depend on the identity; all of them where segments read flags. Their reasons depend on all
/// overrides.
fn write_default_answers(
    features: &mut Features,
    states: &mut FeatureStates<'_>,
    reads_flags: bool,
    warnings: &mut Warnings,
) {
    for (place, feature) in (0..).zip(&mut features.list) {
        let state = states.of_environment.get(place as usize);
        let is_multivariate = state.is_some_and(|state| multivariate::is_multivariate(&state.state));
        if !is_multivariate && !reads_flags {
            continue;
        }
        feature.default = states.default_answer(place as usize, feature.default_reason(), warnings);
        let multivariate = feature.default.filter(Answer::is_multivariate);
        features
            .multivariate
            .extend(multivariate.map(|answer| (place, answer)));
    }
}

/// Writes the default flags for each kind of key, or once where both see the same.
fn write_defaults(outline: &Outline<'_>, features: &Features, states: &FeatureStates<'_>) -> Vec<Defaults> {
    let any_server_only = features.list.iter().any(|feature| feature.server_only);
    let kinds: &[KeyKind] = if any_server_only {
        &[KeyKind::Server, KeyKind::Client]
    } else {
        &[KeyKind::Server]
    };
    let write = |kind: &KeyKind| {
        let mut defaults = Defaults::default();
        defaults.starts.push(0);
        for (feature, state) in features.list.iter().zip(&states.of_environment) {
            let hidden = *kind == KeyKind::Client && feature.server_only
                || outline.hide_disabled_flags && !feature.enabled;
            // Whose value depends on the identity has another answer.
            let is_multivariate = feature.default.is_some_and(|answer| answer.is_multivariate());
            defaults.values.push(if hidden || is_multivariate {
                offset(defaults.bytes.len())
            } else {
                let parts = states.parts(&state.state);
                parts.write(&mut defaults.bytes, state.state.value(), feature.default_reason())
            });
            defaults.starts.push(offset(defaults.bytes.len()));
        }
        defaults.bytes.shrink_to_fit();
        defaults
    };
    kinds.iter().map(write).collect()
}

fn overriding(segments: &[Segment]) -> Vec<u32> {
    (0..)
        .zip(segments)
        .filter(|(_, segment)| !segment.overrides.is_empty())
        .map(|(place, _)| place)
        .collect()
}
