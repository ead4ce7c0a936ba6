//! The counts that all of them send, and what keeps them from sending them twice.
use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use test_support::upstream::{Counted, ScriptedUpstream};
use test_support::wait::wait;

use super::compiled::{DOT_NET, GO, JAVA};
use super::mobile::{FLUTTER, IOS, KOTLIN, REACT_NATIVE};
use super::scripting::{ELIXIR, PHP, RUBY};
use super::{Exchange, Sdk, app};
use crate::harness::{CLIENT_KEY, Options, SERVER_KEY, fixture, spawn_app};

/// What each does with an answer that is not 200 with an object: Java parses the body, and sends three times where it is
/// empty; Kotlin takes no body for a failure, and 204 has none; Flutter and Go keep their counts, and send them again.
const ALL: [Sdk; 10] = [
    GO,
    JAVA,
    DOT_NET,
    RUBY,
    PHP,
    ELIXIR,
    IOS,
    KOTLIN,
    FLUTTER,
    REACT_NATIVE,
];

#[test]
fn counts_are_taken_with_200_and_an_empty_object() {
    let app = app();
    for sdk in ALL {
        let mut connection = app.connect();
        let counts = Exchange::post(
            "analytics",
            "/api/v1/analytics/flags/",
            json!({"banner": 3, "zebra": 1, "unknown": 2}),
        )
        .needs(&[("an empty object", |body: &Value| *body == json!({}))]);
        let answer = sdk.check(&mut connection, &counts);
        assert_eq!(answer.text(), "{}", "{}", sdk.name);
    }
}

#[test]
fn counts_with_a_wrong_key_are_refused() {
    let app = app();
    for sdk in ALL {
        let counts = Exchange {
            key: "s3cret-wrong",
            ..Exchange::post("analytics", "/api/v1/analytics/flags/", json!({"banner": 1}))
        };
        let refusal = sdk.ask(&mut app.connect(), &counts);
        assert_eq!(refusal.status, 401, "{}", sdk.name);
    }
}

/// Core labels what it counts by the SDK's name.
#[test]
fn counts_arrive_upstream_under_the_name_of_their_sdk() {
    let counted = Counted::default();
    let upstream = ScriptedUpstream::start(counted.script(&fixture().to_string(), |_| None));
    let mut limits = Options::default().limits;
    limits.analytics.period = Duration::from_millis(20);
    let app = spawn_app(Options {
        document: None,
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
        }),
        limits,
        ..Options::default()
    });
    app.wait_for_first_document();
    for sdk in &ALL {
        let counts = Exchange::post("analytics", "/api/v1/analytics/flags/", json!({"banner": 3}));
        sdk.check(&mut app.connect(), &counts);
    }
    wait(counted.wait_for_sum(3 * ALL.len() as u64));
    let names = |sdk: &Sdk| {
        let mut lines = sdk.head.iter();
        let name = lines.find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("user-agent").then_some(value)
        });
        name.unwrap().to_owned()
    };
    let requests = counted.requests();
    let arrived = requests
        .iter()
        .map(|request| request.header("user-agent").unwrap().to_owned());
    assert_eq!(arrived.collect::<BTreeSet<_>>(), ALL.iter().map(names).collect());
}
