//! Conditions that keep a segment from matching, or make it match, in words.
use super::nearest::{Effort, nearest};
use super::remarks::remark;
use super::report::{Bucket, ExplainedCondition, FoundValue, SegmentSplit};
use super::subject::sent_trait;
use super::words::{
    a_type, falls, json_of, named, quoted, raw, rule_place, sent_text, short_raw, shortened, type_of,
};
use crate::condition::{Split, Value};
use crate::environment::Environment;
use crate::environment::compile::{ConditionSource, SegmentSource};
use crate::environment::evaluation::{Culprit, Fault, Found, Origin, PlacedSplit};
use crate::identity::{Identity, is_of_cohort};

/// What conditions are asked about.
pub(super) struct Asked<'a> {
    pub identity: Option<&'a Identity<'a>>,
    pub traits_count: bool,
    /// The names of the traits that segments read, by their slots.
    pub trait_names: Vec<&'a str>,
    /// For the traits of all conditions together: there may be thousands that are not set.
    pub effort: Effort,
}

impl<'a> Asked<'a> {
    pub(super) fn new(
        environment: &'a Environment,
        identity: Option<&'a Identity<'a>>,
        traits_count: bool,
    ) -> Self {
        Self {
            identity,
            traits_count,
            trait_names: environment.traits_by_slot(),
            effort: Effort::new(),
        }
    }

    /// Explains what a condition, or a rule, has to do with it that the segment `matches`, or does not.
    pub(super) fn condition(
        &self,
        culprit: &Culprit<'_>,
        segment: &SegmentSource<'_>,
        matches: bool,
    ) -> ExplainedCondition {
        let rule_types = segment.rule_types(&culprit.place);
        // A rule that cannot be read stands for itself: it has no conditions.
        let is_rule = rule_types.len() < culprit.place.rules.len();
        let source = segment.condition(&culprit.place);
        let found = match &culprit.asked.found {
            Found::Value(value) => Some(value),
            Found::NotSet | Found::Unreadable => None,
        };
        ExplainedCondition {
            rule: rule_place(&culprit.place.rules),
            condition: culprit
                .place
                .condition
                .filter(|_| !is_rule)
                .map(|place| place + 1),
            outcome: outcome(culprit.fault),
            found: found.map(|value| FoundValue {
                value: raw(&json_of(value)),
                r#type: type_of(value),
                is_text_read_as_number: self.text_read_as(culprit, value).is_some(),
            }),
            split: culprit.asked.split.map(bucket),
            says: match matches {
                true => self.ground(culprit, source.as_ref()),
                false if is_rule => unreadable("rule"),
                false => self.sentence(culprit, source.as_ref(), &segment.id),
            },
            rule_types,
            value: source.as_ref().map(|source| short_raw(source.value)),
            operator: source.as_ref().map(|source| shortened(&source.operator).into()),
            property: source.map(|source| source.property),
        }
    }

    /// Why a segment matches.
    fn ground(&self, culprit: &Culprit<'_>, source: Option<&ConditionSource<'_>>) -> String {
        let Some(source) = source else {
            return "the rule is empty, so it holds".to_owned();
        };
        let finding = self.finding(culprit, source);
        let finding = match culprit.fault {
            Fault::Holds => finding,
            _ => format!("{finding}, so it does not hold, and must not"),
        };
        self.with_remark(finding, culprit, source)
    }

    /// Why a segment does not match.
    fn sentence(
        &self,
        culprit: &Culprit<'_>,
        source: Option<&ConditionSource<'_>>,
        segment_id: &str,
    ) -> String {
        match (culprit.fault, source) {
            (Fault::EmptyRuleHolds, _) => "the rule is empty, so it holds, and it must not".to_owned(),
            (Fault::UnknownType, _) => {
                "the rule's type is none of ALL, ANY and NONE, so the segment does not match".to_owned()
            }
            (Fault::TooDeep, _) => "rules are nested too deep, so the segment does not match".to_owned(),
            (_, None) => unreadable("condition"),
            (Fault::Raises, Some(source)) => {
                let is_read = !matches!(culprit.asked.found, Found::Unreadable);
                let problem = is_read.then(|| source.problem(segment_id)).flatten();
                problem.unwrap_or_else(|| {
                    format!(
                        "{}; Flagsmith's engine fails on it, so the segment does not match",
                        self.finding(culprit, source)
                    )
                })
            }
            (Fault::Holds, Some(source)) => {
                format!("{}, so it holds, and it must not", self.finding(culprit, source))
            }
            (Fault::DoesNotHold, Some(source)) => {
                self.with_remark(self.finding(culprit, source), culprit, source)
            }
        }
    }

    fn with_remark(&self, finding: String, culprit: &Culprit<'_>, source: &ConditionSource<'_>) -> String {
        let remark = match &culprit.asked.found {
            Found::Value(value) => {
                let holds = culprit.fault == Fault::Holds;
                remark(&source.operator, &source.python_value, value, holds)
            }
            Found::NotSet | Found::Unreadable => None,
        };
        match remark {
            Some(remark) => format!("{finding}; {remark}"),
            None => finding,
        }
    }

    /// What the condition found.
    fn finding(&self, culprit: &Culprit<'_>, source: &ConditionSource<'_>) -> String {
        let shown = named(&source.property);
        if source.operator == "PERCENTAGE_SPLIT" {
            return self.split_finding(culprit, source);
        }
        match &culprit.asked.found {
            Found::Unreadable => format!("{shown} cannot be read"),
            Found::NotSet => self.missing(culprit, &shown),
            Found::Value(value) => match self.text_read_as(culprit, value) {
                Some(text) => format!(
                    "{shown} is {}, text that conditions read as the number {}",
                    quoted(text),
                    json_of(value)
                ),
                None => format!("{shown} is {}, {}", json_of(value), a_type(value)),
            },
        }
    }

    fn split_finding(&self, culprit: &Culprit<'_>, source: &ConditionSource<'_>) -> String {
        let property = &source.property;
        match (culprit.asked.split, &culprit.asked.found) {
            (Some(Split { bucket, limit }), _) => falls(property, bucket, limit),
            (None, Found::Unreadable) => format!("{} cannot be read", named(property)),
            // There is something to split by, and no number to split at.
            (None, Found::Value(_)) => format!(
                "the percentage {} is no number, so it holds for nobody",
                shortened(source.value)
            ),
            (None, Found::NotSet) if self.identity.is_none() => "there is no identity to split by".to_owned(),
            (None, Found::NotSet) => format!("there is no {} to split by", named(property)),
        }
    }

    /// Why a property, as it is shown, is not set.
    fn missing(&self, culprit: &Culprit<'_>, shown: &str) -> String {
        let Some(key) = self.trait_key(&culprit.asked.origin) else {
            return format!("{shown} finds nothing");
        };
        if is_of_cohort(key) {
            return format!("{shown} is not set, because nobody is in a cohort here");
        }
        let Some(identity) = self.identity else {
            return format!("{shown} is not set, because there is no identity");
        };
        let is_sent = sent_trait(identity, key).is_some();
        if !self.traits_count && is_sent {
            return format!(
                "{shown} is sent, and does not count: the environment takes no traits with client-side keys"
            );
        }
        if identity.unset().any(|unset| unset == key) {
            return format!("{shown} is sent as null, which is not set");
        }
        // Another name would not be set either where traits do not count.
        let sent = identity.traits().iter().filter(|_| self.traits_count);
        match nearest(key, sent.map(|sent| sent.key.as_ref()), &self.effort) {
            Some((near, _)) => format!("{shown} is not set; {} is: misspelt?", quoted(near)),
            None => format!("{shown} is not set"),
        }
    }

    /// The trait that was read, or would have been; `None`: something else is asked for.
    fn trait_key(&self, origin: &Origin) -> Option<&'a str> {
        match origin {
            Origin::Trait(slot) => self.trait_names.get(*slot as usize).copied(),
            Origin::NumberText(_) | Origin::Elsewhere => None,
        }
    }

    /// The text that is read as the number that was found; `None`: no text is.
    fn text_read_as<'c>(&'c self, culprit: &'c Culprit<'_>, value: &Value<'_>) -> Option<&'c str> {
        let text = match &culprit.asked.origin {
            Origin::NumberText(text) => Some(text.as_str()),
            origin => sent_text(&sent_trait(self.identity?, self.trait_key(origin)?)?.value),
        };
        text.filter(|_| matches!(value, Value::Integer(_) | Value::Float(_)))
    }
}

/// That a condition, or a rule, cannot be read.
fn unreadable(what: &str) -> String {
    format!("the {what} cannot be read (see the warnings in the log), so the segment does not match")
}

/// A percentage split of a segment.
pub(super) fn segment_split(own: &PlacedSplit, segment: &SegmentSource<'_>) -> SegmentSplit {
    SegmentSplit {
        rule: rule_place(&own.place.rules),
        condition: own.place.condition.map_or(0, |place| place + 1),
        property: segment
            .condition(&own.place)
            .map_or_else(String::new, |source| source.property),
        split: own.split.map(bucket),
    }
}

fn bucket(Split { bucket, limit }: Split) -> Bucket {
    Bucket { bucket, limit }
}

fn outcome(fault: Fault) -> &'static str {
    match fault {
        Fault::DoesNotHold => "does_not_hold",
        Fault::Holds => "holds",
        Fault::Raises => "cannot_be_evaluated",
        Fault::EmptyRuleHolds => "empty_rule_holds",
        Fault::UnknownType => "rule_of_unknown_type",
        Fault::TooDeep => "nested_too_deep",
    }
}
