//! What conditions read of other flags.
use std::borrow::Cow;

use super::found::Found;
use super::segments::Evaluation;
use crate::condition::budget::{FLAG, FLAG_RESULT};
use crate::condition::{Node, Query, Raised, Value};
use crate::environment::compiled::Multivariate;
use crate::environment::flag::Flag;
use crate::python::PyValue;

impl<'e> Evaluation<'e> {
    /// What a path finds in the result of another flag.
    pub(super) fn find_in_flag(&self, feature: Option<u32>, rest: &Query) -> Result<Found<'static>, Raised> {
        let result = self.flag_result(feature)?;
        let found = rest.first(Node::Value(&result), &self.budget)?;
        Ok(match Found::of(found, &self.budget)? {
            Found::Nothing => Found::Nothing,
            Found::Null => Found::Null,
            Found::Value(Value::Boolean(boolean)) => Found::Value(Value::Boolean(boolean)),
            Found::Value(Value::Integer(integer)) => Found::Value(Value::Integer(integer)),
            Found::Value(Value::Float(float)) => Found::Value(Value::Float(float)),
            Found::Value(Value::String(text)) => Found::Value(Value::String(Cow::Owned(text.into_owned()))),
        })
    }

    /// The result of another flag as conditions see it; an unresolved one is null.
    pub(super) fn flag_result(&self, feature: Option<u32>) -> Result<PyValue, Raised> {
        self.budget.spend(FLAG)?;
        let choice = match self.dependencies.as_ref().zip(feature) {
            Some((dependencies, feature)) => {
                dependencies.read(feature, &self.budget, &|place| self.segment_matches(place))?
            }
            None => None,
        };
        self.budget
            .spend(if choice.is_some() { FLAG_RESULT } else { 0 })?;
        let key = self.subject.key();
        let multivariate = choice.and_then(|choice| self.environment.answers.multivariate(choice.answer));
        if let Some((multivariate, key)) = multivariate.zip(key) {
            self.budget.spend_hash(&multivariate.key, key)?;
        }
        let option = |multivariate: &'e Multivariate| key.map(|key| multivariate.choose(key));
        let flag = choice.and_then(|choice| choice.flag(self.environment, option));
        Ok(flag.and_then(Flag::to_python).unwrap_or(PyValue::None))
    }
}
