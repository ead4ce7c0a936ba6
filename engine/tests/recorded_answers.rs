//! Flags as Flagsmith's core API answered them, for the same documents and identities.
//!
//! The recordings lie beside the repository (`../shared/documents`, or below `EDGE_PROXY_SHARED_DIR`); what they are is
//! told by the README there. Without them the tests are skipped, save in CI.
use std::collections::HashMap;
use std::path::PathBuf;

use super::explained::explained;
use bytes::Bytes;
use engine::{Document, Environment, Identity, KeyKind};
use serde_json::{Value, json};

const ENVIRONMENTS: [&str; 3] = ["main", "hidden", "versioned"];
const IDENTITIES: [&str; 3] = ["alice", "bob", "carol"];
/// Core itself leaks this feature to client-side keys where disabled flags are hidden; see the recordings' README.
const LEAKED_BY_CORE: (&str, &str) = ("hidden", "server_only_on");

#[test]
fn flags_by_client_side_key_are_those_of_core() {
    each_environment(|name, environment| {
        let mut expected = flags_of(&recorded(&format!("{name}.flags.client.json")));
        if name == LEAKED_BY_CORE.0 {
            expected.remove(LEAKED_BY_CORE.1).expect("core leaks it");
        }
        assert_same(
            name,
            &flags_of(&parsed(&environment.flags(KeyKind::Client))),
            &expected,
            false,
        );
    });
}

#[test]
fn flags_by_server_side_key_are_those_of_core() {
    each_environment(|name, environment| {
        let expected = flags_of(&recorded(&format!("{name}.flags.server.json")));
        assert_same(
            name,
            &flags_of(&parsed(&environment.flags(KeyKind::Server))),
            &expected,
            false,
        );
    });
}

#[test]
fn flags_of_identities_are_those_of_core() {
    each_environment(|name, environment| {
        for identity in IDENTITIES {
            let recorded = recorded(&format!("{name}.identity.{identity}.client.json"));
            let sent = json!({"identifier": identity, "traits": recorded["traits"]}).to_string();
            let parsed_identity = Identity::from_json(sent.as_bytes(), || [0; 16]).expect("an identity");
            let answer = parsed(&environment.identity_answer(KeyKind::Client, &parsed_identity));
            assert_eq!(answer["identifier"], identity);
            let context = format!("{name}, {identity}");
            assert_same(
                &context,
                &flags_of(&answer["flags"]),
                &flags_of(&recorded["flags"]),
                true,
            );
        }
    });
}

#[test]
fn explanations_say_what_core_answers() {
    each_document(|name, document, environment| {
        let mut identities = 0;
        for identity in IDENTITIES {
            let recorded = recorded(&format!("{name}.identity.{identity}.client.json"));
            let sent = json!({"identifier": identity, "traits": recorded["traits"]}).to_string();
            let sent = Identity::from_json(sent.as_bytes(), || [0; 16]).expect("an identity");
            for kind in [KeyKind::Client, KeyKind::Server] {
                let (explanation, difference) = explained(environment, document, kind, Some(&sent));
                assert_eq!(difference, None, "{name}, {identity}");
                if kind == KeyKind::Server {
                    continue;
                }
                let expected = flags_of(&recorded["flags"]);
                let told: Vec<_> = explanation
                    .features
                    .iter()
                    .filter(|feature| feature.hidden.is_empty())
                    .collect();
                assert_eq!(told.len(), expected.len(), "{name}, {identity}");
                for feature in told {
                    let core = &expected[&feature.name];
                    let context = format!("{name}, {identity}, {}", feature.name);
                    assert_eq!(core["enabled"], feature.enabled, "{context}");
                    let value: Value = serde_json::from_str(feature.value.get()).expect("JSON");
                    assert_eq!(core["feature_state_value"], value, "{context}");
                }
            }
            identities += 1;
        }
        assert_eq!(identities, IDENTITIES.len());
        for kind in [KeyKind::Client, KeyKind::Server] {
            assert_eq!(explained(environment, document, kind, None).1, None, "{name}");
        }
    });
}

fn each_environment(check: impl Fn(&str, &Environment)) {
    each_document(|name, _, environment| check(name, environment));
}

fn each_document(check: impl Fn(&str, &Document, &Environment)) {
    let directory = documents();
    if are_left_out() || !directory.is_dir() {
        assert!(
            are_left_out() || std::env::var_os("CI").is_none(),
            "no recordings in {}",
            directory.display()
        );
        eprintln!("skipped: {} is absent or left out", directory.display());
        return;
    }
    for name in ENVIRONMENTS {
        let page =
            std::fs::read(directory.join(format!("{name}.environment-document.json"))).expect("a document");
        let document = Document::from_pages(vec![Bytes::from(page)]).expect("an environment document");
        let (environment, warnings) = Environment::compile(&document).unwrap();
        assert_eq!(warnings, []);
        check(name, &document, &environment);
    }
}

/// `EDGE_PROXY_WITHOUT_SHARED=1` leaves the recordings out, in CI too.
fn are_left_out() -> bool {
    std::env::var_os("EDGE_PROXY_WITHOUT_SHARED").is_some_and(|value| !value.is_empty() && value != "0")
}

fn documents() -> PathBuf {
    let shared = std::env::var_os("EDGE_PROXY_SHARED_DIR").map(PathBuf::from);
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    shared.unwrap_or_else(beside).join("documents")
}

fn recorded(file: &str) -> Value {
    parsed(&std::fs::read(documents().join(file)).expect("a recording"))
}

fn parsed(json: &[u8]) -> Value {
    serde_json::from_slice(json).expect("JSON")
}

fn flags_of(flags: &Value) -> HashMap<String, Value> {
    let flags = flags.as_array().expect("a list of flags");
    flags
        .iter()
        .map(|flag| {
            (
                flag["feature"]["name"].as_str().expect("a name").to_owned(),
                flag.clone(),
            )
        })
        .collect()
}

/// Compares flag by flag; core lists them in another order and says more about them. Ours carry a variant only where the
/// feature is multivariate.
fn assert_same(context: &str, ours: &HashMap<String, Value>, core: &HashMap<String, Value>, variants: bool) {
    let names = |flags: &HashMap<String, Value>| {
        let mut names: Vec<_> = flags.keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names(ours), names(core), "{context}");
    for (name, recorded) in core {
        let mut flag = ours[name].clone();
        let members = flag.as_object_mut().expect("a flag");
        // The recordings are older than these two. `flags/` has neither.
        for newer in ["reason", "metadata"].into_iter().filter(|_| variants) {
            members.remove(newer);
        }
        let feature = &recorded["feature"];
        let mut expected = json!({
            "feature": {"id": feature["id"], "name": feature["name"], "type": feature["type"]},
            "enabled": recorded["enabled"],
            "feature_state_value": recorded["feature_state_value"],
        });
        if flag.get("variant").is_some() || variants && !recorded["variant"].is_null() {
            expected["variant"] = recorded["variant"].clone();
        }
        assert_eq!(flag, expected, "{context}: {name}");
    }
}
