//! Whom a write that was sent on is about: what was written of them in the background is upstream's no more.
use engine::Identity;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The parts of the bodies of `traits/`, `traits/bulk/`, `traits/increment-value/` and `bulk-identities/` that say whom and what
/// they write.
#[derive(Deserialize)]
struct Write<'a> {
    /// Of `traits/`; `traits/increment-value/` names the identity by itself.
    #[serde(borrow)]
    identity: Option<&'a RawValue>,
    trait_key: Option<Value>,
    /// Of `bulk-identities/`: identities as `identities/` takes them.
    #[serde(borrow)]
    data: Option<Vec<&'a RawValue>>,
}

/// Gives each identity that a body writes, and beside the identity's own traits the key of the one that is written. A body that
/// cannot be read, which upstream has taken all the same, gives none.
pub(super) fn for_each(body: &[u8], mut give: impl FnMut(&Identity<'_>, Option<&str>)) {
    if let Ok(writes) = serde_json::from_slice::<Vec<&RawValue>>(body) {
        for write in writes {
            of_one(write.get().as_bytes(), &mut give);
        }
    } else {
        of_one(body, &mut give);
    }
}

fn of_one(body: &[u8], give: &mut impl FnMut(&Identity<'_>, Option<&str>)) {
    let Ok(write) = serde_json::from_slice::<Write<'_>>(body) else {
        return;
    };
    let mut identity = |body: &[u8], key: Option<&str>| {
        // Without an identifier it is nobody that is known here.
        if let Ok(identity) = Identity::from_json(body, || [0; 16])
            && !identity.is_transient()
        {
            give(&identity, key);
        }
    };
    if let Some(identities) = write.data {
        for written in identities {
            identity(written.get().as_bytes(), None);
        }
        return;
    }
    let key = write.trait_key.map(|key| match key {
        Value::String(key) => key,
        other => other.to_string(),
    });
    let named = write.identity.map_or(body, |identity| identity.get().as_bytes());
    identity(named, key.as_deref().map(str::trim));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_write_names_its_identities_and_keys() {
        for (body, expected) in [
            (
                r#"{"identity":{"identifier":" a "},"trait_key":" k ","trait_value":1}"#,
                vec!["a k"],
            ),
            (
                r#" [{"identity":{"identifier":"a"},"trait_key":"k"},{"identity":{"identifier":7},"trait_key":1}]"#,
                vec!["a k", "7 1"],
            ),
            (
                r#"{"identifier":"a","trait_key":"k","increment_by":2}"#,
                vec!["a k"],
            ),
            (
                r#"{"data":[{"identifier":"a","traits":[{"trait_key":"k","trait_value":1}]},{"identifier":"b"}]}"#,
                vec!["a k", "b"],
            ),
            (r#"{"trait_key":"k"}"#, vec![]),
            ("a=1", vec![]),
            ("[1]", vec![]),
        ] {
            let mut given = Vec::new();
            for_each(body.as_bytes(), |identity, key| {
                let keys = identity.lasting_traits().map(|written| written.key.to_string());
                let keys = keys.chain(key.map(str::to_owned));
                let words: Vec<_> = std::iter::once(identity.identifier().to_owned())
                    .chain(keys)
                    .collect();
                given.push(words.join(" "));
            });
            assert_eq!(given, expected, "{body}");
        }
    }
}
