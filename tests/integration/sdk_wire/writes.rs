//! Traits and identities that iOS, Flutter and Go write, which upstream answers.
use std::time::Duration;

use serde_json::{Value, json};
use test_support::upstream::{Answer, ScriptedUpstream};

use super::compiled::GO;
use super::mobile::{FLUTTER, IOS};
use super::{Exchange, Sdk};
use crate::harness::{App, CLIENT_KEY, Options, SERVER_KEY, fixture, spawn_app};

/// What core answers to `traits/`.
const TRAIT: &str = r#"{"identity":{"identifier":"bob"},"trait_key":"plan","trait_value":"premium"}"#;

fn proxy(upstream: &ScriptedUpstream) -> App {
    let app = spawn_app(Options {
        document: None,
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
        }),
        adjust: |settings| settings.api_poll_frequency = Duration::from_secs(100_000),
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}

/// Each write, by whom, and what it reads of the answer.
fn writes() -> [(Sdk, Exchange); 3] {
    let of_bob = json!({"identifier": "bob"});
    let is_trait: &'static [super::Need] = &[
        ("key and value", |body: &Value| {
            body["trait_key"] == "plan" && body["trait_value"] == "premium"
        }),
        ("the identity", |body: &Value| {
            body["identity"]["identifier"] == "bob"
        }),
    ];
    [
        (
            IOS,
            Exchange::post(
                "setTrait",
                "/api/v1/traits/",
                json!({"trait_key": "plan", "trait_value": "premium", "identity": of_bob}),
            )
            .needs(is_trait),
        ),
        (
            FLUTTER,
            Exchange::post(
                "createTrait",
                "/api/v1/traits/",
                json!({"identity": of_bob, "trait_key": "plan", "trait_value": "premium"}),
            )
            .needs(is_trait),
        ),
        (
            GO,
            Exchange::post(
                "BulkIdentify",
                "/api/v1/bulk-identities/",
                json!({"data": [{"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "premium"}]}]}),
            ),
        ),
    ]
}

#[test]
fn writes_reach_upstream_with_the_key_and_come_back_with_its_answer() {
    let document = fixture().to_string();
    let upstream = ScriptedUpstream::start(move |request| match request.target.as_str() {
        "/api/v1/environment-document/" => Answer::ok(document.clone()),
        _ => Answer::ok(TRAIT).header("Content-Type", "application/json"),
    });
    let app = proxy(&upstream);
    for (sdk, write) in writes() {
        sdk.check(&mut app.connect(), &write);
        let received = upstream.requests().pop().unwrap();
        let what = format!("{}: {}", sdk.name, write.does);
        assert_eq!(received.target, write.request.1, "{what}");
        assert_eq!(received.header("X-Environment-Key"), Some(CLIENT_KEY), "{what}");
        let body: Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!(Some(body), write.body, "{what}");
    }
}

/// Go says that there is no such endpoint where it is 404; the others show the status.
#[test]
fn writes_are_503_where_upstream_is_away_and_never_404() {
    let document = fixture().to_string();
    let upstream = ScriptedUpstream::start(move |_| Answer::ok(document.clone()));
    let app = proxy(&upstream);
    upstream.go_down();
    for (sdk, write) in writes() {
        let refusal = sdk.ask(&mut app.connect(), &write);
        assert_eq!(refusal.status, 503, "{}: {}", sdk.name, write.does);
        assert!(!refusal.json()["detail"].as_str().unwrap().is_empty());
    }
}
