//! Multivariate options of a feature state.
use serde_json::value::RawValue;

use super::reading::{elements, problem};
use super::warnings::Warnings;
use crate::document::parts::{FeatureState, MultivariateValue};
use crate::environment::compiled::{Answers, Multivariate, MultivariateOption, Span};
use crate::environment::flag::Reason;
use crate::json::{Kind, decode_string};
use crate::python::{Integer, PyValue};

/// An option's place among the others: negative numbers, then the rest by size.
type Order = (bool, u128);

/// Whether the feature state has multivariate options.
pub(super) fn is_multivariate(state: &FeatureState<'_>) -> bool {
    let values = state
        .multivariate_feature_state_values
        .map_or("[]", RawValue::get);
    Kind::of(values) == Kind::List && !values.trim_start_matches('[').trim_start().starts_with(']')
}

/// Compiles the options; `None`: the feature state is not multivariate. `reason` is why the feature state was chosen.
pub(super) fn compile(
    state: &FeatureState<'_>,
    reason: Reason<'_>,
    answers: &mut Answers,
    part: &dyn Fn() -> String,
    warnings: &mut Warnings,
) -> Option<Multivariate> {
    if !is_multivariate(state) {
        return None;
    }
    let mut options = Vec::new();
    for json in elements(
        state
            .multivariate_feature_state_values
            .map_or("[]", RawValue::get),
    ) {
        match read_option(json) {
            Ok(option) => options.push(option),
            Err(problem) => {
                warnings.push(
                    &part(),
                    &format!("a multivariate option: {problem}; it is left out"),
                );
            }
        }
    }
    let key = feature_state_key(state.django_id, state.featurestate_uuid).unwrap_or_else(|| {
        warnings.push(
            &part(),
            "it has neither django_id nor featurestate_uuid; its percentages are not core's",
        );
        String::new()
    });
    if options.iter().all(|option| option.order.is_some()) {
        options.sort_by_key(|option| option.order);
    } else {
        warnings.push(
            &part(),
            "multivariate options without a usable id; they are tried in document order",
        );
    }
    let mut start = 0.0;
    let options = options
        .into_iter()
        .map(|option| option.compile(&mut start, answers))
        .collect();
    Some(Multivariate {
        key: key.into(),
        options,
        control: answers.write_control(state.value(), reason),
        end: Span::default(),
    })
}

/// An option that could be read.
struct ReadOption<'a> {
    order: Option<Order>,
    weight: f64,
    weight_text: String,
    value: &'a str,
    key: &'a str,
}

impl ReadOption<'_> {
    /// The option's range starts where the one before ended.
    fn compile(self, start: &mut f64, answers: &mut Answers) -> MultivariateOption {
        let (from, end) = (*start, self.weight + *start);
        *start = end;
        answers.write_option((from, end), &self.weight_text, self.value, self.key)
    }
}

fn read_option(json: &RawValue) -> Result<ReadOption<'_>, String> {
    let option: MultivariateValue<'_> =
        serde_json::from_str(json.get()).map_err(|error| problem(&error).into_owned())?;
    let allocation = PyValue::from_json(option.percentage_allocation).ok();
    let Some((weight, weight_text)) = allocation.and_then(|weight| Some((number(&weight)?, weight.text())))
    else {
        return Err("its percentage_allocation is not a number".to_owned());
    };
    Ok(ReadOption {
        order: order(&option),
        weight,
        weight_text,
        value: option
            .multivariate_feature_option
            .value
            .map_or("null", RawValue::get),
        key: option
            .multivariate_feature_option
            .key
            .map_or("null", RawValue::get),
    })
}

/// By `id`, or, where that is null, 0 or absent, by `mv_fs_value_uuid`.
fn order(option: &MultivariateValue<'_>) -> Option<Order> {
    let id = option
        .id
        .and_then(|id| PyValue::from_json(id).ok())
        .filter(PyValue::is_truthy);
    match id {
        Some(PyValue::Integer(id)) => Some(integer_order(&id)),
        Some(PyValue::Boolean(id)) => Some((true, u128::from(id))),
        Some(_) => None,
        None => Some((
            true,
            uuid_integer(&decode_string(option.mv_fs_value_uuid?.get())?)?,
        )),
    }
}

fn integer_order(id: &Integer) -> Order {
    let text = id.to_string();
    match text.strip_prefix('-') {
        Some(magnitude) => (false, u128::MAX - magnitude.parse().unwrap_or(u128::MAX)),
        None => (true, text.parse().unwrap_or(u128::MAX)),
    }
}

/// The integer value of a UUID in the spellings that Python's `uuid.UUID` accepts.
pub(super) fn uuid_integer(text: &str) -> Option<u128> {
    let text = text.replace("urn:", "").replace("uuid:", "");
    let digits = text.trim_matches(['{', '}']).replace('-', "");
    let all_hex = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(&digits, 16).ok().filter(|_| all_hex)
}

/// The key of a feature state: `django_id`, or, where that is null, 0 or absent, `featurestate_uuid`.
pub(super) fn feature_state_key(
    django_id: Option<&RawValue>,
    featurestate_uuid: Option<&RawValue>,
) -> Option<String> {
    let read = |json: &RawValue| PyValue::from_json(json).ok();
    let key = django_id
        .and_then(read)
        .filter(PyValue::is_truthy)
        .or_else(|| featurestate_uuid.and_then(read))?;
    Some(key.text())
}

/// A number as a float.
pub(super) fn number(value: &PyValue) -> Option<f64> {
    match value {
        PyValue::Boolean(boolean) => Some(f64::from(*boolean)),
        PyValue::Integer(Integer::Small(number)) => Some(*number as f64),
        PyValue::Integer(number) => number.to_string().parse().ok(),
        PyValue::Float(number) => Some(*number),
        _ => None,
    }
}
