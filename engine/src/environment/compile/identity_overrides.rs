//! Identity overrides.
use std::borrow::Cow;

use serde_json::value::RawValue;

use super::feature_states::{self, FeatureStates};
use super::reading::{elements, id_text, problem};
use super::warnings::Warnings;
use crate::document::Document;
use crate::document::parts::IdentityOverride;
use crate::environment::compiled::Features;
use crate::environment::compiled::{IdentityOverrides, IdentityOverridesBuilder};
use crate::environment::flag::Reason;
use crate::json::{Kind, decode_string};

/// Compiles the identity overrides of all pages.
pub(super) fn compile<'a>(
    document: &'a Document,
    features: &mut Features,
    states: &mut FeatureStates<'a>,
    warnings: &mut Warnings,
) -> IdentityOverrides {
    let mut builder = IdentityOverridesBuilder::default();
    let mut number = 0_usize;
    for list in document.identity_overrides() {
        let list = elements(list);
        builder.reserve(list.len());
        for json in list {
            number += 1;
            // Warnings name an identity by its place: an identifier may be personal.
            let part = || format!("identity override {number}");
            match read(json) {
                Ok((identifier, own)) => {
                    add(&mut builder, &identifier, &own, features, states, &part, warnings)
                }
                Err(problem) => warnings.push(&part(), &format!("{problem}; it is left out")),
            }
        }
    }
    builder.build()
}

fn read(json: &RawValue) -> Result<(Cow<'_, str>, Vec<&RawValue>), Cow<'static, str>> {
    if Kind::of(json.get()) != Kind::Object {
        return Err(Cow::Borrowed("it is not an object"));
    }
    let read: IdentityOverride<'_> = serde_json::from_str(json.get()).map_err(|error| problem(&error))?;
    let identifier = match Kind::of(read.identifier.get()) {
        Kind::String => decode_string(read.identifier.get()),
        Kind::Number => id_text(read.identifier).map(Cow::Owned),
        _ => None,
    };
    let identifier = identifier.ok_or(Cow::Borrowed("its identifier is not a string"))?;
    Ok((identifier, read.identity_features.unwrap_or_default()))
}

fn add<'a>(
    builder: &mut IdentityOverridesBuilder,
    identifier: &str,
    own: &[&'a RawValue],
    features: &mut Features,
    states: &mut FeatureStates<'a>,
    part: &dyn Fn() -> String,
    warnings: &mut Warnings,
) {
    let mut identity = None;
    for json in own {
        let state = match feature_states::read(json) {
            Ok(state) => state,
            Err(problem) => {
                warnings.push(&part(), &format!("a feature state: {problem}; it is left out"));
                continue;
            }
        };
        let Some(place) = features.named(&state.feature.name.0) else {
            continue;
        };
        let Some(feature) = features.list.get_mut(place as usize) else {
            continue;
        };
        feature.targeted = true;
        let identity = *identity.get_or_insert_with(|| builder.identity(identifier));
        let answer = states.override_answer(
            &state,
            &feature.reported,
            Reason::IdentityOverride,
            part,
            warnings,
        );
        builder.push(identity, place, answer);
    }
}
