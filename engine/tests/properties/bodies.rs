//! No body and no trait makes anything panic.

use std::sync::LazyLock;

use engine::Environment;
use proptest::collection::vec;
use proptest::prelude::*;

use super::json::{changed, changes, scalar, value};
use super::{BODIES, compiled, config, documents, exercise_body};
use crate::tree::Tree;

/// Some environments: each body is asked of all.
static ENVIRONMENTS: LazyLock<Vec<Environment>> = LazyLock::new(|| {
    let documents = documents();
    documents
        .iter()
        .step_by(7)
        .filter_map(|document| compiled(document.to_json().as_bytes()))
        .collect()
});

fn exercise(body: &[u8]) {
    for environment in ENVIRONMENTS.iter() {
        exercise_body(environment, body);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_as_body_panic(body in any::<Vec<u8>>()) {
        exercise(&body);
    }

    #[test]
    fn no_json_value_as_body_panics(body in value()) {
        exercise(body.as_bytes());
    }

    #[test]
    fn no_changed_body_panics(changes in changes()) {
        exercise(changed(Tree::parse(BODIES[1]), changes).as_bytes());
    }

    #[test]
    fn no_trait_panics(identifier in scalar(), traits in vec((trait_key(), value()), 0..12)) {
        let traits: Vec<_> = traits
            .into_iter()
            .map(|(key, value)| format!(r#"{{"trait_key":{},"trait_value":{value}}}"#, serde_json::to_string(&key).unwrap()))
            .collect();
        exercise(format!(r#"{{"identifier":{identifier},"traits":[{}]}}"#, traits.join(",")).as_bytes());
    }
}

/// The keys that the recorded documents' conditions read, and any other.
fn trait_key() -> impl Strategy<Value = String> {
    let keys: &[&str] = &[
        "age",
        "score",
        "plan",
        "country",
        "version",
        "beta",
        "email",
        "x-y",
        "größe",
        "",
        "$.no[path",
        "$.identity.identifier",
    ];
    prop_oneof![9 => prop::sample::select(keys).prop_map(str::to_owned), 1 => any::<String>()]
}
