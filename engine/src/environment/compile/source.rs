//! A document's own words, in the places to which they were compiled: for explanations. What is compiled keeps none of them.
use std::borrow::Cow;

use hashbrown::HashMap;
use serde_json::value::RawValue;

use super::feature_states;
use super::reading::elements;
use super::rules::SaidCondition;
use super::segments;
use super::warnings::Warnings;
use crate::DocumentError;
use crate::condition::{Matcher, RegexCache};
use crate::document::{Document, Outline, parts};
use crate::environment::evaluation::Place;
use crate::json::{Kind, decode_string};
use crate::python::PyValue;

/// What a document says.
pub(crate) struct DocumentSource<'d> {
    outline: Outline<'d>,
    /// In the order in which they are compiled.
    pub segments: Vec<SegmentSource<'d>>,
}

/// What a document says of a segment.
pub(crate) struct SegmentSource<'d> {
    pub id: String,
    rules: Option<&'d RawValue>,
    feature_states: Option<&'d RawValue>,
}

/// What a document says of a condition.
pub(crate) struct ConditionSource<'d> {
    pub property: String,
    pub operator: String,
    /// JSON.
    pub value: &'d str,
    /// The same as Python reads it.
    pub python_value: PyValue,
}

impl<'d> DocumentSource<'d> {
    pub(crate) fn read(document: &'d Document) -> Result<Self, DocumentError> {
        let outline = Outline::read(document)?;
        let segments = segments::find(&outline, &mut Warnings::default());
        Ok(Self {
            segments: segments
                .into_iter()
                .map(|found| SegmentSource {
                    id: found.id,
                    rules: found.segment.rules,
                    feature_states: found.segment.feature_states,
                })
                .collect(),
            outline,
        })
    }

    /// The values of the environment's features, JSON, by their names.
    pub(crate) fn values(&self) -> HashMap<Cow<'d, str>, &'d str> {
        let states = elements(self.outline.feature_states);
        let states = states
            .into_iter()
            .filter_map(|json| feature_states::read(json).ok());
        // The last feature state of a name counts.
        states
            .map(|state| (state.feature.name.0.clone(), state.value()))
            .collect()
    }
}

impl<'d> SegmentSource<'d> {
    /// The priority of each feature that it overrides, by the feature's name; the weakest is infinite.
    pub(crate) fn priorities(&self) -> HashMap<Cow<'d, str>, f64> {
        let mut priorities: HashMap<Cow<'d, str>, f64> = HashMap::new();
        let warnings = &mut Warnings::default();
        for json in segments::overrides(self.feature_states, "", warnings) {
            let Ok(state) = feature_states::read(json) else {
                continue;
            };
            let priority = segments::priority(&state, "", warnings);
            let strongest = priorities
                .entry(state.feature.name.0.clone())
                .or_insert(f64::INFINITY);
            *strongest = strongest.min(priority);
        }
        priorities
    }

    /// The types of the rules on the way to a place, outermost first, as the document has them.
    pub(crate) fn rule_types(&self, place: &Place) -> Vec<String> {
        let (mut rules, mut types) = (self.rules, Vec::new());
        for place in &place.rules {
            let Some(rule) = element(rules, *place).and_then(read_rule) else {
                break;
            };
            let r#type = rule.r#type.and_then(|json| decode_string(json.get()));
            types.push(r#type.map_or_else(|| "?".to_owned(), Cow::into_owned));
            rules = rule.rules;
        }
        types
    }

    /// The condition in a place; `None`: there is none that could be read.
    pub(crate) fn condition(&self, place: &Place) -> Option<ConditionSource<'d>> {
        let (last, outer) = place.rules.split_last()?;
        let mut rules = self.rules;
        for place in outer {
            rules = read_rule(element(rules, *place)?)?.rules;
        }
        let rule = read_rule(element(rules, *last)?)?;
        let json = element(rule.conditions, place.condition?)?;
        let SaidCondition {
            property,
            operator,
            value,
        } = SaidCondition::read(json).ok()?;
        let condition: parts::Condition<'d> = serde_json::from_str(json.get()).ok()?;
        Some(ConditionSource {
            property,
            operator,
            python_value: value,
            value: condition.value.0.map_or("null", RawValue::get),
        })
    }
}

impl ConditionSource<'_> {
    /// Why it cannot be evaluated, where that does not depend on who asks.
    pub(crate) fn problem(&self, segment_id: &str) -> Option<String> {
        let regexes = &mut RegexCache::default();
        let (_, problem) = Matcher::compile(&self.operator, &self.python_value, segment_id, regexes);
        problem
    }
}

/// The element of a list; `None`: it is no list, or shorter.
fn element(list: Option<&RawValue>, place: u32) -> Option<&RawValue> {
    let list = list.filter(|list| Kind::of(list.get()) == Kind::List)?;
    elements(list.get()).get(place as usize).copied()
}

fn read_rule(json: &RawValue) -> Option<parts::Rule<'_>> {
    let is_object = Kind::of(json.get()) == Kind::Object;
    serde_json::from_str(json.get()).ok().filter(|_| is_object)
}
