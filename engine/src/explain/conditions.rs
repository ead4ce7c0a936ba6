//! Conditions that keep a segment from matching, or make it match, in words.
use super::nearest::{Effort, nearest};
use super::remarks::remark;
use super::report::{Bucket, ExplainedCondition, FoundValue, SegmentSplit};
use super::subject::sent_trait;
use super::words::{
    a_type, json_of, percent, quoted, raw, rule_place, sent_text, share, short_raw, shortened, type_of,
};
use crate::condition::{Split, Value};
use crate::environment::compile::{ConditionSource, SegmentSource};
use crate::environment::evaluation::{Culprit, Fault, Found, PlacedSplit};
use crate::identity::{Identity, is_of_cohort};

/// What a path to an identity's trait starts with.
const TRAIT_PATH: &str = "$.identity.traits.";

/// What conditions are asked about.
pub(super) struct Asked<'a> {
    pub identity: Option<&'a Identity<'a>>,
    pub traits_count: bool,
    /// For the traits of all conditions together: there may be thousands that are not set.
    pub effort: Effort,
}

impl Asked<'_> {
    /// Explains what a condition, or a rule, has to do with it that the segment `matches`, or does not.
    pub(super) fn condition(
        &self,
        culprit: &Culprit<'_>,
        segment: &SegmentSource<'_>,
        matches: bool,
    ) -> ExplainedCondition {
        let source = segment.condition(&culprit.place);
        let found = match &culprit.found {
            Found::Value(value) => Some(value),
            Found::NotSet | Found::Unreadable => None,
        };
        let property = source.as_ref().map_or("", |source| source.property.as_str());
        ExplainedCondition {
            rule: rule_place(&culprit.place.rules),
            rule_types: segment.rule_types(&culprit.place),
            condition: culprit.place.condition.map(|place| place + 1),
            outcome: outcome(culprit.fault),
            found: found.map(|value| FoundValue {
                value: raw(&json_of(value)),
                r#type: type_of(value),
                is_text_read_as_number: self.text_read_as(property, value).is_some(),
            }),
            split: culprit.split.map(bucket),
            says: match matches {
                true => self.ground(culprit, source.as_ref()),
                false => self.sentence(culprit, source.as_ref(), &segment.id),
            },
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
            (_, None) => {
                "the condition cannot be read (see the warnings in the log), so the segment does not match"
                    .to_owned()
            }
            (Fault::Raises, Some(source)) => {
                let problem = source.problem(segment_id);
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
        let remark = match (&culprit.found, source.python_value()) {
            (Found::Value(value), Some(condition)) => {
                remark(&source.operator, &condition, value, culprit.fault == Fault::Holds)
            }
            _ => None,
        };
        match remark {
            Some(remark) => format!("{finding}; {remark}"),
            None => finding,
        }
    }

    /// What the condition found.
    fn finding(&self, culprit: &Culprit<'_>, source: &ConditionSource<'_>) -> String {
        let property = &source.property;
        if source.operator == "PERCENTAGE_SPLIT" {
            return self.split_finding(culprit, source);
        }
        match &culprit.found {
            Found::Unreadable => format!("{} cannot be read", shortened(property)),
            Found::NotSet => self.missing(property),
            Found::Value(value) => match self.text_read_as(property, value) {
                Some(text) => format!(
                    "{} is {}, text that conditions read as the number {}",
                    shortened(property),
                    quoted(text),
                    json_of(value)
                ),
                None => format!("{} is {}, {}", shortened(property), json_of(value), a_type(value)),
            },
        }
    }

    fn split_finding(&self, culprit: &Culprit<'_>, source: &ConditionSource<'_>) -> String {
        let property = &source.property;
        let by = if property.trim().is_empty() {
            "the identity"
        } else {
            property
        };
        match culprit.split {
            Some(Split { bucket, limit }) => {
                let relation = if bucket <= limit { "within" } else { "above" };
                format!(
                    "{} falls at {} %, {relation} the first {} %",
                    shortened(by),
                    percent(bucket, limit),
                    share(limit)
                )
            }
            // There is something to split by, and no number to split at.
            None if matches!(culprit.found, Found::Value(_)) => format!(
                "the percentage {} is no number, so it holds for nobody",
                shortened(source.value)
            ),
            None if self.identity.is_none() => "there is no identity to split by".to_owned(),
            None => format!("there is no {} to split by", shortened(by)),
        }
    }

    /// Why a property is not set.
    fn missing(&self, property: &str) -> String {
        let shown = shortened(property);
        let Some(key) = self.trait_key(property) else {
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
        let sent = identity.traits().iter().map(|sent| sent.key.as_ref());
        match nearest(key, sent, &self.effort) {
            Some((near, _)) => format!("{shown} is not set; {} is: misspelt?", quoted(near)),
            None => format!("{shown} is not set"),
        }
    }

    /// The trait that a property names; `None`: it names something else.
    fn trait_key<'p>(&self, property: &'p str) -> Option<&'p str> {
        match property.strip_prefix("$.") {
            None => Some(property),
            Some(_) => property.strip_prefix(TRAIT_PATH),
        }
    }

    /// The text that the trait was sent as, where conditions read it as a number.
    fn text_read_as(&self, property: &str, value: &Value<'_>) -> Option<&str> {
        let sent = match property {
            "$.identity.identifier" => self.identity.map(Identity::identifier),
            _ => sent_text(&sent_trait(self.identity?, self.trait_key(property)?)?.value),
        };
        sent.filter(|_| matches!(value, Value::Integer(_) | Value::Float(_)))
    }
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
