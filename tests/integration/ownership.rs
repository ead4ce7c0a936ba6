//! A key pair whose document is another environment's: its clients would get the other one's flags.
use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::program::Program;
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_KEY, Options, Proxy, Request, SERVER_KEY, command, fixture, spawn_app};

const OTHER_KEY: &str = "s3cret-other-key";

fn document(client_side_key: &str) -> Value {
    let mut document = fixture();
    document["api_key"] = json!(client_side_key);
    document
}

fn pair(client_side_key: &str, path: &str) -> Value {
    json!({"client_side_key": client_side_key, "document_path": path})
}

fn write(directory: &Path, name: &str, content: &Value) {
    let next = directory.join("next");
    fs::write(&next, content.to_string()).unwrap();
    fs::rename(next, directory.join(name)).unwrap();
}

/// Two pairs with each other's files, and a third with a document of nobody's.
fn swapped() -> TempDir {
    let directory = TempDir::new().unwrap();
    for (name, key) in [
        ("a.json", CLIENT_KEY),
        ("b.json", OTHER_KEY),
        ("c.json", "nobody-s-key"),
    ] {
        write(directory.path(), name, &document(key));
    }
    let pairs = [
        pair(CLIENT_KEY, "b.json"),
        pair(OTHER_KEY, "a.json"),
        pair("s3cret-third-key", "c.json"),
        pair("s3cret-fourth-key", "missing.json"),
    ];
    let config = json!({
        "environment_key_pairs": pairs,
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
        "logging": {"log_level": "INFO", "enable_access_log": false},
    });
    write(directory.path(), "config.json", &config);
    directory
}

fn assert_shows_no_key(text: &str) {
    for key in [CLIENT_KEY, OTHER_KEY, "nobody-s-key", "s3cret"] {
        assert!(!text.contains(key), "{text}");
    }
}

fn lines<'a>(text: &'a str, with: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(with)).collect()
}

#[test]
fn health_says_so_in_its_detail() {
    let absent = pair("absent", "absent.json");
    let app = spawn_app(Options {
        config: json!({"environment_key_pairs": [pair(OTHER_KEY, "environment.json"), absent]}),
        ..Options::default()
    });
    let health = app.get("/proxy/health");
    let environments = &health.json()["environments"];
    assert_eq!((health.status, &environments[0]["status"]), (200, &json!("ok")));
    let detail = environments[0]["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("its document is another environment's"),
        "{detail}"
    );
    assert_shows_no_key(health.text());

    // Beside why the last fetch failed.
    fs::write(app.document_path(), "{").unwrap();
    app.wait_until_answered(|app| {
        let health = app.get("/proxy/health").json();
        let detail = health["environments"][0]["detail"].as_str().unwrap().to_owned();
        detail.contains("; its document is another environment's")
    });
}

#[test]
fn a_document_that_names_its_own_key_or_none_is_no_matter() {
    for key in [CLIENT_KEY, ""] {
        let app = spawn_app(Options {
            document: Some(document(key).to_string()),
            ..Options::default()
        });
        let health = app.get("/proxy/health").json();
        assert_eq!(health["environments"][0].get("detail"), None, "{health}");
    }
}

#[test]
fn check_says_so_of_documents_in_files() {
    let directory = swapped();
    let output = command(directory.path()).arg("--check").output().unwrap();
    // The fourth has no file.
    assert_eq!(output.status.code(), Some(78));
    let told = String::from_utf8(output.stderr).unwrap();
    for line in [
        "edge-proxy: key pair 1: its document is that of key pair 2, ",
        "edge-proxy: key pair 2: its document is that of key pair 1, ",
        "edge-proxy: key pair 3: its document is another environment's: ",
    ] {
        assert_eq!(lines(&told, line).len(), 1, "{told}");
    }
    assert_eq!(lines(&told, "key pair 4"), Vec::<&str>::new());
    assert_eq!(lines(&told, "environment_key_pairs[3].document_path").len(), 1);
    assert_eq!(told.lines().count(), 4, "{told}");
    assert_shows_no_key(&told);
}

#[test]
fn the_log_says_so_once_and_when_it_is_over() {
    let directory = swapped();
    let path = directory.path().to_owned();
    let mut proxy = Proxy::of(Program::start(&mut command(&path)), directory);
    let flags = |proxy: &Proxy| {
        let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        proxy.connect().send(&request).json()
    };
    let publish = |proxy: &Proxy, key: &str, value: u32| {
        let mut document = document(key);
        document["feature_states"][0]["feature_state_value"] = json!(value);
        write(&path, "b.json", &document);
        let written = Instant::now();
        while flags(proxy)[0]["feature_state_value"] != json!(value) {
            assert!(written.elapsed() < PATIENCE, "it is served in time");
        }
    };
    // As long as it is the same there is no news in it, whatever else changes.
    publish(&proxy, OTHER_KEY, 1);
    publish(&proxy, OTHER_KEY, 2);
    publish(&proxy, CLIENT_KEY, 3);
    publish(&proxy, OTHER_KEY, 4);
    proxy.signal("TERM");
    let (_, log) = proxy.wait();
    let of_the_first = lines(&log, "environment 1 ");
    let told = |text: &str| of_the_first.iter().filter(|line| line.contains(text)).count();
    assert_eq!(told("its document is that of environment 2"), 2, "{log}");
    assert_eq!(told("its documents are its own again"), 1, "{log}");
    assert_eq!(
        lines(&log, "environment 3")
            .iter()
            .filter(|line| line.contains("WARN"))
            .count(),
        1,
        "{log}"
    );
    assert_shows_no_key(&log);
    assert!(!log.contains(SERVER_KEY));
}
