//! `edge-proxy explain --url`, where something else than an admin port answers.
use serde_json::json;
use tempfile::TempDir;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::command::{QUESTION, failed, folder, run, text};
use super::document;
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, command};

const FOREIGN: &str = "is no edge proxy's admin port";

#[test]
fn what_is_no_explanation_is_not_printed_as_one() {
    let folder = TempDir::new().unwrap();
    let answers = [
        Answer::ok("<html>welcome</html>"),
        Answer::ok("environment 1, its document of today, from \u{1b}[2J\n")
            .header("Content-Type", "text/plain"),
        Answer::ok("{\"status\": \"ok\"}"),
        Answer::refusal(404, "{\"message\": \"\u{1b}[2J no Route matched\"}"),
        Answer::refusal(401, "{\"message\": \"Unauthorized\"}"),
        Answer::status(302).header("Location", "http://127.0.0.1:1/"),
    ];
    for answer in answers {
        let server = ScriptedUpstream::start(move |_| answer.clone());
        for json in [&[][..], &["--json"]] {
            let origin = server.origin();
            let (code, line) = failed(folder.path(), &[&["--url", &*origin], json].concat());
            assert_eq!(code, Some(1), "{line}");
            assert!(line.contains(FOREIGN) && line.contains("admin.port"), "{line}");
            assert!(line.contains(&origin) && !line.contains('\u{1b}'), "{line}");
        }
    }
}

#[test]
fn no_token_goes_to_another_port_than_the_one_named() {
    let folder = TempDir::new().unwrap();
    for port in ["99999", "65536", "0", "8x", "-1", "+80"] {
        let (code, line) = failed(folder.path(), &["--url", &format!("http://127.0.0.1:{port}")]);
        assert_eq!(code, Some(64), "{line}");
        assert!(
            line.contains("--url names a port that there is not; give one as http://127.0.0.1:8001"),
            "{line}"
        );
    }
}

#[test]
fn who_brings_no_token_or_a_wrong_one_hears_of_token_file() {
    let proxy = Proxy::start(ProxyOptions {
        config: json!({"admin": {"port": 0, "token": "sesame"}}),
        ..ProxyOptions::default()
    });
    let origin = format!("http://{}", proxy.admin());
    let without = TempDir::new().unwrap();
    let token = without.path().join("token");
    std::fs::write(&token, "barley").unwrap();
    let of_another = folder(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "document.json"}],
        "admin": {"token": "barley"},
    }));
    let token_file = ["--token-file", token.to_str().unwrap()];
    for (folder, arguments, says) in [
        (
            &without,
            &[][..],
            "it asks for its admin.token; name a file that holds it by --token-file",
        ),
        (
            &without,
            &token_file,
            "the file of --token-file does not hold its admin.token; name one that does",
        ),
        (
            &of_another,
            &[],
            "is not its own; name a file that holds the running proxy's by --token-file",
        ),
    ] {
        let (code, line) = failed(folder.path(), &[&["--url", &*origin], arguments].concat());
        assert_eq!(code, Some(78), "{line}");
        assert!(line.contains("answers 401: ") && line.contains(says), "{line}");
        for other in ["Authorization", "browser", "sesame", "barley"] {
            assert!(!line.contains(other), "{line}");
        }
    }
}

#[test]
fn the_public_port_is_told_from_the_admin_port() {
    let proxy = Proxy::start(ProxyOptions::default());
    let origin = format!("http://{}", proxy.address);
    let (code, line) = failed(proxy.folder(), &["--url", &origin]);
    assert_eq!(code, Some(1), "{line}");
    assert!(
        line.contains(FOREIGN) && line.contains("not its server.port"),
        "{line}"
    );
}

/// In the words that doctor has for the same of upstream.
#[test]
fn an_answer_that_cannot_be_read_is_told_in_words() {
    let folder = TempDir::new().unwrap();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (answer, says) in [
        (
            Answer::ok("environment 1, its document").truncated(),
            "the answer breaks off; check the service",
        ),
        (
            Answer::raw(format!("{chunked}5\r\nab")).closing(),
            "the answer breaks off; check the service",
        ),
        (
            Answer::raw(format!("{chunked}zz\r\nab\r\n")).closing(),
            "the answer's chunks are malformed; check what is between",
        ),
        (
            Answer::raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\nConnection: upgrade\r\n\r\n"),
            FOREIGN,
        ),
    ] {
        let server = ScriptedUpstream::start(move |_| answer.clone());
        let (code, line) = failed(folder.path(), &["--url", &server.origin()]);
        assert_eq!(code, Some(1), "{line}");
        assert!(line.contains(says), "{line}");
        let is_raw = ["Custom", "Some(", "payload", "{"]
            .iter()
            .any(|raw| line.contains(raw));
        assert!(!is_raw, "{line}");
    }
}

#[test]
fn what_a_refusal_says_moves_no_cursor() {
    let folder = TempDir::new().unwrap();
    for (status, code) in [(404, 1), (409, 1), (400, 64), (503, 1)] {
        let body = "{\"status\": \"a\", \"about\": \"feature\", \"message\": \"no \\u001b[2J\\n feature\"}";
        let server = ScriptedUpstream::start(move |_| Answer::refusal(status, body));
        let (exit, line) = failed(folder.path(), &["--url", &server.origin()]);
        assert_eq!(exit, Some(code), "{line}");
        assert!(line.contains("no \\u{1b}[2J\\n feature"), "{line}");
        assert_eq!(line.lines().count(), 1, "{line:?}");
    }
}

/// Another process may have the port that the configuration names.
#[test]
fn where_another_server_has_the_port_it_is_explained_alone_and_told() {
    let server = ScriptedUpstream::start(|_| Answer::ok("<html>welcome</html>"));
    let folder = folder(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "document.json"}],
        "admin": {"port": server.address().port()},
    }));
    std::fs::write(folder.path().join("document.json"), document().to_string()).unwrap();
    let output = run(folder.path(), &QUESTION);
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    assert!(
        told.contains(FOREIGN) && told.contains("from the configuration alone"),
        "{told}"
    );
    assert!(text(&output.stdout).contains("shop  on   \"closed\"  DEFAULT"));
}

/// As in a container without IPv6, where nobody is at `::1`.
#[test]
fn a_port_on_any_address_is_asked_over_both_families() {
    let proxy = Proxy::start(ProxyOptions {
        config: json!({"admin": {"port": 0}}),
        ..ProxyOptions::default()
    });
    let admin = json!({"host": "::", "port": proxy.admin().port()}).to_string();
    let mut command = command(proxy.folder());
    let output = command.arg("explain").env("ADMIN", admin).output().unwrap();
    assert_eq!(text(&output.stderr), "");
    let told = text(&output.stdout);
    assert!(
        told.lines().next().unwrap().ends_with("from the running proxy"),
        "{told}"
    );
}
