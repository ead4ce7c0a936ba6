//! Content codings by weight, from 1000 bytes on.
use std::io::Read;

use serde_json::json;
use test_support::http::ask_until_answered;

use crate::harness::{
    CLIENT_KEY, Options, Request, Response, SERVER_KEY, heavy_identity, spawn_app, with_heavy_segment,
    with_many_features,
};

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

/// What requests for a list of flags answer, the identity's first.
fn kinds() -> [(Request, [Option<&'static str>; 4]); 4] {
    let identity = json!({"identifier": "bob"}).to_string();
    let flags = [Some("br"), Some("br"), Some("gzip"), Some("zstd")];
    let single = [Some("gzip"), Some("gzip"), Some("gzip"), Some("zstd")];
    let get = |path| Request::get(path).key(CLIENT_KEY);
    [
        (get("/api/v1/flags/"), flags),
        (get("/api/v1/identities/?identifier=bob"), single),
        (
            Request::post("/api/v1/identities/", identity).key(CLIENT_KEY),
            single,
        ),
        (
            get("/api/v1/identities/?identifier=bob&feature=feature_0"),
            single,
        ),
    ]
}

#[test]
fn what_is_made_for_one_request_is_gzip_where_the_request_leaves_the_choice() {
    let mut document = with_many_features(30);
    let states = document["feature_states"].as_array_mut().unwrap();
    let first = states
        .iter_mut()
        .find(|state| state["feature"]["name"] == "feature_0");
    first.unwrap()["feature_state_value"] = json!("a long value ".repeat(100));
    let app = spawn_app(Options {
        document: Some(document.to_string()),
        ..Options::default()
    });
    for (request, expected) in kinds() {
        let plain = app.send(request.clone()).body;
        let accepted = [
            "gzip, deflate, br",
            "br, zstd, gzip",
            "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
            "zstd",
        ];
        for (accepted, expected) in accepted.into_iter().zip(expected) {
            let response = app.send(request.clone().header("Accept-Encoding", accepted));
            assert_eq!(
                response.header("content-encoding"),
                expected,
                "{request:?} {accepted}"
            );
            assert_eq!(decoded(&response), plain, "{request:?} {accepted}");
        }
        let deflate = app.send(request.clone().header("Accept-Encoding", "deflate"));
        assert_eq!(deflate.header("content-encoding"), None, "{request:?}");
        assert_eq!(deflate.body, plain, "{request:?}");
    }
}

#[test]
fn a_head_is_that_of_the_same_get_in_every_coding() {
    let app = spawn_app(Options {
        document: Some(with_many_features(30).to_string()),
        ..Options::default()
    });
    for path in ["/api/v1/flags/", "/api/v1/identities/?identifier=bob"] {
        for accepted in ["gzip", "br", "zstd", "identity"] {
            let [get, head] = ["GET", "HEAD"].map(|method| {
                app.send(
                    Request::new(method, path)
                        .key(CLIENT_KEY)
                        .header("Accept-Encoding", accepted),
                )
            });
            assert_eq!(head.status, 200);
            assert_eq!(head.body, b"");
            let length = get.body.len().to_string();
            assert_eq!(head.header("content-length"), Some(&*length), "{path} {accepted}");
            for name in [
                "content-encoding",
                "content-type",
                "vary",
                "etag",
                "cache-control",
            ] {
                assert_eq!(head.header(name), get.header(name), "{name} of {path} {accepted}");
            }
        }
    }
}

#[test]
fn identities_are_compressed_from_1000_bytes_of_their_plain_body() {
    let app = spawn_app(Options::default());
    let ask = |length: usize, accepted: &str| {
        let path = format!("/api/v1/identities/?identifier={}", "x".repeat(length));
        app.send(
            Request::get(&path)
                .key(CLIENT_KEY)
                .header("Accept-Encoding", accepted),
        )
    };
    let rest = ask(1, "identity").body.len() - 1;
    let mut seen = [0, 0];
    // A longer identifier may get other flags.
    for length in 1_000 - rest - 60..1_000 - rest + 60 {
        let plain = ask(length, "identity").body;
        for accepted in ["gzip", "zstd"] {
            let response = ask(length, accepted);
            let is_compressed = response.header("content-encoding").is_some();
            assert_eq!(
                is_compressed,
                plain.len() >= 1_000,
                "{} bytes, {accepted}",
                plain.len()
            );
            assert_eq!(decoded(&response), plain);
            seen[usize::from(is_compressed)] += 1;
        }
    }
    assert!(seen.iter().all(|seen| *seen > 10), "{seen:?}");
}

#[test]
fn heavy_identities_and_those_that_send_much_are_compressed() {
    let mut document = with_heavy_segment();
    let states = document["feature_states"].as_array_mut().unwrap();
    states.extend(
        with_many_features(30)["feature_states"]
            .as_array()
            .unwrap()
            .iter()
            .skip(states.len())
            .cloned(),
    );
    let app = spawn_app(Options {
        document: Some(document.to_string()),
        ..Options::default()
    });
    let much = |traits: usize| {
        let traits: Vec<_> = (0..traits)
            .map(|number| json!({"trait_key": number.to_string(), "trait_value": "v".repeat(1_500)}))
            .collect();
        json!({"identifier": "bob", "traits": traits}).to_string()
    };
    // From ready pieces, by the library on the worker, and by the library on the blocking pool.
    for body in [heavy_identity(), much(1), much(6), much(60)] {
        let request = Request::post("/api/v1/identities/", body).key(SERVER_KEY);
        let plain = ask_until_answered(app.address, &request);
        assert_eq!(plain.status, 200);
        for accepted in ["gzip", "zstd", "br"] {
            let accepting = request.clone().header("Accept-Encoding", accepted);
            let response = ask_until_answered(app.address, &accepting);
            assert_eq!(response.header("content-encoding"), Some(accepted));
            assert_eq!(decoded(&response), plain.body, "{accepted}");
        }
    }
}
