//! Fallback documents of the real program, and `edge-proxy snapshot`, which makes them.
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::{later_page, page};
use test_support::http::Request;
use test_support::program::Program;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_KEY, Proxy, SERVER_KEY, command, fixture};

/// A folder with this configuration.
fn folder(config: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    folder
}

fn config(upstream: &ScriptedUpstream, pairs: Value) -> Value {
    json!({
        "environment_key_pairs": pairs,
        "api_url": upstream.api_url(),
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
    })
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    command(folder).args(arguments).output().unwrap()
}

fn until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it comes about in time");
    }
}

fn text(bytes: &[u8]) -> String {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    assert!(!text.contains(CLIENT_KEY) && !text.contains(SERVER_KEY), "{text}");
    text
}

#[test]
fn a_snapshot_has_all_pages_and_serves_as_fallback_and_as_source() {
    let upstream = ScriptedUpstream::start(|request| match request.target.as_str() {
        target if target.contains("page_id") => Answer::ok(later_page(&["bob"])),
        _ => {
            let next = "</api/v1/environment-document/?page_id=2>; rel=\"next\"";
            Answer::ok(page("one", "2026-01-01T00:00:00+00:00", &["alice"])).header("Link", next)
        }
    });
    // The file that is to be its fallback is not there yet.
    let pair = json!({
        "client_side_key": CLIENT_KEY,
        "server_side_key": SERVER_KEY,
        "fallback_document_path": "seeds/test-1.json",
    });
    let folder = folder(&config(&upstream, json!([pair])));
    let output = run(folder.path(), &["snapshot", "--directory", "seeds"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let line = text(&output.stdout);
    assert_eq!(
        line,
        "key pair 1: \"Test\", of 2026-01-01T00:00:00.000000+00:00, is in seeds/test-1.json\n"
    );
    let path = folder.path().join("seeds/test-1.json");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(folder.path().join("seeds")).unwrap().count(), 1);
    let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    assert_eq!(document["identity_overrides"].as_array().unwrap().len(), 2);

    upstream.go_down();
    let program = Program::start(&mut command(folder.path()));
    let proxy = Proxy::of(program, folder);
    let health = proxy.connect().send(&Request::get("/proxy/health"));
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["environments"][0]["status"], "fallback");
    let readiness = proxy.connect().send(&Request::get("/proxy/health/readiness"));
    assert_eq!(
        (readiness.status, &readiness.json()["status"]),
        (200, &json!("stale"))
    );
    let served = proxy
        .connect()
        .send(&Request::get("/api/v1/environment-document/").key(SERVER_KEY));
    assert_eq!(served.json(), document);
}

#[test]
fn a_snapshot_of_what_cannot_be_had_is_1_with_a_line_each() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::ok(fixture().to_string()),
        _ => Answer::status(403),
    });
    let pairs = json!([
        {"client_side_key": CLIENT_KEY, "server_side_keys": ["ser.rejected", SERVER_KEY]},
        {"client_side_key": "other", "server_side_key": "ser.rejected.too"},
        {"client_side_key": "third", "document_path": "third.json"},
    ]);
    let folder = folder(&config(&upstream, pairs));
    let output = run(folder.path(), &["snapshot"]);
    assert_eq!(output.status.code(), Some(1));
    let (told, failed) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(told.lines().count(), 2, "{told}");
    assert!(told.contains("key pair 3: is read from a file already"), "{told}");
    assert!(
        failed.starts_with("edge-proxy: key pair 2: upstream rejects the server-side key (403)"),
        "{failed}"
    );
    assert_eq!(failed.lines().count(), 1, "{failed}");

    fs::write(folder.path().join("taken"), "").unwrap();
    let output = run(folder.path(), &["snapshot", "--directory", "taken"]);
    assert_eq!(output.status.code(), Some(1));
    let failed = text(&output.stderr);
    assert!(failed.contains("it must be a directory"), "{failed}");
}

#[test]
fn a_snapshot_past_the_limit_of_a_file_s_size_leaves_nothing() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(fixture().to_string()));
    let pair = json!({"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY});
    let folder = folder(&config(&upstream, json!([pair])));
    let start = format!(
        "ulimit -f 0 && exec {} snapshot --directory seeds",
        env!("CARGO_BIN_EXE_edge-proxy")
    );
    let mut snapshot = std::process::Command::new("sh");
    let snapshot = snapshot
        .args(["-c", &start])
        .env_clear()
        .env("TMPDIR", folder.path());
    let output = snapshot.current_dir(folder.path()).output().unwrap();
    let failed = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{failed}");
    assert!(
        failed.contains("raise the limit of a file's size (ulimit -f)"),
        "{failed}"
    );
    assert_eq!(fs::read_dir(folder.path().join("seeds")).unwrap().count(), 0);
}

#[test]
fn a_document_path_that_cannot_be_used_ends_the_check_and_not_a_start() {
    let nowhere = "http://127.0.0.1:1/api/v1";
    let folder = folder(&json!({
        "environment_key_pairs": [
            {"client_side_key": "other", "server_side_key": "ser.other"},
            {"client_side_key": CLIENT_KEY, "document_path": "document.json"},
        ],
        "api_url": nowhere,
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
    }));
    let document = folder.path().join("document.json");
    let checked = |says: &str| {
        for arguments in [&["check"][..], &["--check"]] {
            let output = run(folder.path(), arguments);
            let line = text(&output.stderr);
            assert_eq!(output.status.code(), Some(78), "{line}");
            assert!(
                line.contains("environment_key_pairs[1].document_path (document.json)"),
                "{line}"
            );
            assert!(line.contains(says) && line.lines().count() == 1, "{says}: {line}");
            assert_eq!(text(&output.stdout), "");
        }
    };
    checked("cannot be used (No such file");
    fs::create_dir(&document).unwrap();
    checked("cannot be used (");
    fs::remove_dir(&document).unwrap();
    for (content, says) in [("{", "it is not JSON"), ("[]", "it is no environment document")] {
        fs::write(&document, content).unwrap();
        checked(says);
    }

    // A start waits for it.
    let program = Program::start(&mut command(folder.path()));
    program.find_line(|line| line.contains("no environment document").then_some(()));
    fs::write(&document, fixture().to_string()).unwrap();
    let proxy = Proxy::of(program, folder);
    let flags = || {
        let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        proxy.connect().send(&request).status
    };
    until(|| flags() == 200);
    let output = run(document.parent().unwrap(), &["check"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_fallback_that_cannot_be_used_ends_the_check_and_neither_a_start_nor_a_reload() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(fixture().to_string()));
    let pair = json!({"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "fallback_document_path": "seed.json"});
    let folder = folder(&config(&upstream, json!([pair])));
    let seed = folder.path().join("seed.json");
    for (content, says) in [
        (None, "cannot be used (No such file"),
        (Some("{"), "it is not JSON"),
        (Some("{}"), "it is no environment document"),
    ] {
        if let Some(content) = content {
            fs::write(&seed, content).unwrap();
        }
        let output = run(folder.path(), &["--check"]);
        assert_eq!(output.status.code(), Some(78));
        let line = text(&output.stderr);
        assert!(
            line.contains("environment_key_pairs[0].fallback_document_path"),
            "{line}"
        );
        assert!(line.contains(says), "{line}");
    }
    let mut options = config(&upstream, json!([pair]));
    let program = Program::start(&mut command(folder.path()));
    let mut proxy = Proxy::of(program, folder);
    let health = |proxy: &Proxy| proxy.connect().send(&Request::get("/proxy/health"));
    let detail = |proxy: &Proxy| health(proxy).json()["environments"][0]["detail"].clone();
    let says = "its fallback_document_path cannot be used (it is no environment document";
    until(|| {
        detail(&proxy)
            .as_str()
            .is_some_and(|detail| detail.starts_with(says))
    });
    assert_eq!(health(&proxy).status, 200);
    options["allow_origins"] = json!(["https://a.b"]);
    proxy.reload(&options);
    assert_eq!(health(&proxy).json().get("configuration"), None);
    fs::write(seed, fixture().to_string()).unwrap();
    options["allow_origins"] = json!(["https://c.d"]);
    proxy.reload(&options);
    until(|| detail(&proxy).is_null());
    let path = proxy.document_path();
    let output = run(path.parent().unwrap(), &["--check"]);
    assert_eq!(output.status.code(), Some(0));
}
