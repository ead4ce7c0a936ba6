//! 304 for what the caller holds already.
use serde_json::json;

use crate::harness::{
    App, CLIENT_KEY, Options, Request, Response, SERVER_KEY, fixture, spawn_app, with_many_features,
};

const PATHS: [&str; 2] = ["/api/v1/flags/", "/api/v1/environment-document/"];

fn get(app: &App, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = Request::get(path).key(SERVER_KEY);
    app.send(
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(name, value)),
    )
}

#[test]
fn each_encoding_has_a_tag_of_its_own_and_any_of_them_matches() {
    let app = spawn_app(Options {
        document: Some(with_many_features(50).to_string()),
        ..Options::default()
    });
    for path in PATHS {
        let plain = get(&app, path, &[]).header("etag").unwrap().to_owned();
        let opaque = plain.trim_matches('"').to_owned();
        let mut tags = vec![plain.clone()];
        for encoding in ["gzip", "br", "zstd"] {
            let response = get(&app, path, &[("Accept-Encoding", encoding)]);
            assert_eq!(response.header("content-encoding"), Some(encoding), "{path}");
            let tag = response.header("etag").unwrap().to_owned();
            assert_eq!(tag, format!("\"{opaque}-{encoding}\""), "{path}");
            tags.push(tag);
        }
        for tag in &tags {
            for held in [tag.clone(), format!("W/{tag}"), format!("\"old\", {tag}")] {
                for accepted in ["identity", "gzip", "br"] {
                    let response = get(
                        &app,
                        path,
                        &[("If-None-Match", &held), ("Accept-Encoding", accepted)],
                    );
                    assert_eq!(response.status, 304, "{path} {held} {accepted}");
                    assert_eq!(
                        response.header("etag"),
                        Some(tag.as_str()),
                        "the copy that the caller holds"
                    );
                }
            }
        }
        assert_eq!(get(&app, path, &[("If-None-Match", "*")]).status, 304, "{path}");
        for other in ["\"other\"", &opaque, "\"\"", "garbage,,\""] {
            assert_eq!(
                get(&app, path, &[("If-None-Match", other)]).status,
                200,
                "{path} {other}"
            );
        }
    }
}

#[test]
fn a_304_carries_the_headers_of_the_200() {
    let app = spawn_app(Options::default());
    for path in PATHS {
        let full = get(&app, path, &[]);
        let not_modified = get(&app, path, &[("If-None-Match", full.header("etag").unwrap())]);
        assert_eq!(not_modified.status, 304);
        for (name, value) in &full.headers {
            if !["content-length", "date"].contains(&name.as_str()) {
                assert_eq!(not_modified.header(name), Some(value.as_str()), "{path} {name}");
            }
        }
    }
}

#[test]
fn a_304_leaves_the_connection_fit_for_the_next_request() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for _ in 0..3 {
        let held = Request::get("/api/v1/flags/")
            .key(CLIENT_KEY)
            .header("If-None-Match", "*");
        assert_eq!(connection.send(&held).status, 304);
        assert_eq!(
            connection
                .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
                .status,
            200
        );
    }
}

#[test]
fn a_date_counts_for_the_environment_document_alone_and_only_without_a_tag() {
    let app = spawn_app(Options::default());
    let (now, before) = ("Thu, 26 Dec 2024 16:18:08 GMT", "Thu, 26 Dec 2024 16:18:07 GMT");
    let document = "/api/v1/environment-document/";
    assert_eq!(get(&app, document, &[("If-Modified-Since", now)]).status, 304);
    assert_eq!(
        get(
            &app,
            document,
            &[("If-Modified-Since", "Fri, 27 Dec 2024 00:00:00 GMT")]
        )
        .status,
        304
    );
    assert_eq!(get(&app, document, &[("If-Modified-Since", before)]).status, 200);
    assert_eq!(
        get(&app, document, &[("If-Modified-Since", "yesterday")]).status,
        200
    );
    assert_eq!(
        get(
            &app,
            document,
            &[("If-Modified-Since", now), ("If-None-Match", "\"old\"")]
        )
        .status,
        200
    );
    assert_eq!(
        get(&app, "/api/v1/flags/", &[("If-Modified-Since", now)]).status,
        200
    );
}

#[test]
fn a_change_changes_the_tag_and_the_tags_of_the_two_keys_differ() {
    let app = spawn_app(Options::default());
    let server = get(&app, "/api/v1/flags/", &[])
        .header("etag")
        .unwrap()
        .to_owned();
    let client = app.get("/api/v1/flags/").header("etag").unwrap().to_owned();
    assert_ne!(server, client);

    let mut changed = fixture();
    changed["feature_states"][0]["enabled"] = json!(false);
    changed["updated_at"] = json!("2025-01-01T00:00:00+00:00");
    app.publish(&changed);
    let response = get(&app, "/api/v1/flags/", &[("If-None-Match", &server)]);
    assert_eq!(response.status, 200);
    assert_ne!(response.header("etag"), Some(server.as_str()));
    assert_eq!(
        response.header("x-flagsmith-document-updated-at"),
        Some("1735689600.0")
    );
}

#[test]
fn one_flag_and_identities_have_no_tag() {
    let app = spawn_app(Options::default());
    for path in [
        "/api/v1/flags/?feature=zebra",
        "/api/v1/identities/?identifier=bob",
    ] {
        let response = app.send(Request::get(path).key(CLIENT_KEY).header("If-None-Match", "*"));
        assert_eq!((response.status, response.header("etag")), (200, None), "{path}");
    }
}
