//! Content codings by weight, from 1000 bytes on.
use std::io::Read;

use serde_json::json;

use crate::harness::{CLIENT_KEY, Options, Request, Response, SERVER_KEY, spawn_app, with_many_features};

fn decoded(response: &Response) -> Vec<u8> {
    let mut plain = Vec::new();
    match response.header("content-encoding") {
        None => plain.extend_from_slice(&response.body),
        Some("gzip") => {
            flate2::read::GzDecoder::new(&response.body[..])
                .read_to_end(&mut plain)
                .unwrap();
        }
        Some("br") => {
            brotli::Decompressor::new(&response.body[..], 4096)
                .read_to_end(&mut plain)
                .unwrap();
        }
        Some("zstd") => plain = zstd::decode_all(&response.body[..]).unwrap(),
        Some(other) => panic!("{other} was not offered"),
    }
    plain
}

fn large() -> [Request; 5] {
    let identity = json!({"identifier": "bob"}).to_string();
    [
        Request::get("/api/v1/flags/").key(CLIENT_KEY),
        Request::get("/api/v1/flags/").key(SERVER_KEY),
        Request::get("/api/v1/identities/?identifier=bob").key(CLIENT_KEY),
        Request::post("/api/v1/identities/", identity).key(CLIENT_KEY),
        Request::get("/api/v1/environment-document/").key(SERVER_KEY),
    ]
}

#[test]
fn every_large_answer_comes_in_the_coding_that_weighs_most() {
    // 400 features: an identity's answer is large enough to be compressed off the worker's thread.
    for features in [30, 400] {
        let app = spawn_app(Options {
            document: Some(with_many_features(features).to_string()),
            ..Options::default()
        });
        for request in large() {
            let plain = app.send(request.clone());
            assert!(plain.body.len() >= 1000);
            assert_eq!(plain.header("content-encoding"), None);
            for (accepted, expected) in [
                ("gzip", Some("gzip")),
                ("br", Some("br")),
                ("zstd", Some("zstd")),
                ("gzip;q=0.5, br;q=0.7, zstd;q=0.6", Some("br")),
                ("identity;q=0, gzip", Some("gzip")),
                ("identity", None),
                ("gzip;q=0", None),
                ("deflate", None),
                ("*;q=0.1, gzip;q=0, br;q=0", Some("zstd")),
            ] {
                let response = app.send(request.clone().header("Accept-Encoding", accepted));
                assert_eq!(
                    response.header("content-encoding"),
                    expected,
                    "{request:?} {accepted}"
                );
                assert_eq!(
                    response.header("vary"),
                    Some("X-Environment-Key, Accept-Encoding"),
                    "{request:?}"
                );
                assert_eq!(decoded(&response), plain.body, "{request:?} {accepted}");
                assert!(expected.is_none() || response.body.len() < plain.body.len());
            }
        }
    }
}

#[test]
fn small_answers_and_health_are_never_compressed() {
    let app = spawn_app(Options::default());
    for path in [
        "/api/v1/flags/",
        "/api/v1/flags/?feature=zebra",
        "/health",
        "/proxy/health/readiness",
        "/nowhere",
    ] {
        let response = app.send(
            Request::get(path)
                .key(CLIENT_KEY)
                .header("Accept-Encoding", "gzip, br, zstd"),
        );
        assert_eq!(response.header("content-encoding"), None, "{path}");
        assert!(response.body.len() < 1000, "{path}");
    }
}

#[test]
fn a_coding_asked_for_by_many_at_once_is_the_same_for_all() {
    let app = spawn_app(Options {
        document: Some(with_many_features(300).to_string()),
        ..Options::default()
    });
    let answers: Vec<_> = std::thread::scope(|scope| {
        let request = Request::get("/api/v1/flags/")
            .key(CLIENT_KEY)
            .header("Accept-Encoding", "br");
        let threads: Vec<_> = (0..8)
            .map(|_| {
                let (app, request) = (&app, request.clone());
                scope.spawn(move || app.send(request))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let plain = app.get("/api/v1/flags/").body;
    for answer in &answers {
        assert_eq!(answer.header("content-encoding"), Some("br"));
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(decoded(answer), plain);
    }
}
