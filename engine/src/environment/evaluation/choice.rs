//! A chosen feature state, and the flag that it comes to.
use crate::environment::compiled::{
    Answer, CONTROL, Environment, IdentityOverride, Multivariate, MultivariateOption, SegmentOverride,
};
use crate::environment::flag::{Flag, Reason};

/// A chosen feature state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'e> {
    /// The place of the feature.
    pub feature: u32,
    pub answer: &'e Answer,
    pub by: ChosenBy,
}

/// What a feature state was chosen by. A circular dependency will be another: such a flag has the state that a plain
/// evaluation chooses, and an error as its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChosenBy {
    Default,
    /// The segment in this place.
    Segment(u32),
    Identity,
}

impl<'e> Choice<'e> {
    pub(crate) fn of_identity(own: &'e IdentityOverride) -> Self {
        Self {
            feature: own.feature,
            answer: &own.answer,
            by: ChosenBy::Identity,
        }
    }

    pub(crate) fn of_segment(own: &'e SegmentOverride) -> Self {
        Self {
            feature: own.feature,
            answer: &own.answer,
            by: ChosenBy::Segment(own.segment),
        }
    }

    pub(crate) fn of_default((feature, answer): &'e (u32, Answer)) -> Self {
        Self {
            feature: *feature,
            answer,
            by: ChosenBy::Default,
        }
    }

    /// The flag with its parts. `option` tells the option of a multivariate answer, or that there is none; `None`: there is
    /// no identity.
    pub(crate) fn flag(
        self,
        environment: &'e Environment,
        option: impl FnOnce(&'e Multivariate) -> Option<Option<&'e MultivariateOption>>,
    ) -> Option<Flag<'e>> {
        let Self { feature, answer, by } = self;
        let answers = &environment.answers;
        let feature = environment.features.get(feature)?;
        let reason = match by {
            ChosenBy::Identity => Reason::IdentityOverride,
            ChosenBy::Segment(place) => Reason::Segment(
                environment
                    .segments
                    .get(place as usize)
                    .map_or("", |segment| &*segment.name),
            ),
            ChosenBy::Default => feature.default_reason(),
        };
        let multivariate = answers.multivariate(answer);
        let (value, variant, reason) = match multivariate.and_then(|chosen| Some((chosen, option(chosen)?))) {
            None => {
                let control = multivariate.map(|multivariate| answers.text(multivariate.control));
                (control.unwrap_or_else(|| answers.value(answer)), None, reason)
            }
            Some((multivariate, option)) => match option {
                None => (answers.text(multivariate.control), Some(CONTROL), reason),
                Some(option) => {
                    let weight = answers.text(option.weight);
                    let variant = Some(answers.text(option.variant));
                    (answers.text(option.value), variant, Reason::Split { weight })
                }
            },
        };
        let ready = answer.json.of(&answers.bytes).strip_suffix(b",");
        Some(Flag {
            feature: answers.other_feature(answer).unwrap_or(&feature.reported),
            enabled: answer.enabled,
            value,
            variant,
            reason,
            ready: ready.filter(|_| multivariate.is_none()),
        })
    }
}
