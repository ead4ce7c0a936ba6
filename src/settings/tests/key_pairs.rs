//! `environment_key_pairs`.
use actors::environment::{DocumentSource, EnvironmentOptions};
use serde_json::{Value, json};

use super::{ConfigFile, error_of, load, messages};

fn environments(pairs: Value) -> Vec<EnvironmentOptions> {
    load(json!({"environment_key_pairs": pairs}), &[])
        .settings
        .environments
}

fn server_side_keys(pair: Value) -> Vec<String> {
    let environments = environments(json!([pair]));
    environments[0]
        .server_side_keys
        .iter()
        .map(|key| key.reveal().to_owned())
        .collect()
}

#[test]
fn keys_are_stripped_and_kept_in_order() {
    let environments = environments(json!([
        {"client_side_key": "  one\n", "server_side_key": "\tser.one "},
        {"client_side_key": "two", "server_side_key": "ser.two"},
    ]));
    let client_side: Vec<&str> = environments
        .iter()
        .map(|one| one.client_side_key.reveal())
        .collect();
    assert_eq!(client_side, ["one", "two"]);
    assert_eq!(environments[0].server_side_keys[0].reveal(), "ser.one");
    assert!(matches!(environments[0].source, DocumentSource::Upstream));
}

#[test]
fn several_server_side_keys() {
    let cases = [
        (
            json!({"client_side_key": "c", "server_side_keys": ["ser.a", " ser.b "]}),
            vec!["ser.a", "ser.b"],
        ),
        (
            json!({"client_side_key": "c", "server_side_key": "ser.a", "server_side_keys": ["ser.b", "ser.a"]}),
            vec!["ser.a", "ser.b"],
        ),
        (
            json!({"client_side_key": "c", "server_side_keys": "ser.a"}),
            vec!["ser.a"],
        ),
        (
            json!({"client_side_key": "c", "server_side_key": null, "server_side_keys": ["ser.a"]}),
            vec!["ser.a"],
        ),
    ];
    for (pair, expected) in cases {
        assert_eq!(server_side_keys(pair.clone()), expected, "{pair}");
    }
}

#[test]
fn a_document_path_starts_at_the_configuration_file_and_needs_no_server_side_key() {
    let file = ConfigFile::of(&json!({"environment_key_pairs": [
        {"client_side_key": "a", "document_path": "documents/a.json"},
        {"client_side_key": "b", "document_path": "/b.json", "server_side_key": "ser.b"},
    ]}));
    let environments = file.load(&[]).unwrap().settings.environments;
    let DocumentSource::File(relative) = &environments[0].source else {
        panic!("not a file")
    };
    assert_eq!(*relative, file.folder.path().join("documents/a.json"));
    assert_eq!(environments[0].server_side_keys.len(), 0);
    let DocumentSource::File(absolute) = &environments[1].source else {
        panic!("not a file")
    };
    assert_eq!(absolute.to_str(), Some("/b.json"));
    assert_eq!(environments[1].server_side_keys.len(), 1);
}

#[test]
fn a_variable_replaces_the_whole_list() {
    let variable = r#"[{"client_side_key":"v","server_side_key":"ser.v"}]"#;
    let settings = load(json!({}), &[("Environment_Key_Pairs", variable)]).settings;
    let keys: Vec<&str> = settings
        .environments
        .iter()
        .map(|one| one.client_side_key.reveal())
        .collect();
    assert_eq!(keys, ["v"]);
}

#[test]
fn each_error_names_the_pair_by_its_place() {
    let good = json!({"client_side_key": "secret", "server_side_key": "ser.secret"});
    let cases: &[(Value, &str)] = &[
        (
            json!("secret"),
            "environment_key_pairs (from config.json) is text; give a list of objects",
        ),
        (
            json!([]),
            "environment_key_pairs (from config.json) is an empty list; give at least one pair",
        ),
        (
            json!([good, "secret"]),
            "environment_key_pairs[1] (from config.json) is text; give an object with client_side_key and \
             server_side_key",
        ),
        (
            json!([{"client_side_key": "secret"}]),
            "environment_key_pairs[0].server_side_key (from config.json) is missing; give the environment's \
             server-side key, or a document_path to serve a file",
        ),
        (
            json!([{"client_side_key": "secret", "server_side_keys": []}]),
            "environment_key_pairs[0].server_side_key (from config.json) is missing; give the environment's \
             server-side key, or a document_path to serve a file",
        ),
        (
            json!([{"server_side_key": "ser.secret"}]),
            "environment_key_pairs[0].client_side_key (from config.json) is missing; give the environment's \
             client-side key",
        ),
        (
            json!([{"client_side_key": " ", "server_side_key": "ser.secret"}]),
            "environment_key_pairs[0].client_side_key (from config.json) is empty",
        ),
        (
            json!([{"client_side_key": "ser.secret", "server_side_key": "ser.secret"}]),
            "environment_key_pairs[0].client_side_key (from config.json) is a server-side key (it starts with \
             \"ser.\"); give the client-side key, which may be public",
        ),
        (
            json!([{"client_side_key": "secret", "server_side_keys": ["ser.secret", "secret"]}]),
            "environment_key_pairs[0].server_side_keys[1] (from config.json) is no server-side key: those start with \
             \"ser.\" (Flagsmith: Environment settings, SDK Keys)",
        ),
        (
            json!([good, {"client_side_key": " secret ", "server_side_key": "ser.other"}]),
            "environment_key_pairs[1].client_side_key (from config.json) is the same key as in \
             environment_key_pairs[0]; give each client-side key once",
        ),
        (
            json!([{"client_side_key": "sec ret", "server_side_key": "ser.secret"}]),
            "environment_key_pairs[0].client_side_key (from config.json) holds a blank or a character that no HTTP \
             header carries; copy the key again",
        ),
        (
            json!([{"client_side_key": 1, "server_side_key": "ser.secret"}]),
            "environment_key_pairs[0].client_side_key (from config.json) is a number; give text",
        ),
    ];
    for (pairs, expected) in cases {
        assert_eq!(error_of(json!({"environment_key_pairs": pairs}), &[]), *expected);
    }
}

#[test]
fn a_fallback_starts_at_the_configuration_file_and_stands_beside_upstream_alone() {
    let file = ConfigFile::of(&json!({"environment_key_pairs": [
        {"client_side_key": "a", "server_side_key": "ser.a", "fallback_document_path": "seeds/a.json"},
        {"client_side_key": "b", "server_side_key": "ser.b", "fallback_document_path": null},
    ]}));
    let loaded = file.load(&[]).unwrap();
    let environments = &loaded.settings.environments;
    // Whether it is there is not looked at here.
    let folder = file.path().parent().unwrap().to_owned();
    assert_eq!(environments[0].fallback, Some(folder.join("seeds/a.json")));
    assert_eq!(environments[1].fallback, None);
    assert!(loaded.settings.effective_json().contains("seeds/a.json"));
    let pairs =
        json!([{"client_side_key": "a", "document_path": "a.json", "fallback_document_path": "b.json"}]);
    let line = error_of(json!({"environment_key_pairs": pairs}), &[]);
    assert!(
        line.starts_with(
            "environment_key_pairs[0].fallback_document_path (from config.json) is given beside"
        ),
        "{line}"
    );
}

#[test]
fn keys_that_no_header_carries_are_refused() {
    for key in ["ser.", "ser.a\nb", "ser.é", "ser.a\u{0}b", "SER.a", "a.ser."] {
        let pairs = json!([{"client_side_key": "c", "server_side_key": key}]);
        let line = error_of(json!({"environment_key_pairs": pairs}), &[]);
        assert!(
            line.starts_with("environment_key_pairs[0].server_side_key (from config.json)"),
            "{line}"
        );
    }
}

#[test]
fn a_server_side_key_of_two_pairs_is_told() {
    let loaded = load(
        json!({"environment_key_pairs": [
            {"client_side_key": "a", "server_side_key": "ser.secret"},
            {"client_side_key": "b", "server_side_key": "ser.secret"},
        ]}),
        &[],
    );
    let messages = messages(&loaded);
    assert_eq!(messages.len(), 1);
    assert!(
        messages[0].contains("environment_key_pairs[1]") && messages[0].contains("environment_key_pairs[0]")
    );
}

#[test]
fn debug_shows_no_key() {
    let loaded = load(
        json!({"realtime": {"authentication_token": "secret"}}),
        &[("HTTP_PROXY", "http://u:secret@p")],
    );
    let shown = format!("{loaded:?}");
    assert!(!shown.contains("secret"), "{shown}");
}
