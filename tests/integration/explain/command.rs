//! `edge-proxy explain`.
use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{document, other_document, tells_no_key};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, SERVER_KEY, command};

pub(super) const QUESTION: [&str; 6] = ["--identifier", "carol", "--trait", "age=17", "--feature", "shop"];

pub(super) fn folder(config: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    fs::write(folder.path().join("document.json"), document().to_string()).unwrap();
    folder
}

fn from_file() -> TempDir {
    folder(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "document.json"}],
    }))
}

pub(super) fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = command(folder);
    command.arg("explain").args(arguments).output().unwrap()
}

pub(super) fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(tells_no_key(&text), "{text}");
    text
}

/// What it prints where all is well.
pub(super) fn explained(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// Its exit code, and what it says.
pub(super) fn failed(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(folder, arguments);
    let line = text(&output.stderr);
    assert!(output.stdout.is_empty());
    (output.status.code(), line)
}

#[test]
fn alone_it_reads_the_file_and_says_so() {
    let folder = from_file();
    let told = explained(folder.path(), &QUESTION);
    let mut lines = told.lines();
    let first = lines.next().unwrap();
    assert!(first.starts_with("environment 1, its document of "), "{told}");
    assert!(first.contains("from its document_path, "), "{told}");
    let rest: Vec<&str> = lines.collect();
    assert_eq!(
        rest,
        [
            "Test environment, as a client-side key sees it",
            "identity \"carol\"",
            "    age  17  number",
            "    it has no override of its own",
            "",
            "shop  on   \"closed\"  DEFAULT",
            "    the one segment that overrides it does not match: the environment's default",
            "      1  adults  does not match",
            "           age GREATER_THAN_INCLUSIVE \"18\", in rule 1.1 (ALL > ANY)",
            "             age is 17, a number",
        ]
    );
    let text = explained(
        folder.path(),
        &["--identifier=carol", "--trait=age=\"17\"", "--feature=shop"],
    );
    assert!(
        text.contains("age  \"17\"  text, read as the number 17"),
        "{text}"
    );
    let empty = explained(folder.path(), &["--identifier", "", "--json"]);
    let empty: Value = serde_json::from_str(&empty).unwrap();
    assert_eq!(empty["identity"]["is_transient"], json!(true));
    let all = explained(folder.path(), &["--server-side"]);
    assert!(
        all.contains("as a server-side key sees it\nwithout an identity\n"),
        "{all}"
    );
}

#[test]
fn alone_it_fetches_and_falls_back_on_what_was_stored_and_on_the_fallback() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document().to_string()));
    let config = |fallback: Value| {
        json!({
            "environment_key_pairs": [{
                "client_side_key": CLIENT_KEY,
                "server_side_key": SERVER_KEY,
                "fallback_document_path": fallback,
            }],
            "api_url": upstream.api_url(),
            "persistence": {"directory": "store"},
            "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
        })
    };
    let folder = folder(&config(Value::Null));
    let source = |folder: &Path| {
        let json: Value = serde_json::from_str(&explained(folder, &["--json", "--feature=shop"])).unwrap();
        assert_eq!(json["features"][0]["name"], "shop");
        (
            json["source"]["kind"].as_str().unwrap().to_owned(),
            json["source"]["says"].as_str().unwrap().to_owned(),
        )
    };
    let (kind, says) = source(folder.path());
    assert_eq!(kind, "upstream");
    assert!(says.contains(&upstream.api_url()), "{says}");

    // A run of the proxy stores it.
    let program = test_support::program::Program::start(&mut command(folder.path()));
    program.find_line(|line| line.contains("a new document").then_some(()));
    let proxy = Proxy::of(program, folder);
    let stored = || {
        fs::read_dir(proxy.folder().join("store")).is_ok_and(|mut files| {
            files.any(|file| {
                file.unwrap()
                    .file_name()
                    .to_string_lossy()
                    .ends_with(".1.document")
            })
        })
    };
    let begun = std::time::Instant::now();
    while !stored() {
        assert!(
            begun.elapsed() < test_support::wait::PATIENCE,
            "it is stored in time"
        );
    }
    upstream.go_down();
    let (kind, says) = source(proxy.folder());
    assert_eq!(kind, "store");
    assert!(says.contains("because upstream gives none"), "{says}");

    let elsewhere = self::folder(&config(json!("document.json")));
    let (kind, says) = source(elsewhere.path());
    assert_eq!(kind, "fallback");
    assert!(says.contains("document.json"), "{says}");

    let nothing = self::folder(&config(Value::Null));
    let (code, line) = failed(nothing.path(), &["--feature=shop"]);
    assert_eq!(code, Some(1));
    assert!(
        line.starts_with("edge-proxy: environment 1 (without a document yet): "),
        "{line}"
    );
}

#[test]
fn a_running_proxy_says_the_same() {
    let proxy = Proxy::start(ProxyOptions {
        config: json!({"admin": {"port": 0, "token": "sesame"}}),
        ..ProxyOptions::default()
    });
    let origin = format!("http://{}", proxy.admin());
    let question = ["--identifier=alice", "--trait=plan=gold"];
    let alone = explained(proxy.folder(), &[&question[..], &["--alone"]].concat());
    let (source, alone) = alone.split_once('\n').unwrap();
    assert!(source.contains("from its document_path"), "{source}");
    // The token of the configuration is brought along.
    let asked = explained(proxy.folder(), &[&question[..], &["--url", &origin]].concat());
    let (source, asked) = asked.split_once('\n').unwrap();
    assert!(source.ends_with("from the running proxy"), "{source}");
    assert_eq!(asked, alone);

    // Without a configuration the token comes from a file.
    let elsewhere = TempDir::new().unwrap();
    let token = elsewhere.path().join("token");
    fs::write(&token, "\u{feff}sesame\n").unwrap();
    let arguments = [
        "--url",
        &origin,
        "--token-file",
        token.to_str().unwrap(),
        "--json",
    ];
    let json: Value = serde_json::from_str(&explained(elsewhere.path(), &arguments)).unwrap();
    assert_eq!(json["source"]["kind"], "running_proxy");
    let (code, line) = failed(elsewhere.path(), &["--url", &origin]);
    assert_eq!(code, Some(78), "{line}");
    assert!(line.contains("admin.token") && !line.contains("sesame"), "{line}");
    let endless = ["--url", &origin, "--token-file", "/dev/zero"];
    let (code, line) = failed(elsewhere.path(), &endless);
    assert_eq!(code, Some(78), "{line}");
    assert!(
        line.contains("--token-file names a file of more than 64 KiB"),
        "{line}"
    );
    let (code, line) = failed(elsewhere.path(), &["--url", "http://127.0.0.1:1"]);
    assert_eq!(code, Some(1), "{line}");
    assert!(line.contains("no proxy answers at http://127.0.0.1:1"), "{line}");
    let (code, line) = failed(proxy.folder(), &["--url", &origin, "--feature=sho"]);
    assert_eq!(code, Some(1), "{line}");
    assert_eq!(line, "edge-proxy: the environment has no feature of this name\n");
}

#[test]
fn who_names_the_wrong_thing_hears_of_the_right_ones() {
    let folder = folder(&json!({
        "environment_key_pairs": [
            {"client_side_key": CLIENT_KEY, "document_path": "document.json"},
            {"client_side_key": "other-client-key", "document_path": "other.json"},
        ],
    }));
    let other = other_document("Staging", "other-client-key").to_string();
    fs::write(folder.path().join("other.json"), other).unwrap();
    for (arguments, says) in [
        (
            &["--environment=Production"][..],
            "there are 1 (\"Test environment\"), 2 (\"Staging\")",
        ),
        (
            &["--identifier=bob"],
            "Name one by its name, its id or its client-side key: 1 (",
        ),
        (
            &["--environment=Staging", "--feature=shopp"],
            "it has \"shop\": misspelt?",
        ),
    ] {
        let (code, line) = failed(folder.path(), arguments);
        assert_eq!(code, Some(1), "{line}");
        assert!(line.starts_with("edge-proxy: ") && line.contains(says), "{line}");
    }
    let staging = explained(folder.path(), &["--environment=2", "--identifier=bob"]);
    assert!(staging.contains("it has an override of its own"), "{staging}");
    let test = explained(
        folder.path(),
        &["--environment=test environment", "--identifier=bob"],
    );
    assert!(
        test.contains("overrides in environment 2 (\"Staging\")"),
        "{test}"
    );
    let by_key = explained(
        folder.path(),
        &["--environment=other-client-key", "--identifier=bob"],
    );
    assert!(
        by_key.contains("Staging, as a client-side key sees it"),
        "{by_key}"
    );
    let (code, line) = failed(folder.path(), &["--trait=age"]);
    assert_eq!(code, Some(64), "{line}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_explanation_that_cannot_be_written_is_a_failure() {
    let folder = from_file();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = command(folder.path());
    let output = command
        .arg("explain")
        .args(QUESTION)
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stderr);
    assert!(line.contains("cannot be written"), "{line}");
}
