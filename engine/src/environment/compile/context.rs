//! The reference's evaluation context, for the rare path that needs more of it than an identity and its traits.
use std::cell::OnceCell;

use num_bigint::BigInt;

use super::multivariate::uuid_integer;
use crate::document::Outline;
use crate::json::to_python;
use crate::python::{Integer, PyValue};

/// The part of the evaluation context that is the same for every identity, built when a path needs it.
pub(super) struct StaticContext<'o> {
    outline: &'o Outline<'o>,
    whole: OnceCell<PyValue>,
}

impl<'o> StaticContext<'o> {
    pub(super) fn new(outline: &'o Outline<'o>) -> Self {
        Self {
            outline,
            whole: OnceCell::new(),
        }
    }

    /// `{key, name}`
    pub(super) fn environment(&self) -> PyValue {
        dict([
            ("key", PyValue::String(self.outline.api_key.as_ref().to_owned())),
            ("name", to_python(self.outline.name_json).unwrap_or(PyValue::None)),
        ])
    }

    /// `{environment, features, segments}`
    pub(super) fn whole(&self) -> &PyValue {
        self.whole.get_or_init(|| {
            let features = by_key(self.outline.feature_states, feature_context);
            let segments = by_key(self.outline.segments, segment_context);
            dict([
                ("environment", self.environment()),
                ("features", features),
                ("segments", segments),
            ])
        })
    }
}

/// A list of the document as an object. As in Python, the last value of a key counts, at the place of the first.
fn by_key(list: &str, convert: fn(&PyValue) -> Option<(String, PyValue)>) -> PyValue {
    let mut members: Vec<(String, PyValue)> = Vec::new();
    let mut places = hashbrown::HashMap::new();
    if let Some(PyValue::List(list)) = to_python(list) {
        for (key, value) in list.iter().filter_map(convert) {
            let place = *places.entry(key.clone()).or_insert(members.len());
            match members.get_mut(place) {
                Some((_, earlier)) => *earlier = value,
                None => members.push((key, value)),
            }
        }
    }
    PyValue::Dict(members)
}

fn feature_context(state: &PyValue) -> Option<(String, PyValue)> {
    let feature = state.member("feature")?;
    let PyValue::String(name) = feature.member("name")? else {
        return None;
    };
    let key = state
        .member("django_id")
        .filter(|id| id.is_truthy())
        .or_else(|| state.member("featurestate_uuid"));
    let mut members = vec![
        (
            "key".to_owned(),
            PyValue::String(key.map(PyValue::text).unwrap_or_default()),
        ),
        ("name".to_owned(), PyValue::String(name.clone())),
        ("enabled".to_owned(), or_none(state.member("enabled"))),
        ("value".to_owned(), or_none(state.member("feature_state_value"))),
        (
            "metadata".to_owned(),
            dict([("id", or_none(feature.member("id")))]),
        ),
    ];
    if let Some(PyValue::List(values)) = state.member("multivariate_feature_state_values")
        && !values.is_empty()
    {
        members.push((
            "variants".to_owned(),
            PyValue::List(values.iter().map(variant).collect()),
        ));
    }
    if let Some(segment) = state
        .member("feature_segment")
        .filter(|segment| segment.is_truthy())
    {
        members.push(("priority".to_owned(), or_none(segment.member("priority"))));
    }
    Some((name.clone(), PyValue::Dict(members)))
}

fn variant(value: &PyValue) -> PyValue {
    let option = value
        .member("multivariate_feature_option")
        .unwrap_or(&PyValue::None);
    let order = match value.member("id").filter(|id| id.is_truthy()) {
        Some(id) => id.clone(),
        None => match value.member("mv_fs_value_uuid") {
            Some(PyValue::String(uuid)) => uuid_integer(uuid).map_or(PyValue::None, |order| {
                PyValue::Integer(Integer::Big(BigInt::from(order)))
            }),
            _ => PyValue::None,
        },
    };
    let mut members = vec![
        ("value".to_owned(), or_none(option.member("value"))),
        (
            "weight".to_owned(),
            or_none(value.member("percentage_allocation")),
        ),
        ("priority".to_owned(), order),
    ];
    if let Some(key) = option.member("key").filter(|key| **key != PyValue::None) {
        members.push(("key".to_owned(), key.clone()));
    }
    PyValue::Dict(members)
}

fn segment_context(segment: &PyValue) -> Option<(String, PyValue)> {
    let id = segment.member("id")?;
    let overrides = list(segment.member("feature_states"));
    let context = dict([
        ("key", PyValue::String(id.text())),
        ("name", or_none(segment.member("name"))),
        (
            "rules",
            PyValue::List(list(segment.member("rules")).iter().map(rule_context).collect()),
        ),
        (
            "overrides",
            PyValue::List(
                overrides
                    .iter()
                    .filter_map(feature_context)
                    .map(|(_, context)| context)
                    .collect(),
            ),
        ),
        (
            "metadata",
            dict([("id", id.clone()), ("source", PyValue::String("api".to_owned()))]),
        ),
    ]);
    Some((id.text(), context))
}

fn rule_context(rule: &PyValue) -> PyValue {
    let condition = |condition: &PyValue| {
        let property = ["property_", "property"]
            .into_iter()
            .find_map(|name| condition.member(name));
        dict([
            ("property", or_none(property)),
            ("operator", or_none(condition.member("operator"))),
            ("value", or_none(condition.member("value"))),
        ])
    };
    dict([
        ("type", or_none(rule.member("type"))),
        (
            "conditions",
            PyValue::List(list(rule.member("conditions")).iter().map(condition).collect()),
        ),
        (
            "rules",
            PyValue::List(list(rule.member("rules")).iter().map(rule_context).collect()),
        ),
    ])
}

fn dict<const N: usize>(members: [(&str, PyValue); N]) -> PyValue {
    PyValue::Dict(
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    )
}

fn or_none(value: Option<&PyValue>) -> PyValue {
    value.cloned().unwrap_or(PyValue::None)
}

fn list(value: Option<&PyValue>) -> &[PyValue] {
    match value {
        Some(PyValue::List(list)) => list,
        _ => &[],
    }
}
