//! Every answer says how it may be cached: none but those with a 304 may be kept, and none without asking again.
use std::time::Duration;

use edge_proxy::application::{Limits, StopLimits};
use edge_proxy::routes::StreamOptions;
use serde_json::json;

use crate::harness::{
    App, CLIENT_KEY, EVENT_STREAM, EventStream, Options, Request, Response, SERVER_KEY, fixture, spawn_app,
};

const ASKED_ABOUT: &str = "no-cache, private";
const OF_ONE_IDENTITY: &str = "max-age=0, no-cache, no-store, must-revalidate, private";
const NEVER: &str = "no-store";
const OF_A_STREAM: &str = "no-cache, no-transform";

const BY_KEY_AND_ENCODING: Option<&str> = Some("X-Environment-Key, Accept-Encoding");
const BY_KEY: Option<&str> = Some("X-Environment-Key");
const BY_NOTHING: Option<&str> = None;

const TOKEN: &str = "queue-change-token";

/// Asserts status, `Cache-Control` and `Vary`.
fn assert_cached(what: &str, response: &Response, status: u16, caching: &str, vary: Option<&str>) {
    assert_eq!(response.status, status, "{what}");
    assert_eq!(response.header("cache-control"), Some(caching), "{what}");
    assert_eq!(response.header("vary"), vary, "{what}");
}

fn app(config: serde_json::Value, limits: Limits) -> App {
    spawn_app(Options {
        config,
        limits,
        ..Options::default()
    })
}

fn limits() -> Limits {
    Limits {
        streams: StreamOptions {
            refusal_hold: Duration::ZERO,
            ..StreamOptions::default()
        },
        ..Options::default().limits
    }
}

fn get(path: &str) -> Request {
    Request::get(path).key(CLIENT_KEY)
}

#[test]
fn answers_to_sdks_are_asked_about_or_never_kept() {
    let app = app(json!({}), limits());
    let document = || Request::get("/api/v1/environment-document/").key(SERVER_KEY);
    let post = |body: &str| Request::post("/api/v1/identities/", body).key(CLIENT_KEY);
    let held = |request: Request| request.header("If-None-Match", "*");
    for (request, status, caching) in [
        (get("/api/v1/flags/"), 200, ASKED_ABOUT),
        (get("/api/v1/flags"), 200, ASKED_ABOUT),
        (held(get("/api/v1/flags/")), 304, ASKED_ABOUT),
        (
            Request::new("HEAD", "/api/v1/flags/").key(CLIENT_KEY),
            200,
            ASKED_ABOUT,
        ),
        (document(), 200, ASKED_ABOUT),
        (held(document()), 304, ASKED_ABOUT),
        // These have no 304.
        (get("/api/v1/flags/?feature=zebra"), 200, OF_ONE_IDENTITY),
        (get("/api/v1/identities/?identifier=bob"), 200, OF_ONE_IDENTITY),
        (get("/api/v1/identities/"), 200, OF_ONE_IDENTITY),
        (
            get("/api/v1/identities/?identifier=bob&feature=zebra"),
            200,
            OF_ONE_IDENTITY,
        ),
        (post(r#"{"identifier":"bob"}"#), 200, OF_ONE_IDENTITY),
    ] {
        let response = app.send(request.clone());
        assert_cached(
            &format!("{request:?}"),
            &response,
            status,
            caching,
            BY_KEY_AND_ENCODING,
        );
    }
}

#[test]
fn refusals_below_the_api_are_never_kept_and_vary_by_the_key() {
    let app = app(json!({}), limits());
    let post = |body: &str| Request::post("/api/v1/identities/", body).key(CLIENT_KEY);
    for (request, status) in [
        (Request::get("/api/v1/flags/"), 401),
        (Request::get("/api/v1/environment-document/").key(CLIENT_KEY), 401),
        (Request::post("/api/v1/identities/", "{}").key("unknown"), 401),
        (get("/api/v1/flags/?feature=unknown"), 404),
        (get("/api/v1/identities/?identifier=bob&feature=unknown"), 404),
        (
            get(&format!("/api/v1/identities/?identifier={}", "x".repeat(2_001))),
            400,
        ),
        (post("["), 400),
        (post(&"x".repeat(1024 * 1024 + 1)), 413),
        (get("/api/v1/nowhere/"), 404),
        (get("/api/v1"), 404),
        (Request::new("DELETE", "/api/v1/flags/"), 405),
        (Request::new("BREW", "/api/v1/flags/"), 405),
        (get("/api/v1/sse/environments/unknown/stream"), 404),
        (
            Request::new("HEAD", "/api/v1/sse/environments/unknown/stream"),
            404,
        ),
        (
            Request::post("/api/v1/sse/environments/client-key/stream", ""),
            405,
        ),
    ] {
        let response = app.send(request.clone());
        assert_cached(&format!("{request:?}"), &response, status, NEVER, BY_KEY);
    }
}

#[test]
fn bodies_that_do_not_come_and_those_that_break_are_never_kept() {
    let [impatient, patient] = [0.1, 3_600.0].map(|seconds| {
        let server = json!({"max_body_bytes": 1024, "request_body_timeout_seconds": seconds});
        app(json!({"server": server}), limits())
    });
    let head = "POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n";
    for (framing, ends, status) in [
        ("Content-Length: 100\r\n\r\n{", false, 408),
        ("Content-Length: 100\r\n\r\n{", true, 400),
        ("Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", true, 400),
    ] {
        // One that ends has the time to, however late it comes to that.
        let mut connection = if ends { &patient } else { &impatient }.connect();
        connection.write(format!("{head}{framing}").as_bytes());
        if ends {
            connection.finish();
        }
        assert_cached(framing, &connection.read(false), status, NEVER, BY_KEY);
    }
}

#[test]
fn what_is_no_api_is_never_kept_and_varies_by_nothing() {
    let app = app(json!({"realtime": {"authentication_token": TOKEN}}), limits());
    let change = |key: &str, token: &str, body: &str| {
        Request::post(&format!("/sse/environments/{key}/queue-change"), body)
            .header("Authorization", &format!("Token {token}"))
    };
    let announced = r#"{"updated_at":"2024-12-26T16:18:08.76+00:00"}"#;
    for (request, status) in [
        (get("/proxy/health"), 200),
        (get("/health/"), 200),
        (get("/proxy/health/readiness"), 200),
        (get("/proxy/health/liveness"), 200),
        (Request::new("HEAD", "/proxy/health/liveness"), 200),
        (get("/sse/health"), 200),
        (get("/nowhere"), 404),
        (Request::new("DELETE", "/health"), 405),
        (get("/sse/environments/unknown/stream"), 404),
        (Request::new("PUT", EVENT_STREAM), 405),
        (change(CLIENT_KEY, TOKEN, announced), 200),
        (change(CLIENT_KEY, "wrong", announced), 401),
        (change("unknown", TOKEN, announced), 404),
        (change(CLIENT_KEY, TOKEN, "{}"), 400),
    ] {
        let response = app.send(request.clone());
        assert_cached(&format!("{request:?}"), &response, status, NEVER, BY_NOTHING);
    }
    for path in ["/api/v1/sse/health", "/api/v1/sse/health/"] {
        assert_cached(path, &app.get(path), 200, NEVER, BY_KEY);
    }
}

#[test]
fn options_are_never_kept_and_tell_a_preflight_from_others() {
    let app = app(json!({}), limits());
    let mirrored = "Access-Control-Request-Method, Access-Control-Request-Headers";
    for (path, vary) in [
        ("/api/v1/flags/", format!("X-Environment-Key, {mirrored}")),
        ("/api/v1/nowhere/", format!("X-Environment-Key, {mirrored}")),
        ("/health", mirrored.to_owned()),
    ] {
        let options = Request::new("OPTIONS", path);
        let preflight = options.clone().header("Access-Control-Request-Method", "POST");
        assert_cached(path, &app.send(preflight), 200, NEVER, Some(&vary));
        if !path.contains("nowhere") {
            assert_cached(path, &app.send(options), 200, NEVER, Some(&vary));
        }
    }
}

#[test]
fn where_origins_are_listed_every_answer_varies_by_them_too() {
    let app = app(json!({"allow_origins": ["https://www.example.com"]}), limits());
    let ours = "X-Environment-Key, Access-Control-Request-Method, Access-Control-Request-Headers";
    for (request, status, caching, vary) in [
        (
            get("/api/v1/flags/"),
            200,
            ASKED_ABOUT,
            "X-Environment-Key, Accept-Encoding, Origin",
        ),
        (get("/api/v1/nowhere"), 404, NEVER, "X-Environment-Key, Origin"),
        (get("/health"), 200, NEVER, "Origin"),
        (
            Request::new("OPTIONS", "/api/v1/flags/").header("Access-Control-Request-Method", "GET"),
            200,
            NEVER,
            &format!("{ours}, Origin"),
        ),
    ] {
        let response = app.send(request.clone());
        assert_cached(&format!("{request:?}"), &response, status, caching, Some(vary));
    }
}

#[test]
fn event_streams_are_neither_kept_nor_changed() {
    let app = app(json!({}), limits());
    for (path, vary) in [
        (EVENT_STREAM.to_owned(), None),
        (format!("/api/v1{EVENT_STREAM}"), BY_KEY),
    ] {
        let head = EventStream::open(app.address, &Request::get(&path)).head;
        assert_cached(&path, &head, 200, OF_A_STREAM, vary);
        let head = app.send(Request::new("HEAD", &path));
        assert_cached(&path, &head, 200, OF_A_STREAM, vary);
    }
}

#[test]
fn refusals_of_a_process_that_cannot_are_never_kept() {
    let without_document = spawn_app(Options {
        document: None,
        ..Options::default()
    });
    for path in ["/api/v1/flags/", "/api/v1/identities/"] {
        assert_cached(path, &without_document.get(path), 503, NEVER, BY_KEY);
    }
    for path in ["/health", "/proxy/health", "/proxy/health/readiness"] {
        assert_cached(path, &without_document.get(path), 503, NEVER, BY_NOTHING);
    }

    let full = app(json!({"realtime": {"max_subscribers": 0}}), limits());
    for (path, vary) in [
        (EVENT_STREAM.to_owned(), BY_NOTHING),
        (format!("/api/v1{EVENT_STREAM}"), BY_KEY),
    ] {
        assert_cached(&path, &full.get(&path), 503, NEVER, vary);
    }

    let overloaded = spawn_app(Options {
        adjust: |settings| settings.server.door.max_answer_bytes_in_flight = 0,
        ..Options::default()
    });
    assert_cached("overload", &overloaded.get("/api/v1/flags/"), 503, NEVER, BY_KEY);
    assert_cached("overload", &overloaded.get("/nowhere"), 503, NEVER, BY_NOTHING);

    let mut document = fixture();
    document["project"]["organisation"]["stop_serving_flags"] = json!(true);
    let stopped = spawn_app(Options {
        document: Some(document.to_string()),
        ..Options::default()
    });
    assert_cached("stopped", &stopped.get("/api/v1/flags/"), 403, NEVER, BY_KEY);
}

#[test]
fn a_process_in_its_drain_answers_what_is_never_kept() {
    let limits = limits();
    let app = app(
        json!({"server": {"drain_seconds": 600, "shutdown_timeout_seconds": 1_200}}),
        Limits {
            // The drain goes on, whoever is connected, until the test ends it.
            stop: StopLimits {
                quiet: Some(Duration::from_secs(600)),
                ..limits.stop
            },
            ..limits
        },
    );
    app.ask_to_stop();
    app.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
    assert_cached(
        "readiness",
        &app.get("/proxy/health/readiness"),
        503,
        NEVER,
        BY_NOTHING,
    );
    assert_cached("hub", &app.get("/sse/health"), 503, NEVER, BY_NOTHING);
    assert_cached("hub", &app.get("/api/v1/sse/health"), 503, NEVER, BY_KEY);
    assert_cached(
        "flags",
        &app.get("/api/v1/flags/"),
        200,
        ASKED_ABOUT,
        BY_KEY_AND_ENCODING,
    );
    app.wait_until_answered(|app| app.get(EVENT_STREAM).status == 503);
    assert_cached("stream", &app.get(EVENT_STREAM), 503, NEVER, BY_NOTHING);
}
