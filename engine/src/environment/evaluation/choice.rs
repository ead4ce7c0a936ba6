//! A chosen feature state, and the flag that it comes to.
use crate::environment::compiled::{
    Answer, CONTROL, Environment, Feature, IdentityOverride, Multivariate, MultivariateOption,
    SegmentOverride, metadata,
};
use crate::environment::flag::{Flag, Reason};

/// A chosen feature state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'e> {
    /// The place of the feature.
    pub feature: u32,
    pub answer: &'e Answer,
    pub by: ChosenBy,
    /// The segment override, where one was chosen.
    pub segment_override: Option<&'e SegmentOverride>,
}

/// What a feature state was chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChosenBy {
    Default,
    /// The segment in this place.
    Segment(u32),
    Identity,
    /// A plain evaluation, because its flag is in a circular dependency.
    Cycle,
}

impl<'e> Choice<'e> {
    pub(crate) fn of_identity(own: &'e IdentityOverride) -> Self {
        Self {
            feature: own.feature,
            answer: &own.answer,
            by: ChosenBy::Identity,
            segment_override: None,
        }
    }

    pub(crate) fn of_segment(own: &'e SegmentOverride) -> Self {
        Self {
            feature: own.feature,
            answer: &own.answer,
            by: ChosenBy::Segment(own.segment),
            segment_override: Some(own),
        }
    }

    pub(crate) fn of_default((feature, answer): &'e (u32, Answer)) -> Self {
        Self {
            feature: *feature,
            answer,
            by: ChosenBy::Default,
            segment_override: None,
        }
    }

    /// A feature's default, where all have been written because segments read flags.
    pub(crate) fn default_of(environment: &'e Environment, feature: u32) -> Option<Self> {
        let answer = environment.features.get(feature)?.default.as_ref()?;
        Some(Self {
            feature,
            answer,
            by: ChosenBy::Default,
            segment_override: None,
        })
    }

    /// The same feature state, chosen for a flag that is in a circular dependency.
    pub(crate) fn in_cycle(self) -> Self {
        Self {
            by: ChosenBy::Cycle,
            segment_override: None,
            ..self
        }
    }

    /// The flag with its parts, save its metadata. `option` tells the option of a multivariate answer, or that there is none;
    /// `None`: there is no identity.
    pub(crate) fn flag(
        self,
        environment: &'e Environment,
        option: impl FnOnce(&'e Multivariate) -> Option<Option<&'e MultivariateOption>>,
    ) -> Option<Flag<'e>> {
        let Self {
            feature, answer, by, ..
        } = self;
        let answers = &environment.answers;
        let feature = environment.features.get(feature)?;
        let mut flag = Flag {
            feature: answers.other_feature(answer).unwrap_or(&feature.reported),
            enabled: answer.enabled,
            value: "",
            variant: None,
            reason: self.reason(environment),
            metadata: None,
            ready: None,
        };
        let multivariate = answers.multivariate(answer);
        let value = match multivariate.map(|multivariate| (multivariate, option(multivariate))) {
            None => {
                let is_whole = matches!(by, ChosenBy::Default | ChosenBy::Segment(_));
                let ready = answer.json.of(&answers.bytes).strip_suffix(b",");
                flag.ready = ready.filter(|_| is_whole);
                answers.spans(answer).value
            }
            Some((_, Some(Some(option)))) => {
                flag.variant = Some(answers.text(option.variant));
                if by != ChosenBy::Cycle {
                    let weight = answers.text(option.weight);
                    flag.reason = Reason::Split { weight };
                }
                option.value
            }
            Some((multivariate, option)) => {
                flag.variant = option.map(|_| CONTROL);
                multivariate.control.value
            }
        };
        flag.value = answers.text(value);
        Some(flag)
    }

    /// The metadata of the feature state, JSON.
    pub(crate) fn metadata(self, environment: &'e Environment) -> Option<&'e str> {
        let answers = &environment.answers;
        let end = match answers.multivariate(self.answer) {
            Some(multivariate) => multivariate.end,
            None => answers.spans(self.answer).end,
        };
        metadata(answers.text(end))
    }

    /// Why it was chosen.
    fn reason(self, environment: &'e Environment) -> Reason<'e> {
        match self.by {
            ChosenBy::Identity => Reason::IdentityOverride,
            ChosenBy::Segment(place) => Reason::Segment(
                environment
                    .segments
                    .get(place as usize)
                    .map_or("", |segment| &*segment.name),
            ),
            ChosenBy::Default => environment
                .features
                .get(self.feature)
                .map_or(Reason::Static, Feature::default_reason),
            ChosenBy::Cycle => Reason::CircularDependency,
        }
    }
}
