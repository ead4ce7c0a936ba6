//! Flags over HTTP as Flagsmith's core API answered them, for the same documents and identities.
//!
//! The recordings lie beside the repository (`../shared/documents`, or below `EDGE_PROXY_SHARED_DIR`), and its README
//! tells what they are. Without them the tests are skipped, save in CI; see `test_support::shared`.
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use test_support::shared;

use crate::harness::{App, CLIENT_KEY, Options, Request, SERVER_KEY, spawn_app};

const ENVIRONMENTS: [&str; 3] = ["main", "hidden", "versioned"];
const IDENTITIES: [&str; 3] = ["alice", "bob", "carol"];
/// Core itself leaks this feature to client-side keys where disabled flags are hidden; see the recordings' README.
const LEAKED_BY_CORE: (&str, &str) = ("hidden", "server_only_on");

#[test]
fn flags_by_either_key_are_those_of_core() {
    each_environment(|name, app, recordings| {
        for (key, kind) in [(CLIENT_KEY, "client"), (SERVER_KEY, "server")] {
            let mut core = flags_of(&recordings.json(&format!("{name}.flags.{kind}.json")), false);
            if (name, kind) == (LEAKED_BY_CORE.0, "client") {
                core.remove(LEAKED_BY_CORE.1).expect("core leaks it");
            }
            let flags = app.send(Request::get("/api/v1/flags/").key(key)).json();
            assert_eq!(flags_of(&flags, false), core, "{name}, {kind}");
        }
    });
}

#[test]
fn flags_of_identities_with_their_stored_traits_are_those_of_core() {
    each_environment(|name, app, recordings| {
        for identifier in IDENTITIES {
            let recorded = recordings.json(&format!("{name}.identity.{identifier}.client.json"));
            let sent = json!({"identifier": identifier, "traits": recorded["traits"]}).to_string();
            let answer = app
                .send(Request::post("/api/v1/identities/", sent).key(CLIENT_KEY))
                .json();
            assert_eq!(answer["identifier"], identifier);
            assert_eq!(
                flags_of(&answer["flags"], true),
                flags_of(&recorded["flags"], true),
                "{name}, {identifier}"
            );
        }
    });
}

fn each_environment(check: impl Fn(&str, &App, &Recordings)) {
    let Some(recordings) = shared::folder("documents").map(Recordings) else {
        return;
    };
    for name in ENVIRONMENTS {
        let app = spawn_app(Options {
            document: Some(recordings.text(&format!("{name}.environment-document.json"))),
            ..Options::default()
        });
        check(name, &app, &recordings);
    }
}

/// The folder of all recordings.
struct Recordings(PathBuf);

impl Recordings {
    fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.0.join(file)).unwrap()
    }

    fn json(&self, file: &str) -> Value {
        serde_json::from_str(&self.text(file)).unwrap()
    }
}

/// What is compared of each flag, by its name: core lists them in another order, and more about them. Ours have a
/// variant where the feature is multivariate, core's always. The recordings are older than `reason` and `metadata`.
fn flags_of(flags: &Value, with_variant: bool) -> BTreeMap<String, Value> {
    let flags = flags.as_array().expect("a list of flags");
    let compared = flags.iter().map(|flag| {
        let feature = &flag["feature"];
        let variant = if with_variant {
            flag["variant"].clone()
        } else {
            Value::Null
        };
        (
            feature["name"].as_str().expect("a name").to_owned(),
            json!({
                "id": feature["id"],
                "type": feature["type"],
                "enabled": flag["enabled"],
                "feature_state_value": flag["feature_state_value"],
                "variant": variant,
            }),
        )
    });
    compared.collect()
}
