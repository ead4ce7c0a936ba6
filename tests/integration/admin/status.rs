//! How the process and its environments fare, as a page and as JSON.
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use super::app;
use crate::harness::{App, CLIENT_KEY, EventStream, Options, Request, SERVER_KEY, fixture, spawn_app};

const T1: &str = "2024-12-26T16:18:08.5+00:00";
const T2: &str = "2024-12-26T16:18:20.25+00:00";

/// A proxy that polls this upstream without pause, with what these options add to its configuration.
fn polling(upstream: &ScriptedUpstream, realtime: Value) -> App {
    spawn_app(Options {
        document: None,
        config: json!({
            "environment_key_pairs": [
                {"client_side_key": CLIENT_KEY, "server_side_keys": [SERVER_KEY, "ser.second"], "document_path": null},
            ],
            "api_url": upstream.api_url(),
            "admin": {"port": 0},
            "realtime": realtime,
        }),
        adjust: |settings| settings.api_poll_frequency = Duration::from_millis(50),
        ..Options::default()
    })
}

pub(super) fn status(app: &App) -> Value {
    let answer = app.ask_admin(Request::get("/status.json"));
    assert_eq!(answer.status, 200);
    answer.json()
}

/// Asks until this is true of the first environment, and gives it.
pub(super) fn environment(app: &App, is_so: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let status = status(app);
        if is_so(&status["environments"][0]) {
            return status["environments"][0].clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{status:#}");
    }
}

pub(super) fn page(app: &App) -> String {
    let answer = app.ask_admin(Request::get("/status").header("Accept", "text/html,*/*"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    answer.text().to_owned()
}

#[test]
fn a_document_from_a_file_is_told_of_with_the_process() {
    let app = app(json!({}));
    let status = status(&app);
    let environment = &status["environments"][0];
    let fixture = fixture();
    assert_eq!(
        (&environment["name"], &environment["id"]),
        (&fixture["name"], &fixture["id"])
    );
    assert_eq!(environment["number"], "1");
    assert_eq!(
        (&environment["status"], &environment["detail"]),
        (&json!("ok"), &Value::Null)
    );
    assert_eq!(environment["last_change"]["source"], "file");
    assert_eq!(environment["last_failure"], Value::Null);
    assert_eq!(environment["key"], Value::Null, "a file asks for none");
    assert_eq!(environment["streams"], 0);
    assert_eq!(environment["warnings"], json!({"count": 0, "first": []}));
    assert!(
        environment["age_seconds"].as_f64().unwrap() < 60.0,
        "{environment}"
    );
    assert_eq!(environment["fetches"]["changed"], 1);

    let process = &status["process"];
    assert_eq!(process["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (&process["state"], &process["workers"]),
        (&json!("serving"), &json!(2))
    );
    for figure in ["memory_bytes", "open_files", "most_open_files"] {
        assert!(process[figure].as_u64().unwrap() > 0, "{figure}: {process}");
    }
    assert_eq!(
        (&process["connections"], &process["streams"]),
        (&json!(0), &json!(0))
    );
    assert_eq!(status["configuration"], Value::Null);
    assert_eq!(status["queues"]["analytics_waiting"], 0);
    assert_eq!(
        status["queues"]["store_waiting"],
        Value::Null,
        "there is no directory"
    );

    let _stream = EventStream::settled(app.address);
    let status = self::status(&app);
    assert_eq!(status["environments"][0]["streams"], 1);
    assert_eq!(status["process"]["streams"], 1);
    assert_eq!(status["process"]["connections"], 1);
}

#[test]
fn a_key_that_is_rejected_while_the_next_is_tried_is_no_end_of_the_failure() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::refusal(403, r#"{"detail": "no"}"#),
        _ => Answer::hang(),
    });
    let app = polling(&upstream, json!({}));
    let tried = environment(&app, |environment| environment["key"]["place"] == 2);
    assert_eq!(tried["last_successful_update"], Value::Null, "{tried}");
    assert_eq!(tried["last_failure"]["is_over"], false, "{tried}");
    let page = page(&app);
    assert!(
        page.contains("The last fetch failed") && page.contains("403"),
        "{page}"
    );
}

#[test]
fn what_came_how_and_what_failed_is_told_without_a_key() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = polling(&upstream, json!({"authentication_token": "push"}));
    let served = environment(&app, |environment| environment["status"] == "ok");
    assert_eq!(served["last_change"]["source"], "poll");
    assert_eq!(served["key"], json!({"shown": "ser.****", "place": 1, "of": 2}));
    assert_eq!(served["updated_at"], "2024-12-26T16:18:08Z");

    upstream.script(|_| Answer::refusal(502, "no"));
    let failed = environment(&app, |environment| {
        environment["last_failure"]["is_over"] == false
    });
    let reason = failed["last_failure"]["reason"].as_str().unwrap();
    assert!(reason.contains("502"), "{failed}");
    assert!(failed["detail"].as_str().unwrap().contains(reason), "{failed}");
    assert!(failed["fetches"]["failed"].as_u64().unwrap() > 0, "{failed}");

    upstream.script(|_| Answer::ok(document("two", T2)));
    let back = environment(&app, |environment| environment["last_failure"]["is_over"] == true);
    assert_eq!(back["detail"], Value::Null);

    // The first key is rejected from now on, and the second one is not.
    upstream.script(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::refusal(403, r#"{"detail": "no"}"#),
        _ => Answer::ok(document("two", T2)),
    });
    let next = environment(&app, |environment| environment["key"]["place"] == 2);
    assert!(next["fetches"]["rejected"].as_u64().unwrap() > 0, "{next}");
    let text = app.ask_admin(Request::get("/status.json")).text().to_owned() + &page(&app);
    for key in [CLIENT_KEY, SERVER_KEY, "ser.second"] {
        assert!(!text.contains(key), "{key}: {text}");
    }
}

#[test]
fn an_announced_change_is_a_push() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = spawn_app(Options {
        document: None,
        config: json!({
            "environment_key_pairs": [
                {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": null},
            ],
            "api_url": upstream.api_url(),
            "api_poll_frequency_seconds": 3600,
            "admin": {"port": 0},
            "realtime": {"authentication_token": "push"},
        }),
        ..Options::default()
    });
    environment(&app, |environment| environment["status"] == "ok");
    upstream.script(|_| Answer::ok(document("two", T2)));
    let path = format!("/sse/environments/{CLIENT_KEY}/queue-change");
    let push = Request::post(&path, json!({"updated_at": T2}).to_string());
    assert_eq!(app.send(push.header("Authorization", "Token push")).status, 200);
    environment(&app, |environment| environment["last_change"]["source"] == "push");
}

#[test]
fn requests_a_second_are_those_that_bring_a_key() {
    let app = app(json!({}));
    let rate = |status: &Value| status["environments"][0]["requests_per_second"].as_f64();
    // Once it has been looked at twice.
    app.wait_until_answered(|app| rate(&status(app)) == Some(0.0));
    app.wait_until_answered(|app| {
        assert_eq!(app.get("/api/v1/flags/").status, 200);
        assert_eq!(app.send(Request::get("/proxy/health")).status, 200);
        assert_eq!(
            app.send(Request::get("/api/v1/flags/").key("unknown")).status,
            401
        );
        let status = status(app);
        // Those of the one environment are all of them.
        assert_eq!(rate(&status), status["process"]["requests_per_second"].as_f64());
        rate(&status).unwrap() > 1.0
    });
}

#[test]
fn what_of_a_document_is_not_understood_is_told_until_it_is_mended() {
    let mut faulty = fixture();
    let name = "<i>faulty</i>";
    faulty["project"]["segments"].as_array_mut().unwrap().push(json!({
        "id": 4711, "name": name, "feature_states": [],
        "rules": [{"type": "ALL", "rules": [], "conditions": [{"property_": "t", "operator": "REGEX", "value": "("}]}],
    }));
    let app = spawn_app(Options {
        document: Some(faulty.to_string()),
        config: json!({"admin": {"port": 0}}),
        ..Options::default()
    });
    let warnings = |app: &App| status(app)["environments"][0]["warnings"].clone();
    let told = warnings(&app);
    assert_eq!(told["count"], 1, "{told}");
    assert!(told["first"][0].as_str().unwrap().contains(name), "{told}");
    let page = page(&app);
    assert!(page.contains("1 warning about the document"), "{page}");
    assert!(page.contains("faulty") && !page.contains(name), "escaped: {page}");
    app.publish(&fixture());
    assert_eq!(warnings(&app)["count"], 0);
}
