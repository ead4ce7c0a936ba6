//! What a peer may do to a socket: none of it may harm another request.
use serde_json::json;

use crate::harness::{App, CLIENT_KEY, Options, Request, event, spawn_app};
use crate::realtime::changed;

const FLAGS: &[u8] = b"GET /api/v1/flags/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\r\n";

fn still_answers(app: &App) {
    assert_eq!(app.get("/api/v1/flags/").status, 200);
}

/// Sends bytes and says what status line came back, if any. The proxy may refuse to read them to their end; what it
/// answered before is there all the same.
fn answer_to(app: &App, bytes: &[u8]) -> Option<u16> {
    let mut connection = app.connect();
    connection.try_write(bytes);
    connection.try_finish();
    let rest = connection.rest();
    let line = rest.split(|byte| *byte == b'\r').next()?;
    std::str::from_utf8(line).ok()?.split(' ').nth(1)?.parse().ok()
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    let unknown = b"GET /api/v1/flags/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: no\r\n\r\n";
    connection.write(&[FLAGS, unknown, FLAGS, unknown].concat());
    for expected in [200, 401, 200, 401] {
        assert_eq!(connection.read(false).status, expected);
    }
}

#[test]
fn a_request_may_come_byte_by_byte() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for byte in FLAGS {
        connection.write(&[*byte]);
    }
    assert_eq!(connection.read(false).status, 200);
}

#[test]
fn what_is_no_request_is_refused_or_dropped() {
    let app = spawn_app(Options::default());
    let huge_header = format!(
        "GET /api/v1/flags/ HTTP/1.1\r\nHost: proxy\r\nX-Huge: {}\r\n\r\n",
        "x".repeat(200_000)
    );
    let many_headers = format!("GET / HTTP/1.1\r\n{}\r\n", "X-Many: 1\r\n".repeat(5_000));
    let request_of_path = |bytes| format!("GET /{} HTTP/1.1\r\nHost: proxy\r\n\r\n", "x".repeat(bytes));
    let (long_path, longer_path) = (request_of_path(70_000), request_of_path(200_000));
    // `None`: the connection ends without an answer.
    let cases: [(&str, &[u8], Option<u16>); 15] = [
        ("nothing", b"", None),
        ("half a request", b"GET /api/v1/fla", None),
        ("noise", &[0xff, 0x00, 0x80, b'\r', b'\n', b'\r', b'\n'], Some(400)),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", Some(400)),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some(400)),
        ("a huge header", huge_header.as_bytes(), Some(431)),
        ("many headers", many_headers.as_bytes(), Some(431)),
        ("a long path", long_path.as_bytes(), Some(414)),
        ("a path longer than a head", longer_path.as_bytes(), Some(414)),
        ("a header without a colon", b"GET / HTTP/1.1\r\nnonsense\r\n\r\n", Some(400)),
        (
            "two lengths",
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            Some(400),
        ),
        (
            "a length that is none",
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nContent-Length: -1\r\n\r\n{}",
            Some(400),
        ),
        (
            "a chunk without a size",
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n\
              Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            Some(400),
        ),
        (
            "a chunk of more than can be",
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\n\
              Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
            Some(400),
        ),
        (
            "a body that never comes",
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: client-key\r\nContent-Length: 9\r\n\r\n",
            Some(400),
        ),
    ];
    for (name, bytes, expected) in cases {
        let answer = answer_to(&app, bytes);
        assert_eq!(answer, expected, "{name}");
        still_answers(&app);
    }
}

/// The time of a head is short, and long enough for one that comes at once, on a slow and busy machine.
fn impatient() -> App {
    spawn_app(Options {
        config: json!({"server": {"request_head_timeout_seconds": 2}}),
        ..Options::default()
    })
}

#[test]
fn a_head_that_does_not_come_in_time_ends_the_connection() {
    let app = impatient();
    let mut connection = app.connect();
    connection.write(b"GET /api/v1/flags/ HTTP/1.1\r\nHost:");
    assert!(connection.rest().starts_with(b"HTTP/1.1 408"));
}

#[test]
fn every_head_of_a_kept_connection_is_timed() {
    let app = impatient();
    // In a packet of its own, and in that of the head before it.
    let begun = [(FLAGS.to_vec(), &b"G"[..]), ([FLAGS, b"G"].concat(), b"")].map(|(first, then)| {
        let mut connection = app.connect();
        connection.write(&first);
        assert_eq!(connection.read(false).status, 200);
        connection.write(then);
        connection
    });
    for mut connection in begun {
        assert!(connection.rest().starts_with(b"HTTP/1.1 408"));
    }
    // More of it gives no more time.
    let mut connection = app.connect();
    for _ in 0..3 {
        connection.write(FLAGS);
        assert_eq!(connection.read(false).status, 200);
    }
    connection.write(b"GET /api/v1/flags/ HTTP/1.1\r\nX-Endless: ");
    std::thread::scope(|scope| {
        let mut writer = connection.duplicate();
        scope.spawn(move || while writer.try_write(b"x").is_ok() {});
        assert!(connection.rest().starts_with(b"HTTP/1.1 4"));
    });
}

#[test]
fn a_head_behind_a_body_is_timed_too() {
    let app = impatient();
    let mut connection = app.connect();
    let request = Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY);
    connection.write(&[&request.bytes()[..], b"G"].concat());
    assert_eq!(connection.read(false).status, 200);
    assert!(connection.rest().starts_with(b"HTTP/1.1 408"));
}

#[test]
fn http_1_0_is_answered_and_closed() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(b"GET /api/v1/flags/ HTTP/1.0\r\nX-Environment-Key: client-key\r\n\r\n");
    assert_eq!(connection.read(false).status, 200);
    assert!(connection.is_closed());
}

#[test]
fn expect_continue_is_honoured() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\nExpect: 100-continue\r\n\
          Content-Length: 20\r\n\r\n",
    );
    assert_eq!(connection.read_head().status, 100);
    connection.write(br#"{"identifier":"bob"}"#);
    assert_eq!(connection.read(false).status, 200);
}

#[test]
fn connections_that_vanish_leave_the_others_alone() {
    let app = spawn_app(Options::default());
    let mut steady = app.connect();
    for _ in 0..50 {
        let mut vanishing = app.connect();
        vanishing.write(FLAGS);
        drop(vanishing);
        assert_eq!(
            steady
                .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
                .status,
            200
        );
    }
}

#[test]
fn a_stream_over_http_1_0_has_no_chunks_and_ends_with_its_connection() {
    let app = spawn_app(Options {
        config: serde_json::json!({"realtime": {"max_stream_age_seconds": 1}}),
        ..Options::default()
    });
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    let mut connection = app.connect();
    connection.write(b"GET /sse/environments/client-key/stream HTTP/1.0\r\n\r\n");
    let head = connection.read_head();
    assert_eq!(
        (
            head.status,
            head.header("content-type"),
            head.header("transfer-encoding")
        ),
        (200, Some("text/event-stream"), None)
    );
    let body = String::from_utf8(connection.rest()).unwrap();
    let (retry, rest) = body.split_once("\n\n").unwrap();
    assert!(retry.starts_with("retry: "), "{body:?}");
    assert!(rest.starts_with(&event("1795289031.0")), "{body:?}");
}
