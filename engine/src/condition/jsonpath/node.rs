//! What a query searches: borrowed values.
use crate::condition::Raised;
use crate::condition::budget::{Budget, MEMBER};
use crate::python::PyValue;

/// The whole evaluation context, put together of what an environment and an identity have of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'v> {
    /// `{environment, features, segments}`
    pub(crate) document: &'v PyValue,
    /// `{identity}`, or empty.
    pub(crate) identity: &'v PyValue,
}

/// A value that a query visits.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Node<'v> {
    Value(&'v PyValue),
    Context(Context<'v>),
}

/// The last member of the context: flags are read otherwise, so that none is here.
static NO_FLAGS: PyValue = PyValue::Dict(Vec::new());
const FLAGS: &str = "flags";

impl<'v> Node<'v> {
    /// The values within a list or an object, in order.
    pub(super) fn children(self) -> impl Iterator<Item = &'v PyValue> {
        let (elements, members, more, flags): (&[PyValue], _, _, _) = match self {
            Self::Value(PyValue::List(elements)) => (elements, &[][..], &[][..], None),
            Self::Value(value) => (&[], members(value), &[][..], None),
            Self::Context(Context { document, identity }) => {
                (&[], members(document), members(identity), Some(&NO_FLAGS))
            }
        };
        let members = members.iter().chain(more).map(|(_, value)| value);
        elements.iter().chain(members).chain(flags)
    }

    /// The member of an object.
    pub(super) fn member(self, name: &str, budget: &Budget) -> Result<Option<&'v PyValue>, Raised> {
        match self {
            Self::Value(value) => member(value, name, budget),
            Self::Context(_) if name == FLAGS => Ok(Some(&NO_FLAGS)),
            Self::Context(Context { document, identity }) => Ok(match member(document, name, budget)? {
                Some(value) => Some(value),
                None => member(identity, name, budget)?,
            }),
        }
    }

    pub(super) fn elements(self) -> &'v [PyValue] {
        match self {
            Self::Value(PyValue::List(elements)) => elements,
            _ => &[],
        }
    }

    /// Whether it holds other values.
    pub(super) fn is_container(self) -> bool {
        match self {
            Self::Value(value) => matches!(value, PyValue::List(_) | PyValue::Dict(_)),
            Self::Context(_) => true,
        }
    }

    /// The value, where it is not the whole context.
    pub(super) fn value(self) -> Option<&'v PyValue> {
        match self {
            Self::Value(value) => Some(value),
            Self::Context(_) => None,
        }
    }
}

fn members(value: &PyValue) -> &[(String, PyValue)] {
    match value {
        PyValue::Dict(members) => members,
        _ => &[],
    }
}

/// The member of an object. Its members are compared one by one, and counted.
pub(super) fn member<'v>(
    value: &'v PyValue,
    name: &str,
    budget: &Budget,
) -> Result<Option<&'v PyValue>, Raised> {
    let members = members(value);
    let place = members.iter().position(|(member, _)| member == name);
    let compared = place.map_or(members.len(), |place| place + 1);
    budget.spend_many(compared.saturating_mul(MEMBER))?;
    Ok(place.and_then(|place| members.get(place)).map(|(_, value)| value))
}
