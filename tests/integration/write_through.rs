//! `forward_identities`: what requests carry reaches upstream, in the background.
use std::sync::Arc;
use std::time::Duration;

use actors::write_through::WriteThroughOptions;
use edge_proxy::application::Limits;
use edge_proxy::settings::Settings;
use serde_json::{Value, json};
use test_support::http::ask_until_answered;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::{PATIENCE, wait};
use tokio::sync::watch;

use crate::harness::{
    App, CLIENT_KEY, HEAVY_IDENTIFIER, Options, Proxy, ProxyOptions, Request, SERVER_KEY, fixture,
    heavy_identity, spawn_app, with_heavy_segment,
};

/// Identities that upstream was told of, each with the key that told it.
type Told = Arc<watch::Sender<Vec<(String, Value)>>>;

fn upstream(document: &Value) -> (ScriptedUpstream, Told) {
    let told = Told::default();
    let (noted, document) = (Arc::clone(&told), document.to_string());
    let upstream = ScriptedUpstream::start(move |request| match request.target.as_str() {
        "/api/v1/environment-document/" => Answer::ok(document.clone()),
        "/api/v1/bulk-identities/" => {
            let key = request.header("x-environment-key").unwrap();
            let body = request.json();
            let identities = body["data"].as_array().unwrap().iter();
            let identities = identities.map(|identity| (key.to_owned(), identity.clone()));
            noted.send_modify(|told| told.extend(identities));
            Answer::ok("[]")
        }
        _ => Answer::ok("{}"),
    });
    (upstream, told)
}

fn proxy(upstream: &ScriptedUpstream, forward_identities: bool, period: Duration) -> App {
    fn seldom(settings: &mut Settings) {
        settings.api_poll_frequency = Duration::from_secs(100_000);
    }
    let app = spawn_app(Options {
        document: None,
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
            "forward_identities": forward_identities,
        }),
        limits: Limits {
            write_through: WriteThroughOptions {
                period,
                ..WriteThroughOptions::default()
            },
            ..Options::default().limits
        },
        adjust: seldom,
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}

const QUICK: Duration = Duration::from_millis(10);

fn post(key: &str, body: &Value) -> Request {
    Request::post("/api/v1/identities/", body.to_string()).key(key)
}

fn get(key: &str, query: &str) -> Request {
    Request::get(&format!("/api/v1/identities/?{query}")).key(key)
}

fn set(key: &str, value: impl Into<Value>) -> Value {
    json!({"trait_key": key, "trait_value": value.into()})
}

fn wait_for(told: &Told, identities: usize) {
    wait(async {
        let mut told = told.subscribe();
        told.wait_for(|told| told.len() >= identities).await.unwrap();
    });
}

#[test]
fn what_requests_carry_reaches_upstream_with_their_kind_of_key() {
    let (upstream, told) = upstream(&fixture());
    let app = proxy(&upstream, true, QUICK);
    let premium = json!({"identifier": "bob", "traits": [set("plan", "premium")]});
    let carol = json!({"identifier": "carol", "traits": [
        set("n", 1.5), set("gone", Value::Null), {"trait_key": "undefined"},
        {"trait_key": "secret", "trait_value": 1, "transient": true},
    ]});
    let expected = [
        (post(CLIENT_KEY, &premium), CLIENT_KEY, premium),
        (
            post(SERVER_KEY, &carol),
            SERVER_KEY,
            json!({"identifier": "carol", "traits": [set("gone", Value::Null), set("n", 1.5)]}),
        ),
        (
            get(CLIENT_KEY, "identifier=dave"),
            CLIENT_KEY,
            json!({"identifier": "dave", "traits": []}),
        ),
    ];
    for (number, (request, key, identity)) in expected.iter().enumerate() {
        assert_eq!(app.send(request.clone()).status, 200);
        wait_for(&told, number + 1);
        assert_eq!(told.borrow()[number], ((*key).to_owned(), identity.clone()));
    }
    // All of it is known, whoever says it.
    for (request, ..) in &expected {
        assert_eq!(app.send(request.clone()).status, 200);
    }
    assert_eq!(
        app.send(get(SERVER_KEY, "identifier=bob&feature=banner")).status,
        200
    );
    assert_eq!(app.send(get(CLIENT_KEY, "identifier=last")).status, 200);
    wait_for(&told, 4);
    assert_eq!(told.borrow()[3].1["identifier"], "last");
}

#[test]
fn what_is_transient_invalid_or_not_allowed_stays_here() {
    let mut strict = fixture();
    strict["allow_client_traits"] = json!(false);
    let (upstream, told) = upstream(&strict);
    let app = proxy(&upstream, true, QUICK);
    for (request, status) in [
        (
            post(SERVER_KEY, &json!({"identifier": "a", "transient": true})),
            200,
        ),
        (post(SERVER_KEY, &json!({"traits": [set("k", 1)]})), 200),
        (
            post(
                SERVER_KEY,
                &json!({"identifier": "a", "traits": [{"trait_value": 1}]}),
            ),
            400,
        ),
        (
            post(CLIENT_KEY, &json!({"identifier": "a", "traits": [set("k", 1)]})),
            200,
        ),
        (post("unknown", &json!({"identifier": "a"})), 401),
        (get(SERVER_KEY, "identifier=a&transient=true"), 200),
        (get(SERVER_KEY, "transient=1&identifier=a"), 200),
        (get(SERVER_KEY, "identifier=a&t%72ansient=true"), 200),
        (get(SERVER_KEY, ""), 200),
        (get(CLIENT_KEY, "identifier=a"), 200),
        (get(SERVER_KEY, "identifier=last&transient=false"), 200),
    ] {
        assert_eq!(app.send(request).status, status);
    }
    wait_for(&told, 1);
    assert_eq!(told.borrow()[0].1["identifier"], "last");
}

#[test]
fn what_a_caller_writes_in_between_is_written_over_again() {
    let (upstream, told) = upstream(&fixture());
    let app = proxy(&upstream, true, QUICK);
    let bob = json!({"identifier": "bob", "traits": [set("a", 1), set("b", 1)]});
    let seen = post(CLIENT_KEY, &bob);
    assert_eq!(app.send(seen.clone()).status, 200);
    wait_for(&told, 1);
    for (number, (method, path, write)) in [
        (
            "POST",
            "traits/",
            json!({"identity": {"identifier": "bob"}, "trait_key": "a", "trait_value": 2}),
        ),
        (
            "PUT",
            "traits/bulk/",
            json!([{"identity": {"identifier": "bob"}, "trait_key": "a", "trait_value": 2}]),
        ),
        (
            "POST",
            "traits/increment-value/",
            json!({"identifier": "bob", "trait_key": "a", "increment_by": 1}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = format!("/api/v1/{path}");
        let write = match method {
            "PUT" => Request::put(&path, write.to_string()),
            _ => Request::post(&path, write.to_string()),
        };
        assert_eq!(app.send(write.key(CLIENT_KEY)).status, 200);
        assert_eq!(app.send(seen.clone()).status, 200);
        wait_for(&told, number + 2);
        let last = json!({"identifier": "bob", "traits": [set("a", 1)]});
        assert_eq!(told.borrow()[number + 1].1, last, "{path}: and no more of it");
    }
}

#[test]
fn who_takes_much_work_is_written_once() {
    let (upstream, told) = upstream(&with_heavy_segment());
    let app = proxy(&upstream, true, QUICK);
    let heavy = Request::post("/api/v1/identities/", heavy_identity()).key(CLIENT_KEY);
    assert_eq!(ask_until_answered(app.address, &heavy).status, 200);
    assert_eq!(
        app.send(get(CLIENT_KEY, &format!("identifier={HEAVY_IDENTIFIER}")))
            .status,
        200
    );
    assert_eq!(app.send(get(CLIENT_KEY, "identifier=last")).status, 200);
    wait_for(&told, 2);
    let told = told.borrow();
    let identifiers: Vec<_> = told.iter().map(|(_, identity)| &identity["identifier"]).collect();
    assert!(
        identifiers.contains(&&json!("last")) && identifiers.len() == 2,
        "{identifiers:?}"
    );
}

#[test]
fn it_is_off_unless_it_is_asked_for() {
    let (upstream, told) = upstream(&fixture());
    let mut app = proxy(&upstream, false, QUICK);
    assert_eq!(app.send(get(CLIENT_KEY, "identifier=bob")).status, 200);
    app.ask_to_stop();
    app.wait();
    assert!(told.borrow().is_empty());
}

#[test]
fn a_stop_writes_what_waits() {
    let (upstream, told) = upstream(&fixture());
    let mut app = proxy(&upstream, true, PATIENCE * 100);
    for identifier in ["a", "b", "c"] {
        let query = format!("identifier={identifier}");
        assert_eq!(app.send(get(CLIENT_KEY, &query)).status, 200);
    }
    assert!(told.borrow().is_empty());
    app.ask_to_stop();
    app.wait();
    assert_eq!(told.borrow().len(), 3);
}

#[test]
fn a_stop_tells_of_everything_that_was_not_written() {
    let document = fixture().to_string();
    let upstream = ScriptedUpstream::start(move |request| {
        let body = String::from_utf8_lossy(&request.body);
        match request.target.as_str() {
            "/api/v1/environment-document/" => Answer::ok(document.clone()),
            _ if body.contains("slow") => Answer::hang(),
            _ if body.contains("odd") => Answer::status(400),
            _ => Answer::ok("[]"),
        }
    });
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
            "api_poll_frequency_seconds": 1_000,
            "forward_identities": true,
        }),
        ..ProxyOptions::default()
    });
    let mut connection = proxy.connect();
    // Each in a call of its own: the first loss is told at once, and the second one within a minute of it.
    for identifier in ["odd-1", "slow", "odd-2", "good"] {
        let seen = upstream.requests().len();
        let query = format!("identifier={identifier}");
        assert_eq!(connection.send(&get(CLIENT_KEY, &query)).status, 200);
        wait(upstream.wait_for(seen + 1));
    }
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("the stop leaves 1 identities not written"), "{log}");
    assert!(
        log.contains("1 times before the stop an identity was not written"),
        "{log}"
    );
}
