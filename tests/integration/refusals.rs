//! What is no request is answered like everything else: JSON, CORS, `Connection: close`, a line in the access log.
use serde_json::json;

use crate::harness::{Connection, Options, Proxy, ProxyOptions, Response, spawn_app};

fn long(bytes: usize) -> String {
    "x".repeat(bytes)
}

/// Heads that nobody can answer, the status that each gets, and a part of the message.
fn heads() -> Vec<(Vec<u8>, u16, &'static str)> {
    let post = "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n";
    let text = |head: &str, status, message| (head.as_bytes().to_vec(), status, message);
    vec![
        text(
            "GET /api/v1/flags/ HTTP/1.1\r\n\r\n",
            400,
            "Host header is missing",
        ),
        text(
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            400,
            "more than one Host",
        ),
        text(
            &format!("{post}Content-Length: -1\r\n\r\n{{}}"),
            400,
            "Content-Length",
        ),
        text(
            &format!("{post}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{{}}"),
            400,
            "Content-Length",
        ),
        text(
            &format!("{post}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{{}}"),
            400,
            "exclude each other",
        ),
        text(
            &format!("{post}Transfer-Encoding: gzip, chunked\r\n\r\n"),
            400,
            "Transfer-Encoding",
        ),
        text("GET / HTTP/1.1\r\nHost: p\r\nno field\r\n\r\n", 400, "field"),
        text("GET / HTTP/1.1\r\nHost: p\r\nA: b\u{1}\r\n\r\n", 400, "field"),
        text("GET / HTTP/1.1\r\nHost: p\r\n folded\r\n\r\n", 400, "field"),
        text("GET /\u{7f} HTTP/1.1\r\nHost: p\r\n\r\n", 400, "percent-encoded"),
        text("GET / HTTP/3.0\r\nHost: p\r\n\r\n", 400, "HTTP/1.1"),
        text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "HTTP/1.1"),
        text("hello\r\n\r\n", 400, "no HTTP"),
        (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            400,
            "TLS",
        ),
        text(
            &format!("GET / HTTP/1.1\r\nHost: p\r\n{}\r\n", "X: 1\r\n".repeat(100)),
            431,
            "too many",
        ),
        text(
            &format!("GET / HTTP/1.1\r\nHost: p\r\nX: {}\r\n\r\n", long(200_000)),
            431,
            "too large",
        ),
        text(
            &format!("GET /{} HTTP/1.1\r\nHost: p\r\n\r\n", long(70_000)),
            414,
            "too long",
        ),
        text(
            &format!("GET /{} HTTP/1.1\r\nHost: p\r\n\r\n", long(200_000)),
            414,
            "too long",
        ),
        text(
            &format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n"),
            400,
            "framing is broken",
        ),
        text(
            &format!("{post}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}zz\r\n"),
            400,
            "framing is broken",
        ),
    ]
}

fn assert_refused(answer: &Response, status: u16, message: &str) {
    let name = format!("{status} {message}");
    assert_eq!(answer.status, status, "{name}");
    assert_eq!(answer.header("connection"), Some("close"), "{name}");
    assert_eq!(answer.header("content-type"), Some("application/json"), "{name}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{name}");
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{name}");
    assert_eq!(answer.header("vary"), Some("X-Environment-Key"), "{name}");
    assert!(answer.header("date").is_some(), "{name}");
    let body = answer.json();
    assert_eq!(body["detail"], body["message"], "{name}");
    assert!(
        body["message"].as_str().unwrap().contains(message),
        "{name}: {body}"
    );
    assert!(body["status"].is_string(), "{name}");
}

/// Sends bytes and does not stop to read where they are not taken.
fn send(connection: &mut Connection, bytes: &[u8]) {
    let mut writer = connection.duplicate();
    for part in bytes.chunks(8_192) {
        if writer.try_write(part).is_err() {
            break;
        }
    }
}

#[test]
fn what_the_parser_refuses_is_answered() {
    let app = spawn_app(Options::default());
    for (head, status, message) in heads() {
        let mut connection = app.connect();
        send(&mut connection, &head);
        assert_refused(&connection.read(false), status, message);
        assert!(connection.is_closed(), "{message}");
    }
}

#[test]
fn answers_go_out_before_the_refusal_of_what_follows() {
    let app = spawn_app(Options::default());
    let flags = b"GET /api/v1/flags/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n\r\n";
    for (head, status, message) in heads() {
        let mut connection = app.connect();
        send(&mut connection, &[&flags[..], flags, &head].concat());
        for _ in 0..2 {
            assert_eq!(connection.read(false).status, 200, "{message}");
        }
        assert_refused(&connection.read(false), status, message);
        assert!(connection.is_closed(), "{message}");
    }
}

#[test]
fn the_refusal_of_a_head_request_has_no_body() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(b"HEAD / HTTP/1.1\r\n\r\n");
    assert_eq!(connection.read(true).status, 400);
    assert!(connection.is_closed());
}

#[test]
fn refusals_are_read_by_the_listed_origins_alone() {
    let app = spawn_app(Options {
        config: json!({"allow_origins": ["https://a.example"]}),
        ..Options::default()
    });
    for (origin, allowed) in [
        ("https://a.example", Some("https://a.example")),
        ("https://b.example", None),
    ] {
        let mut connection = app.connect();
        connection.write(format!("GET / HTTP/1.1\r\nOrigin: {origin}\r\n\r\n").as_bytes());
        let answer = connection.read(false);
        assert_eq!(answer.header("access-control-allow-origin"), allowed);
        assert_eq!(answer.header("vary"), Some("X-Environment-Key, Origin"));
    }
}

#[test]
fn a_slow_head_is_answered() {
    // Long enough for a head that comes at once, on a slow and busy machine.
    let app = spawn_app(Options {
        config: json!({"server": {"request_head_timeout_seconds": 2}}),
        ..Options::default()
    });
    let flags = "GET /api/v1/flags/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n\r\n";
    let post = "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\nContent-Length: 2\r\n\r\n{}";
    // As the first, behind a request, and behind a body.
    let connections = ["", flags, post].map(|before| {
        let mut connection = app.connect();
        connection.write(format!("{before}GET / HTTP/1.1\r\nHo").as_bytes());
        if !before.is_empty() {
            assert_eq!(connection.read(false).status, 200);
        }
        connection
    });
    for mut connection in connections {
        assert_refused(&connection.read(false), 408, "in time");
        assert!(connection.is_closed());
    }
}

#[test]
fn refusals_are_lines_of_the_access_log() {
    let mut proxy = Proxy::start(ProxyOptions {
        logging: json!({"enable_access_log": true}),
        ..ProxyOptions::default()
    });
    for request in [&b"GET /secret?key=secret HTTP/1.1\r\n\r\n"[..], b"hello\r\n\r\n"] {
        let mut connection = proxy.connect();
        connection.write(request);
        assert_eq!(connection.read(false).status, 400);
    }
    proxy.signal("INT");
    let (_, log) = proxy.wait();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains(" status=400 ")).collect();
    assert!(
        matches!(&lines[..], [first, second] if first.contains("GET") && !second.contains("hello")),
        "{log}"
    );
    assert!(lines.iter().all(|line| line.contains("127.0.0.1")), "{log}");
    assert!(!log.contains("secret"), "{log}");
}
