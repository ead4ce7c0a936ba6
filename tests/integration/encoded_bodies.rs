//! Bodies of requests in a content coding.
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

use crate::harness::{App, CLIENT_KEY, Options, Request, Response, spawn_app};

const MEBIBYTE: usize = 1024 * 1024;
const TOKEN: &str = "queue-change-token";

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn identity(coding: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::post("/api/v1/identities/", body)
        .key(CLIENT_KEY)
        .header("Content-Encoding", coding)
}

/// Sends a body, and another request on the same connection, which must be answered.
fn post(app: &App, coding: &str, body: impl Into<Vec<u8>>) -> Response {
    let mut connection = app.connect();
    let response = connection.send(&identity(coding, body));
    let next = connection.send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
    assert_eq!(next.status, 200, "{coding}");
    response
}

/// A valid identity of exactly this many bytes.
fn identity_of(bytes: usize) -> Vec<u8> {
    let (start, end) = (r#"{"identifier":"bob","ignored":""#, r#""}"#);
    format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len())).into()
}

#[test]
fn gzip_is_decoded() {
    let app = spawn_app(Options::default());
    let plain = br#"{"identifier":"bob","traits":[{"trait_key":"a","trait_value":1}]}"#;
    let expected = app.send(Request::post("/api/v1/identities/", plain).key(CLIENT_KEY));
    let (start, end) = plain.split_at(20);
    let members = [gzip(start), gzip(b""), gzip(end)].concat();
    // Random text does not shrink: this one takes the way of large bodies.
    let noise: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(60_000)
        .collect();
    let large =
        json!({"identifier": "bob", "ignored": noise, "traits": [{"trait_key": "a", "trait_value": 1}]});
    for (coding, body) in [
        ("gzip", gzip(plain)),
        ("x-gzip", gzip(plain)),
        ("GZIP", gzip(plain)),
        ("gzip, identity", gzip(plain)),
        ("gzip", members),
        ("gzip", gzip(large.to_string().as_bytes())),
        ("identity", plain.to_vec()),
        ("", plain.to_vec()),
    ] {
        let response = post(&app, coding, body);
        assert_eq!(
            (response.status, &response.body),
            (200, &expected.body),
            "{coding}"
        );
    }

    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
          Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    for byte in gzip(plain) {
        connection.write(&[b'1', b'\r', b'\n', byte, b'\r', b'\n']);
    }
    connection.write(b"0\r\n\r\n");
    assert_eq!(connection.read(false).body, expected.body);
}

#[test]
fn the_limit_holds_for_what_a_body_decodes_to() {
    let app = spawn_app(Options::default());
    assert_eq!(post(&app, "gzip", gzip(&identity_of(MEBIBYTE))).status, 200);
    let bomb = gzip(&vec![b' '; 16 * MEBIBYTE]);
    assert!(bomb.len() < MEBIBYTE / 2);
    for (what, body) in [
        ("a byte too many", gzip(&identity_of(MEBIBYTE + 1))),
        ("a bomb", bomb),
        ("a bomb of members", gzip(&vec![b' '; MEBIBYTE / 2]).repeat(3)),
    ] {
        let response = post(&app, "gzip", body);
        assert_eq!(response.status, 413, "{what}");
        assert_eq!(response.json()["status"], "payload_too_large", "{what}");
    }
}

#[test]
fn another_coding_is_415_that_names_what_is_accepted() {
    let app = spawn_app(Options::default());
    for coding in ["br", "deflate", "zstd", "gzip, gzip", "gzip, br", "\u{e9}"] {
        let response = post(&app, coding, "{}");
        assert_eq!(response.status, 415, "{coding}");
        assert_eq!(response.json()["status"], "unsupported_media_type", "{coding}");
        assert!(
            response.json()["message"].as_str().unwrap().contains("gzip"),
            "{coding}"
        );
        assert_eq!(
            response.header("accept-encoding"),
            Some("gzip, identity"),
            "{coding}"
        );
        assert_eq!(response.header("cache-control"), Some("no-store"), "{coding}");
    }
    let unknown = Request::post("/api/v1/identities/", "{}").header("Content-Encoding", "br");
    assert_eq!(app.send(unknown).status, 401, "the key comes first");
}

#[test]
fn a_broken_gzip_body_is_400() {
    let app = spawn_app(Options::default());
    let whole = gzip(br#"{"identifier":"bob"}"#);
    let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(60_000).collect();
    let large = gzip(&noise);
    for (what, body) in [
        ("truncated", whole[..whole.len() - 1].to_vec()),
        ("in its head", whole[..5].to_vec()),
        ("not gzip", b"{\"identifier\":\"bob\"}".to_vec()),
        ("followed by something", [whole.as_slice(), b"{}"].concat()),
        ("large and truncated", large[..large.len() - 1].to_vec()),
    ] {
        let response = post(&app, "gzip", body);
        assert_eq!(response.status, 400, "{what}");
        assert_eq!(
            response.json()["message"],
            "the gzip body is incomplete or broken",
            "{what}"
        );
    }
}

#[test]
fn a_change_is_announced_in_gzip_too() {
    let app = spawn_app(Options {
        config: json!({"realtime": {"authentication_token": TOKEN}}),
        ..Options::default()
    });
    let body = gzip(br#"{"updated_at":"2024-12-26T16:18:08.76+00:00"}"#);
    let change = Request::post("/sse/environments/client-key/queue-change", body)
        .header("Authorization", &format!("Token {TOKEN}"));
    assert_eq!(app.send(change.clone()).status, 400);
    assert_eq!(app.send(change.header("Content-Encoding", "gzip")).status, 200);
}
