//! Writes of traits and identities, which are sent on to upstream.
use std::time::{Duration, Instant};

use actors::forwarding::ForwardingOptions;
use edge_proxy::application::Limits;
use edge_proxy::settings::Settings;
use serde_json::{Value, json};
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::PATIENCE;

use crate::encoded_bodies::gzip;
use crate::harness::{
    App, CLIENT_KEY, Connection, Options, Proxy, ProxyOptions, Request, Response, SERVER_KEY, fixture,
    spawn_app, wait,
};

/// Method and path below the API of each write.
const WRITES: [(&str, &str); 4] = [
    ("POST", "traits"),
    ("PUT", "traits/bulk"),
    ("POST", "traits/increment-value"),
    ("POST", "bulk-identities"),
];

const TRAIT: &str = r#"{"identity":{"identifier":"bob"},"trait_key":"plan","trait_value":"s3cret"}"#;

fn write(method: &str, path: &str, body: &str) -> Request {
    let path = format!("/api/v1/{path}");
    match method {
        "PUT" => Request::put(&path, body),
        _ => Request::post(&path, body),
    }
}

/// An upstream that serves a document, and answers what is not about it as `answer` says.
fn upstream(
    document: &Value,
    answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
) -> ScriptedUpstream {
    let document = document.to_string();
    ScriptedUpstream::start(move |request| match request.target.as_str() {
        "/api/v1/environment-document/" => Answer::ok(document.clone()),
        _ => answer(request),
    })
}

/// A proxy on this upstream that serves its document.
fn proxy_within(upstream: &ScriptedUpstream, forwarding: ForwardingOptions) -> App {
    fn seldom(settings: &mut Settings) {
        settings.api_poll_frequency = Duration::from_secs(100_000);
    }
    let app = spawn_app(Options {
        document: None,
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
        }),
        limits: Limits {
            forwarding,
            ..Options::default().limits
        },
        adjust: seldom,
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}

fn proxy(upstream: &ScriptedUpstream) -> App {
    // What is away is not to be a machine that has stood still.
    let timeout = PATIENCE;
    proxy_within(
        upstream,
        ForwardingOptions {
            timeout,
            ..ForwardingOptions::default()
        },
    )
}

/// What upstream was asked besides its document.
fn writes(upstream: &ScriptedUpstream) -> Vec<ReceivedRequest> {
    let mut requests = upstream.requests();
    requests.retain(|request| !request.target.ends_with("/environment-document/"));
    requests
}

/// A refusal of ours, and no answer of upstream's.
fn is_refused(response: &Response, status: u16) {
    assert_eq!(response.status, status, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.json()["message"], response.json()["detail"]);
}

#[test]
fn each_write_reaches_upstream_and_its_answer_the_caller() {
    let upstream = upstream(&fixture(), |request| {
        Answer::refusal(201, request.body.clone())
            .header("Content-Type", "application/json; charset=utf-8")
            .header("Set-Cookie", "session=s3cret")
            .header("Keep-Alive", "timeout=5")
            .header("X-Powered-By", "upstream")
    });
    let app = proxy(&upstream);
    let mut connection = app.connect();
    for (method, path) in WRITES {
        for (slash, key) in [("", CLIENT_KEY), ("/", SERVER_KEY)] {
            let request = write(method, &format!("{path}{slash}"), TRAIT)
                .key(key)
                .header("Content-Type", "application/json")
                .header("Cookie", "mine=1")
                .header("Origin", "https://example.com");
            let response = connection.send(&request);
            assert_eq!(
                (response.status, response.text()),
                (201, TRAIT),
                "{method} {path}"
            );
            for (name, expected) in [
                ("content-type", Some("application/json; charset=utf-8")),
                ("cache-control", Some("no-store")),
                ("vary", Some("X-Environment-Key")),
                ("access-control-allow-origin", Some("*")),
                ("set-cookie", None),
                ("keep-alive", None),
                ("x-powered-by", None),
            ] {
                assert_eq!(response.header(name), expected, "{method} {path}: {name}");
            }

            let received = writes(&upstream).pop().unwrap();
            assert_eq!(received.method, method);
            assert_eq!(received.target, format!("/api/v1/{path}/"));
            assert_eq!(received.header("x-environment-key"), Some(key));
            assert_eq!(received.header("content-type"), Some("application/json"));
            assert_eq!(received.header("cookie"), None);
            assert_eq!(received.body, TRAIT.as_bytes());
        }
    }
    assert_eq!(writes(&upstream).len(), 2 * WRITES.len());
}

#[test]
fn whatever_upstream_answers_is_the_answer() {
    let upstream = upstream(&fixture(), |_| Answer::ok("{}"));
    let app = proxy(&upstream);
    let document = fixture().to_string();
    for (status, body, retry_after) in [
        (200, "{}", None),
        (204, "", None),
        (400, r#"{"trait_key":["This field is required."]}"#, None),
        (
            403,
            r#"{"detail":"Organisation is not authorised to store traits."}"#,
            None,
        ),
        (429, "", Some("17")),
        (500, "<html>", None),
        (503, "busy", Some("3")),
    ] {
        let document = document.clone();
        upstream.script(move |request| match request.target.as_str() {
            "/api/v1/environment-document/" => Answer::ok(document.clone()),
            _ => retry_after.into_iter().fold(
                Answer::refusal(status, body).header("Content-Type", "text/html"),
                |answer, seconds| answer.header("Retry-After", seconds),
            ),
        });
        let response = app.send(write("POST", "traits/", TRAIT).key(CLIENT_KEY));
        assert_eq!((response.status, response.text()), (status, body));
        assert_eq!(response.header("content-type"), Some("text/html"), "{status}");
        assert_eq!(response.header("retry-after"), retry_after, "{status}");
    }
}

#[test]
fn who_may_not_write_is_refused_before_the_body_is_read() {
    let mut strict = fixture();
    strict["allow_client_traits"] = json!(false);
    let upstream = upstream(&strict, |_| Answer::ok("{}"));
    let app = proxy(&upstream);
    for (method, path) in WRITES {
        for (key, status, message) in [
            (None, 401, "unknown environment key"),
            (Some("unknown"), 401, "unknown environment key"),
            (
                Some(CLIENT_KEY),
                400,
                "Setting traits not allowed with client key.",
            ),
        ] {
            // None of the body comes.
            let request = Request::new(method, &format!("/api/v1/{path}/")).header("Content-Length", "1000");
            let request = key.into_iter().fold(request, Request::key);
            let refused = app.send(request);
            is_refused(&refused, status);
            assert_eq!(refused.json()["message"], message);
        }
    }
    assert!(writes(&upstream).is_empty());
    let server = app.send(write("POST", "traits/", TRAIT).key(SERVER_KEY));
    assert_eq!(server.status, 200);
    assert_eq!(writes(&upstream).len(), 1);
}

#[test]
fn an_environment_of_a_file_has_nowhere_to_write_to() {
    let app = spawn_app(Options::default());
    for (method, path) in WRITES {
        let refused = app.send(write(method, path, TRAIT).key(CLIENT_KEY));
        is_refused(&refused, 404);
        let message = refused.json()["message"].to_string();
        assert!(message.contains("file"), "{message}");
    }
}

#[test]
fn other_methods_are_405_with_every_method_there_is() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for (method, path) in WRITES {
        let allow = format!("{method}, OPTIONS");
        for slash in ["", "/"] {
            let path = format!("/api/v1/{path}{slash}");
            for other in ["GET", "HEAD", "DELETE", "PATCH"] {
                let response = connection.send(&Request::new(other, &path).key(CLIENT_KEY));
                assert_eq!(response.status, 405, "{other} {path}");
                assert_eq!(response.header("allow"), Some(allow.as_str()), "{other} {path}");
            }
            let options = connection.send(&Request::new("OPTIONS", &path));
            assert_eq!(options.status, 200);
            assert_eq!(options.header("allow"), Some(allow.as_str()), "{path}");
        }
    }
}

#[test]
fn bodies_are_decoded_and_bounded() {
    let upstream = upstream(&fixture(), |_| Answer::ok("{}"));
    let app = proxy(&upstream);
    let encoded = Request::post("/api/v1/traits/", gzip(TRAIT.as_bytes()));
    let response = app.send(encoded.key(CLIENT_KEY).header("Content-Encoding", "gzip"));
    assert_eq!(response.status, 200);
    let received = writes(&upstream).pop().unwrap();
    assert_eq!(received.body, TRAIT.as_bytes());
    assert_eq!(received.header("content-encoding"), None);
    assert_eq!(
        received.header("content-type"),
        Some("application/json"),
        "what it is taken for"
    );

    let large = Request::new("POST", "/api/v1/traits/").header("Content-Length", "1048577");
    is_refused(&app.send(large.key(CLIENT_KEY)), 413);
    let other = write("POST", "traits/", TRAIT).header("Content-Encoding", "br");
    is_refused(&app.send(other.key(CLIENT_KEY)), 415);
    assert_eq!(writes(&upstream).len(), 1);
}

#[test]
fn an_upstream_that_is_away_is_503_in_time() {
    let usual = ForwardingOptions::default();
    assert!(
        usual.timeout < Duration::from_millis(3_700),
        "the way back included, 4 s are all"
    );
    let upstream = upstream(&fixture(), |_| Answer::hang());
    let timeout = Duration::from_millis(300);
    let app = proxy_within(&upstream, ForwardingOptions { timeout, ..usual });
    for _ in 0..2 {
        let started = Instant::now();
        let refused = app.send(write("POST", "traits/", TRAIT).key(CLIENT_KEY));
        is_refused(&refused, 503);
        let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=10).contains(&seconds), "{seconds}");
        assert!(started.elapsed() < PATIENCE);
        upstream.go_down();
    }
    assert_eq!(
        app.get("/api/v1/flags/").status,
        200,
        "flags are served all the same"
    );
}

#[test]
fn writes_are_bounded_in_number_and_shed_before_their_body() {
    let upstream = upstream(&fixture(), |_| Answer::hang());
    let options = ForwardingOptions {
        at_once: 2,
        // They wait until upstream goes down.
        timeout: PATIENCE * 100,
    };
    let app = proxy_within(&upstream, options);
    let mut waiting: Vec<Connection> = (0..2).map(|_| app.connect()).collect();
    for connection in &mut waiting {
        connection.write_request(&write("POST", "traits/", TRAIT).key(CLIENT_KEY));
    }
    wait(async {
        while writes(&upstream).len() < 2 {
            tokio::task::yield_now().await;
        }
    });
    let third = Request::new("POST", "/api/v1/traits/").header("Content-Length", "1000");
    let refused = app.send(third.key(CLIENT_KEY));
    is_refused(&refused, 503);
    assert!(refused.header("retry-after").is_some());
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    assert_eq!(writes(&upstream).len(), 2);
    upstream.go_down();
    for connection in &mut waiting {
        is_refused(&connection.read(false), 503);
    }
}

#[test]
fn the_log_tells_once_that_upstream_is_away_and_never_what_was_sent() {
    let upstream = upstream(&fixture(), |_| Answer::hang());
    let mut proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "DEBUG", "enable_access_log": true}),
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
        }),
        ..ProxyOptions::default()
    });
    let mut connection = proxy.connect();
    upstream.go_down();
    for _ in 0..20 {
        let refused = connection.send(&write("POST", "traits/", TRAIT).key(SERVER_KEY));
        assert_eq!(refused.status, 503);
    }
    let document = fixture().to_string();
    upstream.script(move |_| Answer::ok(document.clone()));
    upstream.come_up();
    let answered = connection.send(&write("POST", "traits/", TRAIT).key(SERVER_KEY));
    assert_eq!(answered.status, 200);
    proxy.signal("TERM");
    let (_, log) = proxy.wait();
    let count = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!(count("do not reach upstream"), 1, "{log}");
    assert_eq!(count("reach upstream again"), 1, "{log}");
    for secret in ["s3cret", "bob", CLIENT_KEY, SERVER_KEY] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}
