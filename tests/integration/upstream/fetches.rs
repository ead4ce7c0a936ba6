//! What is fetched, and what of it is served.
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use test_support::documents::{document, later_page, page};
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{T1, T2, environment_document, proxy, quick, wait_for_value};
use crate::harness::{CLIENT_KEY, Request, SERVER_KEY, wait};

#[test]
fn the_first_fetch_becomes_flags() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");

    let first = &upstream.requests()[0];
    assert_eq!(
        (first.method.as_str(), first.target.as_str()),
        ("GET", "/api/v1/environment-document/")
    );
    assert_eq!(first.header("X-Environment-Key"), Some(SERVER_KEY));
    assert_eq!(first.header("If-Modified-Since"), None);

    let flags = app.get("/api/v1/flags/");
    assert_eq!(
        flags.json(),
        json!([{
            "feature": {"id": 1, "name": "banner", "type": "STANDARD"},
            "enabled": true,
            "feature_state_value": "one",
        }])
    );
    let identity =
        app.send(Request::post("/api/v1/identities/", r#"{"identifier":"alice"}"#).key(CLIENT_KEY));
    let mut expected = flags.json();
    expected[0]["reason"] = json!("STATIC");
    assert_eq!(identity.json()["flags"], expected);
}

#[test]
fn a_poll_is_conditional_on_the_documents_own_time_and_a_304_keeps_it() {
    let upstream = ScriptedUpstream::start(|request| match request.header("If-Modified-Since") {
        // `Last-Modified` runs ahead of the body where core caches documents.
        None => Answer::ok(document("one", T1))
            .header("Date", "Thu, 26 Dec 2024 16:20:00 GMT")
            .header("Last-Modified", "Thu, 26 Dec 2024 16:19:00 GMT"),
        Some(_) => Answer::status(304).header("Date", "Thu, 26 Dec 2024 16:20:00 GMT"),
    });
    let app = proxy(
        &upstream,
        &json!({"api_poll_unconditional_seconds": 100_000}),
        quick,
    );
    wait(upstream.wait_for(3));
    let second = &upstream.requests()[1];
    assert_eq!(
        second.header("If-Modified-Since"),
        Some("Thu, 26 Dec 2024 16:18:08 GMT")
    );
    assert_eq!(second.header("If-None-Match"), None);
    wait_for_value(&app, "one");
    assert_eq!(app.environments.newest().version, 1);
}

#[test]
fn header_and_served_document_have_the_same_time() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");
    for (path, key) in [
        ("/api/v1/flags/", CLIENT_KEY),
        ("/api/v1/identities/?identifier=alice", CLIENT_KEY),
        ("/api/v1/environment-document/", SERVER_KEY),
    ] {
        let response = app.send(Request::get(path).key(key));
        assert_eq!(
            response.header("x-flagsmith-document-updated-at"),
            Some("1735229888.5"),
            "{path}"
        );
    }
    let document = environment_document(&app, SERVER_KEY).json();
    assert_eq!(document["updated_at"], "2024-12-26T16:18:08.500000+00:00");
}

#[test]
fn all_pages_are_served_as_one_document_and_evaluated() {
    let upstream = ScriptedUpstream::start(|request| {
        let next = |page: &str| format!(r#"<?page_id={page}>; rel="next""#);
        match request.target.split_once('?').map(|(_, query)| query) {
            None => Answer::ok(page("one", T1, &["alice"])).header("Link", next("a%2Bb=")),
            Some("page_id=a%2Bb=") => Answer::ok(later_page(&["bob"])).header("Link", next("last")),
            Some("page_id=last") => Answer::ok(later_page(&["carol"])),
            Some(_) => Answer::status(500),
        }
    });
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");

    let served = environment_document(&app, SERVER_KEY).json();
    let identifiers: Vec<_> = served["identity_overrides"]
        .as_array()
        .unwrap()
        .iter()
        .map(|identity_override| identity_override["identifier"].as_str().unwrap())
        .collect();
    assert_eq!(identifiers, ["alice", "bob", "carol"]);
    assert_eq!(served["feature_states"][0]["feature_state_value"], "one");
    for (identifier, value) in [
        ("alice", "overridden"),
        ("bob", "overridden"),
        ("carol", "overridden"),
        ("dave", "one"),
    ] {
        let response = app.get(&format!("/api/v1/identities/?identifier={identifier}"));
        assert_eq!(
            response.json()["flags"][0]["feature_state_value"],
            value,
            "{identifier}"
        );
    }
}

#[test]
fn a_compressed_document_is_understood() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(document("packed", T1).as_bytes()).unwrap();
    let packed = encoder.finish().unwrap();
    let upstream = ScriptedUpstream::start(move |request| {
        let offered = request.header("Accept-Encoding").unwrap_or_default();
        if offered.contains("gzip") {
            Answer::ok(packed.clone()).header("Content-Encoding", "gzip")
        } else {
            Answer::status(406)
        }
    });
    wait_for_value(&proxy(&upstream, &json!({}), quick), "packed");
}

#[test]
fn a_redirect_to_another_host_does_not_get_the_key() {
    let other = ScriptedUpstream::start(|_| Answer::ok(document("stolen", T2)));
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");

    let elsewhere = format!("{}/api/v1/environment-document/", other.origin());
    upstream.script(move |_| Answer::status(302).header("Location", &elsewhere));
    // The first may have begun under the old script; the second has ended when the third comes.
    wait(upstream.wait_for_more(3));
    assert_eq!(other.requests().len(), 0, "nothing at all is sent there");
    wait_for_value(&app, "one");
}

#[test]
fn a_redirect_within_the_host_is_followed_with_the_key() {
    let upstream = ScriptedUpstream::start(|request| match request.target.as_str() {
        "/api/v1/moved/" if request.header("X-Environment-Key") == Some(SERVER_KEY) => {
            Answer::ok(document("moved", T1))
        }
        "/api/v1/moved/" => Answer::status(403),
        _ => Answer::status(307).header("Location", "/api/v1/moved/"),
    });
    wait_for_value(&proxy(&upstream, &json!({}), quick), "moved");
}

#[test]
fn a_rejected_key_gives_way_to_the_next_and_both_open_the_environment() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some("ser.new") => Answer::ok(document("one", T1)),
        _ => Answer::status(403),
    });
    let pairs = json!([{"client_side_key": CLIENT_KEY, "server_side_keys": ["ser.old", "ser.new"]}]);
    let app = proxy(&upstream, &json!({"environment_key_pairs": pairs}), quick);
    wait_for_value(&app, "one");
    assert_eq!(
        upstream.requests()[0].header("X-Environment-Key"),
        Some("ser.old")
    );
    assert_eq!(
        upstream.requests()[1].header("X-Environment-Key"),
        Some("ser.new")
    );
    for key in ["ser.old", "ser.new"] {
        assert_eq!(environment_document(&app, key).status, 200, "{key}");
    }
    assert_eq!(environment_document(&app, "ser.other").status, 401);
    assert_eq!(app.get("/proxy/health").status, 200);
}
