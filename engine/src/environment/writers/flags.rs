//! Flags with their parts.
use std::ops::Range;

use crate::environment::compiled::{Defaults, OverrideRun, Segment};
use crate::environment::evaluation::{Choice, Choices, Evaluation, Writer};
use crate::environment::flag::Flag;

/// Calls a visitor with each flag.
pub(in crate::environment) struct Flags<'a, 'e, V> {
    evaluation: &'a Evaluation<'e>,
    defaults: Option<&'e Defaults>,
    visit: V,
}

impl<'a, 'e, V: FnMut(Flag<'e>)> Flags<'a, 'e, V> {
    /// Visits the flags of these choices.
    pub(in crate::environment) fn write(choices: &Choices<'a, 'e>, visit: V) {
        choices.write(&mut Self {
            evaluation: choices.evaluation(),
            defaults: choices.defaults(),
            visit,
        });
    }

    fn default_flag(&self, place: u32) -> Option<Flag<'e>> {
        let defaults = self.defaults?;
        let feature = self.evaluation.environment().features.get(place)?;
        // A hidden flag has no bytes.
        let ready = defaults.flag(place).strip_suffix(b",")?;
        Some(Flag {
            feature: &feature.reported,
            enabled: feature.enabled,
            value: defaults.value(place),
            variant: None,
            reason: feature.default_reason(),
            metadata: defaults.metadata(place),
            ready: Some(ready),
        })
    }
}

impl<'e, V: FnMut(Flag<'e>)> Writer<'e> for Flags<'_, 'e, V> {
    fn defaults(&mut self, features: Range<u32>) {
        for feature in features {
            self.default_flag(feature).map(&mut self.visit);
        }
    }

    fn run(&mut self, segment: &'e Segment, run: &'e OverrideRun) {
        for own in &segment.overrides {
            if (run.features.0..run.features.1).contains(&own.feature) {
                self.choice(Choice::of_segment(own));
            }
        }
    }

    fn choice(&mut self, choice: Choice<'e>) {
        let evaluation = self.evaluation;
        let environment = evaluation.environment();
        let flag = choice.flag(environment, |multivariate| evaluation.option(multivariate));
        if let Some(flag) = flag {
            (self.visit)(Flag {
                metadata: choice.metadata(environment),
                ..flag
            });
        }
    }
}
