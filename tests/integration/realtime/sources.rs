//! Where changes come from: files, polls, pushes, an upstream stream; each is told once, after it is served.
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::reserved_port::ReservedPort;
use test_support::upstream::ScriptedUpstream;

use super::{changed, updated_at_header};
use crate::harness::{
    App, CLIENT_KEY, EVENT_STREAM, EventStream, Options, Request, Response, SERVER_KEY, event, fixture,
    spawn_app, wait,
};

const QUEUE_CHANGE: &str = "/sse/environments/client-key/queue-change";
const TOKEN: &str = "Token s3cret";

const OLD: &str = "2026-11-21T19:00:00+00:00";
const NEW: &str = "2026-11-21T19:23:51.258311+00:00";
/// The greatest double that is not above it.
const NEW_SECONDS: &str = "1795289031.2583108";

/// Options of `config.json` that name this upstream, with polls an hour apart.
fn config_of(upstream: &ScriptedUpstream) -> Value {
    json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
        "api_poll_frequency_seconds": 3600,
    })
}

/// Waits until there have been so many fetches, and tells whether the newest was unconditional.
fn is_unconditional(upstream: &ScriptedUpstream, fetches: usize) -> bool {
    let newest = wait(upstream.wait_for_fetches(fetches));
    newest.header("If-Modified-Since").is_none()
}

/// A proxy of this upstream, polling once an hour, that takes pushes.
fn proxy_of(upstream: &ScriptedUpstream, realtime: &Value) -> App {
    let mut config = config_of(upstream);
    config["realtime"] = json!({"authentication_token": "s3cret"});
    config["environment_key_pairs"][0]["document_path"] = Value::Null;
    for (name, value) in realtime.as_object().unwrap() {
        config["realtime"][name] = value.clone();
    }
    let app = spawn_app(Options {
        config,
        document: None,
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}

fn push(app: &App, updated_at: &str) -> Response {
    let body = json!({"updated_at": updated_at}).to_string();
    app.send(Request::post(QUEUE_CHANGE, body).header("Authorization", TOKEN))
}

fn served_value(app: &App) -> Value {
    app.send(Request::get("/api/v1/flags/").key(CLIENT_KEY)).json()[0]["feature_state_value"].clone()
}

#[test]
fn queue_change_answers_as_core_expects() {
    let with_token = || Options {
        config: json!({"realtime": {"authentication_token": "s3cret"}}),
        ..Options::default()
    };
    let app = spawn_app(with_token());
    let body = json!({"updated_at": OLD}).to_string();
    let unknown = "/sse/environments/unknown/queue-change";
    let cases = [
        (QUEUE_CHANGE, Some(TOKEN), body.as_str(), 200),
        (
            "/sse/environments/client-key/queue-change/",
            Some(TOKEN),
            &body,
            200,
        ),
        (
            "/api/v1/sse/environments/client-key/queue-change",
            Some(TOKEN),
            &body,
            200,
        ),
        (
            QUEUE_CHANGE,
            Some(TOKEN),
            r#"{"updated_at":"2026-11-21T19:23:51.258311"}"#,
            200,
        ),
        (QUEUE_CHANGE, None, &body, 401),
        (QUEUE_CHANGE, Some("s3cret"), &body, 401),
        (QUEUE_CHANGE, Some("Token "), &body, 401),
        (QUEUE_CHANGE, Some("Token s3cre"), &body, 401),
        (QUEUE_CHANGE, Some("Token s3crets"), &body, 401),
        (QUEUE_CHANGE, Some("Token s3creT"), &body, 401),
        (QUEUE_CHANGE, Some("Bearer s3cret"), &body, 401),
        (unknown, None, &body, 401),
        (QUEUE_CHANGE, None, "no json", 401),
        (unknown, Some(TOKEN), &body, 404),
        (unknown, Some(TOKEN), "no json", 404),
        (QUEUE_CHANGE, Some(TOKEN), "", 400),
        (QUEUE_CHANGE, Some(TOKEN), "no json", 400),
        (QUEUE_CHANGE, Some(TOKEN), "{}", 400),
        (QUEUE_CHANGE, Some(TOKEN), r#"{"updated_at":null}"#, 400),
        (QUEUE_CHANGE, Some(TOKEN), r#"{"updated_at":"yesterday"}"#, 400),
        (QUEUE_CHANGE, Some(TOKEN), r#"["2026-11-21T19:23:51"]"#, 400),
        (
            QUEUE_CHANGE,
            Some(TOKEN),
            r#"[{"updated_at":1735229888.76}]"#,
            400,
        ),
    ];
    for (path, authorization, body, status) in cases {
        let mut request = Request::post(path, body);
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization);
        }
        assert_eq!(
            app.send(request).status,
            status,
            "{path} {authorization:?} {body}"
        );
    }
    let other_method = app.get(QUEUE_CHANGE);
    assert_eq!(
        (other_method.status, other_method.header("allow")),
        (405, Some("POST, OPTIONS"))
    );

    let without_token = spawn_app(Options::default());
    for authorization in ["Token ", TOKEN] {
        let request = Request::post(QUEUE_CHANGE, body.as_str()).header("Authorization", authorization);
        assert_eq!(
            without_token.send(request).status,
            404,
            "there is no such path without a token"
        );
    }
    assert_eq!(without_token.get(QUEUE_CHANGE).status, 404);
}

#[test]
fn a_push_is_fetched_unconditionally_served_and_told_once() {
    let upstream = ScriptedUpstream::serving(&changed(OLD));
    let app = proxy_of(&upstream, &json!({}));
    let mut stream = EventStream::settled(app.address);
    upstream.serve(&changed(NEW));
    let before = upstream.fetches().len();
    assert_eq!(push(&app, NEW).status, 200);
    assert_eq!(stream.event(), Some(event(NEW_SECONDS)));
    assert_eq!(served_value(&app), NEW);
    assert!(
        is_unconditional(&upstream, before + 1),
        "the fetch after a push is unconditional"
    );

    // Core repeats itself, and upstream provably serves the same content again: what is told next is the next change.
    app.until_fetched_after(|| {
        push(&app, NEW);
        push(&app, NEW);
    });
    assert!(
        is_unconditional(&upstream, before + 2),
        "as is the one after the next"
    );
    assert_eq!(updated_at_header(&app.get("/api/v1/flags/")), NEW_SECONDS);
    let next = "2026-11-21T19:24:00+00:00";
    upstream.serve(&changed(next));
    push(&app, next);
    assert_eq!(stream.event(), Some(event("1795289040.0")));
}

#[test]
fn a_push_is_told_at_once() {
    let upstream = ScriptedUpstream::serving(&changed(OLD));
    let app = proxy_of(&upstream, &json!({}));
    let mut stream = EventStream::settled(app.address);
    let told_after = |number: u32| {
        let updated_at = format!("2026-11-21T19:4{number}:00+00:00");
        upstream.serve(&changed(&updated_at));
        let pushed = Instant::now();
        assert_eq!(push(&app, &updated_at).status, 200);
        stream.event().expect("the stream goes on");
        pushed.elapsed()
    };
    // A machine that stalls makes one of them long, and not all.
    let shortest = (0..5).map(told_after).min().unwrap();
    assert!(shortest < Duration::from_secs(1), "{shortest:?}");
}

#[test]
fn a_storm_of_pushes_makes_few_fetches_and_loses_nothing() {
    let upstream = ScriptedUpstream::serving(&changed(OLD));
    let app = proxy_of(&upstream, &json!({}));
    let mut stream = EventStream::settled(app.address);
    let before = upstream.fetches().len();
    let started = Instant::now();
    for push_number in 0..50 {
        let updated_at = format!("2026-11-21T19:30:00.{push_number:03}+00:00");
        upstream.serve(&changed(&updated_at));
        assert_eq!(push(&app, &updated_at).status, 200);
    }
    // The first at once and the rest half a second apart: four for a storm of a second.
    let most = 2 + started.elapsed().as_millis().div_ceil(500);
    let last = event("1795289400.0489998");
    while stream.event().expect("the stream goes on") != last {}
    let fetches = upstream.fetches().len() - before;
    assert!(fetches as u128 <= most, "{fetches} fetches, at most {most}");
    assert_eq!(served_value(&app), "2026-11-21T19:30:00.049+00:00");
}

#[test]
fn a_push_of_what_upstream_does_not_serve_yet_is_told_when_it_does() {
    let upstream = ScriptedUpstream::serving(&changed(OLD));
    let app = proxy_of(&upstream, &json!({}));
    let mut stream = EventStream::settled(app.address);
    let before = upstream.fetches().len();
    push(&app, NEW);
    // In vain, at once and 0.25, 0.75, 1.75 and 3.75 s later: upstream is 5 s behind.
    wait(upstream.wait_for_fetches(before + 5));
    assert_eq!(served_value(&app), OLD);
    upstream.serve(&changed(NEW));
    assert_eq!(stream.event(), Some(event(NEW_SECONDS)), "nothing is told before");
    assert_eq!(served_value(&app), NEW);
}

#[test]
fn an_event_of_the_upstream_stream_is_fetched_served_and_told() {
    let upstream = ScriptedUpstream::serving(&changed(OLD));
    let app = proxy_of(&upstream, &json!({"upstream_url": upstream.origin()}));
    let mut stream = EventStream::settled(app.address);
    upstream.serve(&changed(NEW));
    wait(upstream.tell(&event(NEW_SECONDS)));
    assert_eq!(stream.event(), Some(event(NEW_SECONDS)));
    assert_eq!(served_value(&app), NEW);

    wait(upstream.cut());
    let next = "2026-11-21T19:24:00+00:00";
    upstream.serve(&changed(next));
    wait(upstream.tell(&event("1795289040.0"))); // to whoever has come back
    assert_eq!(stream.event(), Some(event("1795289040.0")));
}

#[test]
fn a_poll_that_finds_a_change_tells_it() {
    tell_by_polling(&json!({}));
}

#[test]
fn polling_carries_on_while_the_upstream_stream_fails() {
    let nobody = ReservedPort::any();
    let refusing = format!("http://{}", nobody.address());
    let other = ScriptedUpstream::serving(&fixture());
    let unknown_path = format!("{}/none", other.origin());
    for url in [refusing, unknown_path] {
        tell_by_polling(&json!({"upstream_url": url}));
    }
}

fn tell_by_polling(realtime: &Value) {
    let upstream = ScriptedUpstream::serving(&changed(OLD));
    let mut config = config_of(&upstream);
    config["realtime"] = realtime.clone();
    config["environment_key_pairs"][0]["document_path"] = Value::Null;
    config["api_poll_frequency_seconds"] = json!(1);
    let app = spawn_app(Options {
        config,
        ..Options::default()
    });
    let mut stream = EventStream::settled(app.address);
    upstream.serve(&changed(NEW));
    assert_eq!(stream.event(), Some(event(NEW_SECONDS)));
}

/// Whether a new subscriber is told of a recent change at once, by rule 6.
fn is_told_on_connect(app: &App) -> bool {
    let mut stream = EventStream::of(app.address);
    stream.frame().expect("retry");
    stream
        .frame()
        .expect("the newest change or a comment")
        .starts_with("event: ")
}

#[test]
fn an_edit_of_a_file_is_told_and_an_untouched_content_is_not() {
    // Not the fixture's own text, whose numbers are written otherwise: that would be another content.
    let app = spawn_app(Options {
        document: Some(fixture().to_string()),
        ..Options::default()
    });
    let mut stream = EventStream::settled(app.address);
    let mut same = fixture();
    same["updated_at"] = json!("2026-11-21T19:23:00+00:00");
    app.replace_document(&same);
    // The first read may have begun before the file changed; the second has seen the change.
    app.until_fetched_again(2);
    assert_eq!(updated_at_header(&app.get("/api/v1/flags/")), "1735229888.76");
    assert!(!is_told_on_connect(&app), "there is no change to replay");
    app.publish(&changed(NEW));
    assert!(is_told_on_connect(&app));
    assert_eq!(
        stream.event(),
        Some(event(NEW_SECONDS)),
        "`updated_at` moving alone is no event"
    );
}

#[test]
fn environments_are_told_apart() {
    let app = spawn_app(Options {
        config: json!({"environment_key_pairs": [
            {"client_side_key": "client-key", "server_side_key": "ser.server-key", "document_path": "environment.json"},
            {"client_side_key": "other-key", "server_side_key": "ser.other-key", "document_path": "other.json"},
        ]}),
        ..Options::default()
    });
    let mut other = EventStream::open(
        app.address,
        &Request::get(&EVENT_STREAM.replace("client", "other")),
    );
    let mut main = EventStream::settled(app.address);
    app.publish(&changed(NEW));
    assert_eq!(main.event(), Some(event(NEW_SECONDS)));
    std::fs::write(
        app.document_path().with_file_name("other.json"),
        fixture().to_string(),
    )
    .unwrap();
    assert_eq!(
        other.event(),
        Some(event("1735229888.76")),
        "nothing of the first environment came before"
    );
}
