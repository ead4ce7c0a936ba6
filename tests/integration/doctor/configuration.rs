//! Configurations that cannot be used, or that are not what is meant.
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{Diagnosis, at, config, document, examine, examine_in, examine_with};
use crate::harness::{CLIENT_KEY, SERVER_KEY, merge};

/// The line that a start would end with.
fn start_says(folder: &TempDir) -> String {
    let output = crate::harness::command(folder.path())
        .arg("--check")
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn no_configuration_at_all_is_the_first_and_only_finding() {
    let folder = TempDir::new().unwrap();
    let diagnosis = examine_in(folder.path(), &[]);
    diagnosis.assert_fails(("configuration", "file"), "does not exist");
    assert_eq!(diagnosis.report["checks"].as_array().unwrap().len(), 1);
}

#[test]
fn one_that_cannot_be_read_has_the_words_of_a_start() {
    for content in [
        "{ broken",
        r#"{"environment_key_pairs": 7}"#,
        r#"{"environment_key_pairs": []}"#,
        r#"{"environment_key_pairs": [{"client_side_key": "c", "server_side_key": "ser.s"}], "api_url": "https://127.0.0.1:99999/api/v1"}"#,
    ] {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("config.json"), content).unwrap();
        let diagnosis = examine_in(folder.path(), &[]);
        assert_eq!(
            diagnosis.of_verdict("failure"),
            [("configuration", "file")],
            "{content}"
        );
        let detail = diagnosis.report["checks"][0]["detail"].as_str().unwrap();
        let line = start_says(&folder);
        assert!(line.contains(detail), "{detail} is not in {line}");
    }
}

#[test]
fn a_client_side_key_in_the_servers_place_and_the_other_way_round() {
    let pair = |client: &str, server: &str| {
        let mut config = config(&json!({}));
        config["environment_key_pairs"] = json!([{"client_side_key": client, "server_side_key": server}]);
        config
    };
    examine(&pair(CLIENT_KEY, CLIENT_KEY)).assert_fails(("configuration", "file"), "is no server-side key");
    examine(&pair(SERVER_KEY, SERVER_KEY)).assert_fails(("configuration", "file"), "is a server-side key");
    let upstream = ScriptedUpstream::serving(&document());
    let mut prefixed = pair(CLIENT_KEY, &format!("ser.{CLIENT_KEY}"));
    prefixed["api_url"] = json!(upstream.api_url());
    examine(&prefixed).assert_warns(
        ("key pair 1", "keys"),
        "the client-side key with \"ser.\" before it",
    );
}

#[test]
fn placeholders_of_the_documentation_are_named() {
    let upstream = super::answering(Answer::status(403));
    let mut config = at(&upstream.api_url());
    config["environment_key_pairs"] = json!([{"client_side_key": "your_client_side_key_1", "server_side_key": "ser.your_server_side_key_1"}]);
    let diagnosis = examine(&config);
    let keys = ("key pair 1", "keys");
    assert_eq!(diagnosis.of_verdict("failure")[..2], [keys, keys]);
    let told = diagnosis.says(keys);
    assert!(
        told.contains("client_side_key is a placeholder")
            && told.contains("server_side_key is a placeholder"),
        "{told}"
    );
    assert_eq!(diagnosis.code, Some(1));
}

/// A Flagsmith of one's own takes keys that were chosen.
#[test]
fn keys_that_upstream_knows_are_no_placeholders() {
    let mut chosen = document();
    chosen["api_key"] = json!("acme-example-prod");
    let upstream = ScriptedUpstream::serving(&chosen);
    let mut config = at(&upstream.api_url());
    config["environment_key_pairs"][0]["client_side_key"] = json!("acme-example-prod");
    examine(&config).assert_is_sound();
    config["environment_key_pairs"][0]["server_side_key"] = json!("ser.your_server_side_key_1");
    examine(&config).assert_warns(("key pair 1", "keys"), "anybody may know");
}

/// Whoever watches a check finds it by these, whatever it says.
#[test]
fn each_key_pair_has_its_check_of_keys() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    config["environment_key_pairs"] = json!([
        {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
        {"client_side_key": "your_key_1", "server_side_key": "ser.other"},
        {"client_side_key": "in-a-file", "document_path": "missing.json"},
    ]);
    let diagnosis = examine(&config);
    let checks = diagnosis.report["checks"].as_array().unwrap().iter();
    let of_keys: Vec<_> = checks
        .filter(|one| one["check"] == "keys")
        .map(|one| {
            (
                one["kind"].as_str(),
                one["number"].as_u64(),
                one["verdict"].as_str(),
            )
        })
        .collect();
    let expected = ["ok", "failure", "ok"].into_iter().zip(1..);
    let expected: Vec<_> = expected
        .map(|(verdict, number)| (Some("key_pair"), Some(number), Some(verdict)))
        .collect();
    assert_eq!(of_keys, expected, "{:#}", diagnosis.report);
}

/// What is warned of, of a sound set-up with this in its configuration.
fn warned(over: &Value, variables: &[(&str, &str)]) -> super::Diagnosis {
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    merge(&mut config, over);
    examine_with(&config, variables)
}

#[test]
fn options_that_are_not_what_is_meant_are_warned_of() {
    for (over, check, says) in [
        (
            json!({"api_poll_frequenzy_seconds": 1}),
            "options",
            "api_poll_frequency_seconds",
        ),
        (
            json!({"allow_origins": ["*", "https://a.test"]}),
            "options",
            "beside others",
        ),
        (
            json!({"allow_origins": ["https://a.test/path", "https://b.test"]}),
            "options",
            "matches no browser's origin",
        ),
        (
            json!({"allow_origins": ["www.a.test", "https://b.test"]}),
            "options",
            "matches no browser's origin",
        ),
        (
            json!({"allow_origins": ["http://a.test"]}),
            "allow_origins",
            "without TLS",
        ),
        (json!({"api_poll_frequency_seconds": 300}), "polling", "300 s old"),
        (
            json!({"api_poll_unconditional_seconds": 3600}),
            "polling",
            "behind 304",
        ),
        (
            json!({"server": {"proxy_protocol": "required", "host": "0.0.0.0"}}),
            "forwarded",
            "this machine alone",
        ),
    ] {
        warned(&over, &[]).assert_warns(("configuration", check), says);
    }
    warned(
        &json!({"server": {"proxy_headers": true}}),
        &[("FORWARDED_ALLOW_IPS", "*")],
    )
    .assert_warns(("configuration", "forwarded"), "every client may say");
}

#[test]
fn trailing_slashes_of_origins_are_what_is_meant() {
    warned(&json!({"allow_origins": ["https://a.test/"]}), &[]).assert_is_sound();
}

#[test]
fn the_same_key_twice_is_named() {
    let twice = json!({"environment_key_pairs": [
        {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
        {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
    ]});
    examine(&config(&twice)).assert_fails(("configuration", "file"), "is the same key as");
}

#[test]
fn an_api_url_with_another_path_is_seen_in_it_and_in_the_answer() {
    let upstream = ScriptedUpstream::serving(&document());
    for (path, says) in [("", "does not end with /api/v1"), ("/api/v1/flags", "resource")] {
        let diagnosis = examine(&at(&format!("{}{path}", upstream.origin())));
        assert_eq!(diagnosis.of_verdict("failure"), [("key pair 1", "http")]);
        assert_eq!(diagnosis.of_verdict("warning"), [("configuration", "api_url")]);
        for place in [("key pair 1", "http"), ("configuration", "api_url")] {
            let told = diagnosis.says(place);
            assert!(told.contains(says), "{told}");
        }
    }
}

#[test]
fn a_path_of_a_gateway_that_gives_documents_is_right() {
    let upstream =
        ScriptedUpstream::start(
            |request| match request.target.starts_with("/flags/environment-document") {
                true => Answer::ok(document().to_string()).header("Content-Type", "application/json"),
                false => Answer::status(404),
            },
        );
    let diagnosis = examine(&at(&format!("{}/flags", upstream.origin())));
    diagnosis.assert_is_sound();
    assert!(
        diagnosis
            .says(("configuration", "api_url"))
            .contains("gives documents")
    );
}

/// Opening a pipe would wait for its writer, for ever.
#[test]
fn pipes_in_the_place_of_files_are_named_at_once() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let upstream = ScriptedUpstream::serving(&document());
    let begun = std::time::Instant::now();
    for (over, place, says) in [
        (
            json!({"upstream": {"ca_file": pipe}}),
            ("configuration", "file"),
            "a pipe, and no file",
        ),
        (
            json!({"upstream": {"client_certificate": pipe, "client_key": pipe}}),
            ("configuration", "file"),
            "a pipe, and no file",
        ),
        (
            json!({"server": {"tls": {"certificate": pipe, "key": pipe}}}),
            ("server", "tls"),
            "a pipe, and no file",
        ),
    ] {
        let mut config = at(&upstream.api_url());
        merge(&mut config, &over);
        examine(&config).assert_fails(place, says);
    }
    let folder = super::folder(&at(&upstream.api_url().replace("http://", "https://")));
    let mut bounded = Command::new("timeout");
    bounded
        .args(["35", env!("CARGO_BIN_EXE_edge-proxy")])
        .env_clear()
        .env("SSL_CERT_FILE", &pipe)
        .env("TMPDIR", folder.path())
        .current_dir(folder.path());
    let diagnosis = Diagnosis::of(&mut bounded);
    assert_eq!(diagnosis.of_verdict("warning"), [("upstream", "certificates")]);
    let told = diagnosis.says(("upstream", "certificates"));
    assert!(
        told.contains("is a pipe") && told.contains("check SSL_CERT_FILE"),
        "{told}"
    );
    assert!(begun.elapsed() < edge_proxy::doctor::PATIENCE);
}
