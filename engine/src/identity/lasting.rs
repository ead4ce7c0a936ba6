//! What Flagsmith would store of an identity: nothing of a transient one, and no transient trait.
use std::borrow::Cow;

use super::Identity;

/// A trait to be stored with its identity.
#[derive(Clone, PartialEq, Eq)]
pub struct LastingTrait<'i> {
    /// Its key.
    pub key: &'i str,
    /// Its value as JSON; `None`: the identity is to have no such trait any more.
    pub value: Option<Cow<'i, str>>,
}

impl Identity<'_> {
    /// Whether nothing of it is to be stored: it says so, or has no identifier of its own.
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// Whether it comes with any trait to be stored.
    pub fn has_lasting_traits(&self) -> bool {
        !self.unset.is_empty() || self.traits.iter().any(|sent| !sent.transient)
    }

    /// Its traits to be stored: first those to be taken away, then those to be set, in the order sent. Of several with one key
    /// the last counts.
    pub fn lasting_traits(&self) -> impl Iterator<Item = LastingTrait<'_>> {
        let unset = self.unset.iter().map(|key| LastingTrait { key, value: None });
        let set = self.traits.iter().filter(|sent| !sent.transient);
        unset.chain(set.map(|sent| LastingTrait {
            key: &sent.key,
            value: Some(sent.value_json()),
        }))
    }
}
