//! Who is asked about.
use hashbrown::HashMap;

use super::nearest::{Effort, nearest};
use super::report::{ExplainedIdentity, ExplainedTrait, NearestIdentifier};
use super::words::{json_of, raw, sent_text, sent_type, short_raw};
use crate::condition::Value;
use crate::environment::Environment;
use crate::identity::{Identity, Trait};

/// What is known of the identity of an answer, as the key's kind lets it count (`traits_count`).
pub(super) fn explain_identity(
    environment: &Environment,
    identity: &Identity<'_>,
    traits_count: bool,
) -> ExplainedIdentity {
    let identifier = identity.identifier();
    let overrides = environment.features_overridden_for(identifier);
    let near = (!identity.is_transient() && overrides.is_empty())
        .then(|| {
            nearest(
                identifier,
                environment.identifiers_with_overrides(),
                &Effort::new(),
            )
        })
        .flatten();
    let unset = identity.unset().map(|key| ExplainedTrait {
        key: key.to_owned(),
        value: raw("null"),
        r#type: "null",
        read_as: None,
        counts: false,
    });
    let mut last = HashMap::new();
    for (place, sent) in identity.traits().iter().enumerate() {
        last.insert(sent.key.as_ref(), place);
    }
    let counts = |place: usize, sent: &Trait<'_>| traits_count && last.get(sent.key.as_ref()) == Some(&place);
    let sent = identity.traits().iter().enumerate();
    let sent = sent.map(|(place, sent)| explain_trait(sent, counts(place, sent)));
    ExplainedIdentity {
        identifier: identifier.to_owned(),
        is_transient: identity.is_transient(),
        traits: sent.chain(unset).collect(),
        traits_count,
        overrides: overrides.into_iter().map(str::to_owned).collect(),
        nearest: near.map(|(identifier, difference)| NearestIdentifier {
            identifier: identifier.to_owned(),
            difference: difference.words(),
        }),
    }
}

fn explain_trait(sent: &Trait<'_>, counts: bool) -> ExplainedTrait {
    let read_as = match (sent_text(&sent.value), sent.value.to_value()) {
        (Some(_), Ok(number @ (Value::Integer(_) | Value::Float(_)))) => Some(raw(&json_of(&number))),
        _ => None,
    };
    ExplainedTrait {
        key: sent.key.as_ref().to_owned(),
        value: short_raw(&sent.value_json()),
        r#type: sent_type(&sent.value),
        read_as,
        counts,
    }
}

/// The last trait of this key that was sent, which is the one that counts.
pub(super) fn sent_trait<'i>(identity: &'i Identity<'_>, key: &str) -> Option<&'i Trait<'i>> {
    identity.traits().iter().rev().find(|sent| sent.key == key)
}
