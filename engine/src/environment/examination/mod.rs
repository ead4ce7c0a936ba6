//! What one evaluation came to, with what it came from: for explanations.
//!
//! Values, reasons and whether segments match are those of the evaluation that answers requests, told while it goes on. Only then
//! are segments asked again why they do not match.
//!
//! # Layout
//! - [`Examination`]: of one evaluation. `features`: what was chosen for each, from what. `segments`: why each matches or not.
mod features;
mod segments;

use crate::environment::compiled::Environment;
use crate::environment::evaluation::{Choices, Evaluation};
use crate::{Identity, KeyKind};

pub(crate) use features::{ExaminedFeature, ExaminedOption, ExaminedSplit, Hidden};
pub(crate) use segments::{ExaminedSegment, Standing};

/// What one evaluation came to.
#[derive(Debug)]
pub(crate) struct Examination<'e> {
    /// Those that were asked for, in document order.
    pub features: Vec<ExaminedFeature<'e>>,
    /// All, or those that override the feature that was asked for; in document order.
    pub segments: Vec<ExaminedSegment<'e>>,
}

impl Environment {
    /// The place of the feature of exactly this name.
    pub(crate) fn feature_place(&self, name: &str) -> Option<u32> {
        self.features.named(name)
    }

    /// In document order.
    pub(crate) fn feature_names(&self) -> impl Iterator<Item = &str> {
        self.features.list.iter().map(|feature| &*feature.reported.name)
    }

    /// The names of the traits that segments read, by their slots.
    pub(crate) fn traits_by_slot(&self) -> Vec<&str> {
        let mut names = vec![""; self.trait_slots.len()];
        for (name, slot) in &self.trait_slots {
            if let Some(place) = names.get_mut(*slot as usize) {
                *place = name;
            }
        }
        names
    }

    /// The names of the features that an identity overrides itself, in document order.
    pub fn features_overridden_for(&self, identifier: &str) -> Vec<&str> {
        let own = self.identity_overrides.of(identifier).iter();
        let features = own.filter_map(|own| self.features.get(own.feature));
        features.map(|feature| &*feature.reported.name).collect()
    }

    /// The identifiers that have overrides, in document order.
    pub(crate) fn identifiers_with_overrides(&self) -> impl Iterator<Item = &str> {
        self.identity_overrides.identifiers()
    }

    /// Evaluates as a request with this kind of key is answered: by `identities/`, or, without an identity, by `flags/`. `feature`:
    /// the place of the one to examine; `None`: all.
    pub(crate) fn examine<'e>(
        &'e self,
        kind: KeyKind,
        identity: Option<&'e Identity<'e>>,
        feature: Option<u32>,
    ) -> Examination<'e> {
        let evaluation = match identity {
            Some(_) => Evaluation::new(self, identity, self.takes_traits(kind)),
            None => Evaluation::without_identity(self),
        };
        let mut noted = vec![None; self.segments.len()];
        let note = |place: u32, matches| {
            if let Some(noted) = noted.get_mut(place as usize) {
                *noted = Some(matches);
            }
        };
        // `flags/` leaves all segments out but those that need no identity.
        let any_counts = identity.is_some() || self.segments.iter().any(|segment| segment.needs_no_identity);
        let choices = if any_counts {
            Choices::noting(&evaluation, kind, note)
        } else {
            Choices::without_segments(&evaluation, kind)
        };
        let features = features::examine(&choices, kind, feature);
        Examination {
            segments: segments::examine(&evaluation, &noted, feature),
            features,
        }
    }
}
