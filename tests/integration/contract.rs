//! Lines of the HTTP contract that no other file here has.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{App, CLIENT_KEY, Options, Request, SERVER_KEY, fixture, spawn_app};

fn with(change: impl FnOnce(&mut Value)) -> App {
    let mut document = fixture();
    change(&mut document);
    spawn_app(Options {
        document: Some(document.to_string()),
        ..Options::default()
    })
}

fn post(app: &App, body: &str) -> crate::harness::Response {
    app.send(Request::post("/api/v1/identities/", body).key(CLIENT_KEY))
}

fn names(flags: &Value) -> Vec<&str> {
    let flags = flags.as_array().unwrap().iter();
    flags
        .map(|flag| flag["feature"]["name"].as_str().unwrap())
        .collect()
}

#[test]
fn the_environment_s_hide_disabled_flags_overrides_the_project_s_for_both_kinds_of_key() {
    for (project, environment, hides) in [
        (false, Value::Null, false),
        (true, Value::Null, true),
        (true, json!(false), false),
        (false, json!(true), true),
    ] {
        let app = with(|document| {
            document["project"]["hide_disabled_flags"] = json!(project);
            document["hide_disabled_flags"] = environment.clone();
        });
        for key in [CLIENT_KEY, SERVER_KEY] {
            let case = format!("{project} {environment} {key}");
            let flags = app.send(Request::get("/api/v1/flags/").key(key)).json();
            assert_eq!(!names(&flags).contains(&"banner"), hides, "{case}");
            let identity = app
                .send(Request::get("/api/v1/identities/?identifier=bob").key(key))
                .json();
            assert_eq!(!names(&identity["flags"]).contains(&"banner"), hides, "{case}");
        }
    }
}

#[test]
fn hide_sensitive_data_leaves_the_echo_as_it_is() {
    let app = with(|document| document["hide_sensitive_data"] = json!(true));
    let traits = json!([{"trait_key": "plan", "trait_value": "premium"}]);
    let answer = post(&app, &json!({"identifier": "bob", "traits": traits}).to_string()).json();
    assert_eq!(
        (&answer["identifier"], &answer["traits"]),
        (&json!("bob"), &traits)
    );
}

#[test]
fn features_for_server_side_keys_only_show_in_no_answer_to_a_client_side_key() {
    let app = spawn_app(Options::default());
    for path in [
        "/api/v1/flags/",
        "/api/v1/identities/?identifier=bob",
        "/api/v1/flags/?feature=internal",
        "/api/v1/flags/?feature=INTERNAL",
        "/api/v1/identities/?identifier=bob&feature=internal",
        "/api/v1/environment-document/",
    ] {
        let answer = app.get(path);
        assert!(
            !answer.text().contains("for servers"),
            "{path}: {}",
            answer.text()
        );
        assert_ne!(
            app.send(Request::get(path).key(SERVER_KEY)).body,
            answer.body,
            "{path}: a server-side key sees it"
        );
    }
}

#[test]
fn segments_without_an_identity_count_for_prerequisites_alone() {
    let condition = |property: &str, value: &str| {
        json!([{"type": "ALL", "rules": [], "conditions": [
            {"operator": "EQUAL", "property_": property, "value": value}
        ]}])
    };
    let banner = |app: &App| app.get("/api/v1/flags/?feature=banner").json()["feature_state_value"].clone();
    let by_environment = with(|document| {
        document["project"]["segments"][0]["rules"] = condition("$.environment.name", "Test environment");
    });
    assert_eq!(banner(&by_environment), "plain banner");
    let by_flag = with(|document| {
        document["project"]["segments"][0]["rules"] = condition("$.flags.zebra.enabled", "true");
    });
    assert_eq!(banner(&by_flag), "premium banner");
}

#[test]
fn metadata_comes_with_the_flags_of_identities_alone() {
    let metadata = json!({"experiment": {"id": 7, "name": "a/b", "in_experiment": true}});
    let app = with(|document| document["feature_states"][1]["metadata"] = metadata.clone());
    let identity = app.get("/api/v1/identities/?identifier=bob").json();
    assert_eq!(identity["flags"][1]["metadata"], metadata);
    assert_eq!(identity["flags"][0].get("metadata"), None);
    assert!(!app.get("/api/v1/flags/").text().contains("metadata"));
}

#[test]
fn numbers_are_read_as_text_and_null_traits_leave_what_was_there() {
    let app = spawn_app(Options::default());
    let sent = json!({"identifier": 12, "traits": [
        {"trait_key": " plan ", "trait_value": "premium"},
        {"trait_key": "plan", "trait_value": null},
        {"trait_key": 7, "trait_value": ["a", 1]},
        {"trait_key": "twice", "trait_value": 1},
        {"trait_key": "twice", "trait_value": 2},
    ], "unknown": {"field": []}});
    let answer = post(&app, &sent.to_string()).json();
    assert_eq!(answer["identifier"], "12");
    assert_eq!(
        answer["traits"],
        json!([
            {"trait_key": "plan", "trait_value": "premium"},
            {"trait_key": "7", "trait_value": "['a', 1]"},
            {"trait_key": "twice", "trait_value": 1},
            {"trait_key": "twice", "trait_value": 2},
        ])
    );
    let banner = &answer["flags"][1]["feature_state_value"];
    assert_eq!(
        banner, "premium banner",
        "the null one is dropped before evaluation"
    );
}

#[test]
fn bad_input_is_4xx_at_once_and_says_nothing_of_it() {
    let app = spawn_app(Options::default());
    let nested = format!(
        "{{\"identifier\": \"s3cret\", \"traits\": {}{}}}",
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let long = "s3cret".repeat(400);
    for body in [
        nested.as_str(),
        r#"{"identifier": true}"#,
        r#"{"identifier": ["s3cret"]}"#,
        r#"{"identifier": {"s3cret": 1}}"#,
        r#"{"identifier": "s3cret", "traits": {}}"#,
        r#"{"identifier": "s3cret", "traits": [7]}"#,
        r#"{"identifier": "s3cret", "traits": [{"trait_key": null, "trait_value": 1}]}"#,
        &json!({"identifier": "bob", "traits": [{"trait_key": &long[..201], "trait_value": 1}]}).to_string(),
        &json!({"identifier": "bob", "traits": [{"trait_key": "k", "trait_value": long}]}).to_string(),
    ] {
        let case = &body[..body.len().min(80)];
        // Kotlin gives all of a call 4 s. A machine that has stood still is no fault of the answer's: one of three is in time.
        let is_in_time = (0..3).any(|_| {
            let asked = Instant::now();
            let answer = post(&app, body);
            let took = asked.elapsed();
            assert_eq!(answer.status, 400, "{case}");
            assert!(!answer.text().contains("s3cret"), "{case}: {}", answer.text());
            took < Duration::from_secs(4)
        });
        assert!(is_in_time, "{case}");
    }
    for number in ["123456789012345678901234567890", "1e400", "-1e400"] {
        let body =
            format!(r#"{{"identifier": "bob", "traits": [{{"trait_key": "k", "trait_value": {number}}}]}}"#);
        let status = post(&app, &body).status;
        assert!(status == 200 || status == 400, "{number}: {status}");
    }
    assert_eq!(app.get("/api/v1/flags/").status, 200);
}

#[test]
fn browsers_read_event_streams_and_their_refusals_too() {
    let options = Options::default();
    let mut limits = options.limits.clone();
    limits.streams.refusal_hold = Duration::from_millis(1);
    let app = spawn_app(Options { limits, ..options });
    for (path, status) in [
        ("/sse/environments/client-key/stream", 200),
        ("/sse/environments/unknown/stream", 404),
    ] {
        let mut connection = app.connect();
        connection.write_request(&Request::get(path).header("Origin", "https://a.example"));
        let head = connection.read_head();
        assert_eq!(head.status, status, "{path}");
        assert_eq!(head.header("access-control-allow-origin"), Some("*"), "{path}");
        assert!(head.header("access-control-expose-headers").is_some(), "{path}");
    }
}
