//! What paths find.
use crate::condition::{Budget, Raised, Value};
use crate::python::PyValue;

/// What a path finds.
pub(super) enum Found<'v> {
    /// Nothing, a list or an object: the trait named like the path is read.
    Nothing,
    /// Not set.
    Null,
    Value(Value<'v>),
}

impl<'v> Found<'v> {
    pub(super) fn of(found: Option<&'v PyValue>, budget: &Budget) -> Result<Self, Raised> {
        if let Some(PyValue::String(text)) = found {
            budget.spend_text(text)?;
        }
        match found {
            None => Ok(Self::Nothing),
            Some(PyValue::None) => Ok(Self::Null),
            Some(found) => Ok(Value::from_found(found)?.map_or(Self::Nothing, Self::Value)),
        }
    }
}
