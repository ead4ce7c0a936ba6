//! What a POST may carry.
use std::time::Duration;

use edge_proxy::application::Limits;
use serde_json::json;

use crate::harness::{App, CLIENT_KEY, Options, Request, Response, spawn_app};

const MEBIBYTE: usize = 1024 * 1024;

fn post(app: &App, body: impl Into<Vec<u8>>) -> Response {
    app.send(Request::post("/api/v1/identities/", body).key(CLIENT_KEY))
}

/// A valid identity of exactly this many bytes.
fn identity_of(bytes: usize) -> String {
    let (start, end) = (r#"{"identifier":"bob","ignored":""#, r#""}"#);
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
}

#[test]
fn the_limit_is_one_mebibyte() {
    let app = spawn_app(Options::default());
    assert_eq!(post(&app, identity_of(MEBIBYTE)).status, 200);
    let response = post(&app, identity_of(MEBIBYTE + 1));
    assert_eq!(response.status, 413);
    assert_eq!(response.json()["status"], "payload_too_large");
}

#[test]
fn an_announced_length_past_the_limit_is_refused_before_the_body_comes() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
          Content-Length: 99999999999\r\n\r\n",
    );
    assert_eq!(connection.read(false).status, 413);
}

#[test]
fn a_chunked_body_is_held_to_the_limit_too() {
    let app = spawn_app(Options::default());
    let head = b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
        Transfer-Encoding: chunked\r\n\r\n";
    let mut connection = app.connect();
    connection.write(head);
    for part in [r#"{"identi"#, r#"fier":"b"#, r#"ob"}"#] {
        connection.write(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes());
    }
    connection.write(b"0\r\n\r\n");
    let response = connection.read(false);
    assert_eq!(
        (response.status, response.json()["identifier"].as_str()),
        (200, Some("bob"))
    );

    connection.write(head);
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
    for _ in 0..17 {
        connection.try_write(chunk.as_bytes());
    }
    assert_eq!(connection.read(false).status, 413);
}

#[test]
fn a_key_is_judged_before_the_body() {
    let app = spawn_app(Options::default());
    for body in ["not json".to_owned(), identity_of(MEBIBYTE + 1)] {
        let response = app.send(Request::post("/api/v1/identities/", body).key("unknown"));
        assert_eq!(response.status, 401);
    }
    // The head alone suffices: the body never comes.
    let mut connection = app.connect();
    connection.write(b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nContent-Length: 100\r\n\r\n");
    assert_eq!(connection.read(false).status, 401);
}

#[test]
fn a_body_that_was_not_read_does_not_spoil_the_connection() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for key in ["unknown", CLIENT_KEY, "", CLIENT_KEY, "unknown", CLIENT_KEY] {
        let expected = if key == CLIENT_KEY { 200 } else { 401 };
        let request = Request::post("/api/v1/identities/", json!({"identifier": "bob"}).to_string()).key(key);
        assert_eq!(connection.send(&request).status, expected);
    }
    let mut connection = app.connect();
    let refused = connection.send(&Request::post("/api/v1/flags/", "ignored".repeat(50)).key(CLIENT_KEY));
    assert_eq!(refused.status, 405);
    assert_eq!(
        connection
            .send(&Request::post("/nowhere", "ignored".repeat(50)))
            .status,
        404
    );
    assert_eq!(
        connection
            .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
            .status,
        200
    );
}

#[test]
fn garbage_is_400_with_nothing_of_it_in_the_answer() {
    let app = spawn_app(Options::default());
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let deep_traits =
        format!(r#"{{"identifier":"bob","traits":[{{"trait_key":"k","trait_value":{deep}}}]}}"#);
    let bodies: Vec<Vec<u8>> = vec![
        b" ".to_vec(),
        b"s3cret".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        b"\"s3cret\"".to_vec(),
        br#"{"identifier":"s3cret""#.to_vec(),
        br#"{"identifier":{"s3cret":1}}"#.to_vec(),
        br#"{"identifier":true}"#.to_vec(),
        br#"{"identifier":["s3cret"]}"#.to_vec(),
        br#"{"identifier":"bob","traits":{"s3cret":1}}"#.to_vec(),
        br#"{"identifier":"bob","traits":["s3cret"]}"#.to_vec(),
        br#"{"identifier":"bob","traits":[{"trait_value":"s3cret"}]}"#.to_vec(),
        br#"{"identifier":"bob","traits":[{"trait_key":true,"trait_value":"s3cret"}]}"#.to_vec(),
        b"{\"identifier\":\"\xff\xfes3cret\"}".to_vec(),
        deep.clone().into_bytes(),
        deep_traits.into_bytes(),
        json!({"identifier": "bob", "traits": [{"trait_key": "k".repeat(201), "trait_value": 1}]})
            .to_string()
            .into(),
        json!({"identifier": "bob", "traits": [{"trait_key": "k", "trait_value": "v".repeat(2001)}]})
            .to_string()
            .into(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let response = post(&app, body);
        assert_eq!(response.status, 400, "{shown}");
        assert_eq!(response.json()["status"], "bad_request", "{shown}");
        assert!(
            !response.text().contains("s3cret"),
            "{shown}: {}",
            response.text()
        );
        assert!(response.body.len() < 1000, "{shown}");
    }
    assert_eq!(app.get("/api/v1/flags/").status, 200);
}

#[test]
fn the_content_type_does_not_matter() {
    let app = spawn_app(Options::default());
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-8",
        "",
    ] {
        let request = Request::post(
            "/api/v1/identities/?x=y",
            json!({"identifier": "bob"}).to_string(),
        )
        .key(CLIENT_KEY)
        .header("Content-Type", content_type);
        assert_eq!(app.send(request).status, 200, "{content_type}");
    }
}

#[test]
fn a_body_that_does_not_come_in_time_is_408() {
    let app = spawn_app(Options {
        config: json!({"server": {"request_body_timeout_seconds": 0.1}}),
        ..Options::default()
    });
    // As the first request of its connection, and as a later one.
    for requests_before in [0, 3] {
        let mut connection = app.connect();
        for _ in 0..requests_before {
            let request = Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY);
            assert_eq!(connection.send(&request).status, 200);
        }
        connection.write(
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
              Content-Length: 100000\r\n\r\n{\"identifier\":",
        );
        // More of it gives no more time.
        let mut writer = connection.duplicate();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let is_taken = |_: &i32| {
                    std::thread::yield_now();
                    writer.try_write(b" ").is_ok()
                };
                (0..90_000).take_while(is_taken).count()
            });
            let response = connection.read(false);
            assert_eq!(response.status, 408);
            assert_eq!(response.json()["status"], "request_timeout");
            assert!(connection.is_closed());
        });
    }
}

#[test]
fn a_body_that_ends_early_harms_nobody() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
          Content-Length: 100\r\n\r\n{\"identifier\":",
    );
    connection.finish();
    let rest = connection.rest();
    assert!(
        rest.starts_with(b"HTTP/1.1 400"),
        "{:?}",
        String::from_utf8_lossy(&rest)
    );
    assert_eq!(app.get("/api/v1/flags/").status, 200);
}

/// Requests whose answer does not wait for their body, up to its framing.
const REFUSED: [(&str, u16); 8] = [
    (
        "POST /api/v1/identities/ HTTP/1.1\r\nX-Environment-Key: unknown",
        401,
    ),
    ("POST /nowhere HTTP/1.1", 404),
    ("POST /api/v1/flags/ HTTP/1.1", 405),
    ("PUT /api/v1/identities/ HTTP/1.1", 405),
    ("OPTIONS /api/v1/flags/ HTTP/1.1", 200),
    (
        "OPTIONS /api/v1/flags/ HTTP/1.1\r\nOrigin: http://a\r\nAccess-Control-Request-Method: GET",
        200,
    ),
    (
        "GET /api/v1/flags/ HTTP/1.1\r\nX-Environment-Key: client-key",
        200,
    ),
    ("GET /proxy/health HTTP/1.1", 200),
];

const FRAMINGS: [&str; 2] = [
    "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
    "Content-Length: 99999999\r\n\r\nabcde",
];

fn ends_connections_after(disconnect: Duration) -> App {
    spawn_app(Options {
        limits: Limits {
            disconnect,
            ..Options::default().limits
        },
        ..Options::default()
    })
}

#[test]
fn a_body_that_never_ends_behind_an_answer_ends_the_connection() {
    let app = ends_connections_after(Duration::from_millis(600));
    let mut connections = Vec::new();
    for (head, status) in REFUSED {
        for framing in FRAMINGS {
            let mut connection = app.connect();
            connection.write(format!("{head}\r\nHost: proxy\r\n{framing}").as_bytes());
            assert_eq!(connection.read(false).status, status, "{head}");
            connections.push((head, connection));
        }
    }
    for (head, mut connection) in connections {
        assert!(connection.is_closed(), "{head}");
    }
}

#[test]
fn a_body_behind_an_answer_is_not_read_off_for_ever() {
    const AT_ONCE: usize = 64 * 1024;
    // No time ends it here.
    let app = ends_connections_after(Duration::from_secs(3_600));
    let chunk = format!("{AT_ONCE:x}\r\n{}\r\n", "x".repeat(AT_ONCE));
    let too_large = (
        // 413, and that one reads up to its limit first.
        "POST /api/v1/identities/ HTTP/1.1\r\nX-Environment-Key: client-key",
        413,
    );
    for (head, _) in REFUSED.into_iter().chain([too_large]) {
        for framing in FRAMINGS {
            let mut connection = app.connect();
            connection.write(format!("{head}\r\nHost: proxy\r\n{framing}").as_bytes());
            let mut writer = connection.duplicate();
            let mut written = 0;
            while writer.try_write(chunk.as_bytes()).is_ok() {
                written += AT_ONCE;
                // The kernel takes some megabytes on both sides.
                assert!(written < 64 * 1024 * 1024, "{head}");
            }
        }
    }
}

#[test]
fn a_chunked_body_that_nobody_wanted_does_not_spoil_the_connection() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for (head, status) in [REFUSED[0], REFUSED[1], REFUSED[2], REFUSED[6], REFUSED[4]] {
        let body = "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n0\r\n\r\n";
        connection.write(format!("{head}\r\nHost: proxy\r\n{body}").as_bytes());
        assert_eq!(connection.read(false).status, status, "{head}");
    }
}
