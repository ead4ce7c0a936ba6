//! One identity (or none) as the conditions of one environment see it.
use std::borrow::Cow;
use std::cell::OnceCell;

use smallvec::{SmallVec, smallvec};

use crate::Identity;
use crate::condition::budget::CONTEXT_TRAIT;
use crate::condition::{Budget, Context, Raised, Value};
use crate::environment::compiled::{Environment, IdentityOverride};
use crate::identity::Trait;
use crate::python::PyValue;

static NOTHING: PyValue = PyValue::Dict(Vec::new());

/// Environments that read no more traits need no allocation for them.
const TRAITS_INLINE: usize = 24;

/// What is known of the identity of one evaluation.
pub(super) struct Subject<'e> {
    environment: &'e Environment,
    identity: Option<&'e Identity<'e>>,
    takes_traits: bool,
    traits: SmallVec<[Slot<'e>; TRAITS_INLINE]>,
    key: OnceCell<Option<Cow<'e, str>>>,
    identity_context: OnceCell<PyValue>,
}

/// A trait that segments read.
#[derive(Clone)]
enum Slot<'e> {
    Unset,
    Set(Value<'e>),
    /// The reference raises on reading it.
    Raising,
}

impl<'e> Subject<'e> {
    pub(super) fn new(
        environment: &'e Environment,
        identity: Option<&'e Identity<'e>>,
        takes_traits: bool,
        budget: &Budget,
    ) -> Self {
        let mut traits = smallvec![Slot::Unset; environment.trait_slots.len()];
        for sent in identity
            .filter(|_| takes_traits)
            .map_or(&[][..], Identity::traits)
        {
            let slot = environment
                .trait_slots
                .get(&*sent.key)
                .and_then(|slot| traits.get_mut(*slot as usize));
            // The last of several traits of one key counts.
            if let Some(slot) = slot {
                let value = sent
                    .value
                    .spend_to_read(budget)
                    .and_then(|()| sent.value.to_value());
                *slot = match value {
                    Ok(value) => Slot::Set(value),
                    Err(Raised) => Slot::Raising,
                };
            }
        }
        Self {
            environment,
            identity,
            takes_traits,
            traits,
            key: OnceCell::new(),
            identity_context: OnceCell::new(),
        }
    }

    pub(super) fn trait_value(&self, slot: u32) -> Result<Option<&Value<'e>>, Raised> {
        match self.traits.get(slot as usize) {
            Some(Slot::Set(value)) => Ok(Some(value)),
            Some(Slot::Raising) => Err(Raised),
            Some(Slot::Unset) | None => Ok(None),
        }
    }

    pub(super) fn identifier(&self) -> Option<&'e str> {
        self.identity.map(Identity::identifier)
    }

    /// What the identity overrides itself, in the order of the features.
    #[inline]
    pub(super) fn own_overrides(&self) -> &'e [IdentityOverride] {
        self.identity.map_or(&[], |identity| {
            self.environment.identity_overrides.of(identity.identifier())
        })
    }

    /// The key that percentages are hashed from.
    pub(super) fn key(&self) -> Option<&str> {
        let key = self.key.get_or_init(|| {
            let identity = self.identity?;
            Some(match identity.key() {
                Some(key) => Cow::Borrowed(key),
                None => Cow::Owned([&*self.environment.key_prefix, identity.identifier()].concat()),
            })
        });
        key.as_deref()
    }

    /// The part of the evaluation context that holds the identity: `{identity}`, or nothing without one.
    pub(super) fn identity_context(&self, budget: &Budget) -> Result<&PyValue, Raised> {
        if let Some(context) = self.identity_context.get() {
            return Ok(context);
        }
        for sent in self.sent_traits() {
            budget.spend(CONTEXT_TRAIT)?;
            budget.spend_many(sent.length() / 4)?;
            sent.value.spend_to_read(budget)?;
        }
        Ok(self
            .identity_context
            .get_or_init(|| PyValue::Dict(self.identity_member().into_iter().collect())))
    }

    /// The whole evaluation context. `dependencies` resolves the flags that segments read.
    pub(super) fn context(&self, budget: &Budget) -> Result<Context<'_>, Raised> {
        Ok(Context {
            document: self.environment.context.as_ref().unwrap_or(&NOTHING),
            identity: self.identity_context(budget)?,
        })
    }

    fn sent_traits(&self) -> &'e [Trait<'e>] {
        self.identity
            .filter(|_| self.takes_traits)
            .map_or(&[], Identity::traits)
    }

    fn identity_member(&self) -> Option<(String, PyValue)> {
        let identity = self.identity?;
        let mut traits = Vec::new();
        let mut places = hashbrown::HashMap::new();
        for sent in self.sent_traits() {
            let place = *places.entry(&*sent.key).or_insert(traits.len());
            let value = sent.value.to_python();
            match traits.get_mut(place) {
                Some((_, earlier)) => *earlier = value,
                None => traits.push((sent.key.as_ref().to_owned(), value)),
            }
        }
        let key = self.key().unwrap_or_default().to_owned();
        let members = vec![
            (
                "identifier".to_owned(),
                PyValue::String(identity.identifier().to_owned()),
            ),
            ("traits".to_owned(), PyValue::Dict(traits)),
            ("key".to_owned(), PyValue::String(key)),
        ];
        Some(("identity".to_owned(), PyValue::Dict(members)))
    }
}
