//! What upstream, or what is before it, answers to a key.
use std::time::{Duration, SystemTime};

use serde_json::json;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{answering, at, document, examine};
use crate::harness::{CLIENT_KEY, SERVER_KEY, merge};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

fn refusal(status: u16, body: &str, (name, value): (&str, &str)) -> Answer {
    Answer::refusal(status, body).header(name, value)
}

#[test]
fn a_key_that_flagsmith_refuses_is_told_in_its_words() {
    for (status, detail, advice) in [
        (
            403,
            "Invalid or missing Environment Key",
            "made as a server-side key",
        ),
        (
            401,
            "Authentication credentials were not provided.",
            "made as a server-side key",
        ),
        (
            403,
            "Organisation is disabled from serving flags.",
            "plan and usage",
        ),
    ] {
        let upstream = answering(refusal(status, &json!({"detail": detail}).to_string(), JSON));
        let diagnosis = examine(&at(&upstream.api_url()));
        diagnosis.assert_fails(("key pair 1", "key"), detail);
        let told = diagnosis.says(("key pair 1", "key"));
        assert!(
            told.contains(&status.to_string()) && told.contains(advice),
            "{told}"
        );
        diagnosis.says(("key pair 1", "http"));
    }
}

#[test]
fn a_403_in_json_that_is_no_flagsmith_s_is_told_as_such() {
    let upstream = answering(refusal(403, r#"{"message":"Forbidden"}"#, JSON));
    examine(&at(&upstream.api_url())).assert_fails(("key pair 1", "http"), "an API gateway");
    // Flagsmith's form, with what is not repeated.
    let told = json!({"detail": format!("no environment has {SERVER_KEY}")}).to_string();
    let upstream = answering(refusal(403, &told, JSON));
    examine(&at(&upstream.api_url()))
        .assert_fails(("key pair 1", "key"), "refuses the server-side key (403)");
}

#[test]
fn a_firewall_s_403_is_no_word_on_the_key() {
    let page = "<html><h1>403 Forbidden</h1></html>";
    let upstream = answering(refusal(403, page, HTML).header("Server", "cloudflare"));
    let diagnosis = examine(&at(&upstream.api_url()));
    diagnosis.assert_fails(("key pair 1", "http"), "Cloudflare");
    assert_eq!(
        diagnosis.of_verdict("skipped"),
        ["key", "document", "overrides"].map(|check| ("key pair 1", check))
    );
}

#[test]
fn answers_that_are_no_flagsmith_s_are_told_apart() {
    for (answer, says) in [
        (
            refusal(429, "{}", JSON).header("Retry-After", 17),
            "asks to wait 17 s",
        ),
        (refusal(404, "<html>", HTML), "no Flagsmith API"),
        (
            refusal(200, "<!doctype html><title>Sign in</title>", HTML),
            "page for people",
        ),
        (
            refusal(302, "", HTML).header("Location", "https://login.test/?from=x"),
            "https://login.test",
        ),
        (
            refusal(302, "", HTML).header("Location", "/api/v1/environment-document/"),
            "in a circle",
        ),
        (refusal(500, "", HTML), "500"),
        (
            refusal(503, "", HTML).header("Server", "awselb/2.0"),
            "AWS Elastic Load Balancing",
        ),
        (Answer::ok(document().to_string()).truncated(), "breaks off"),
        (Answer::reset(), "without an answer"),
    ] {
        let upstream = answering(answer);
        examine(&at(&upstream.api_url())).assert_fails(("key pair 1", "http"), says);
    }
}

#[test]
fn a_body_that_does_not_end_in_time() {
    let upstream = answering(Answer::ok(document().to_string()).stalling());
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"api_poll_timeout_seconds": 3}));
    examine(&config).assert_fails(("key pair 1", "http"), "does not end in time");
}

#[test]
fn a_key_of_several_that_is_refused_is_warned_of() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::ok(document().to_string()).header(JSON.0, JSON.1),
        _ => refusal(403, r#"{"detail": "Invalid"}"#, JSON),
    });
    for (keys, says) in [
        ([SERVER_KEY, "ser.rotated-away"], "server-side key 2 of 2"),
        (["ser.rotated-away", SERVER_KEY], "server-side key 1 of 2"),
    ] {
        let mut config = at(&upstream.api_url());
        config["environment_key_pairs"] = json!([{"client_side_key": CLIENT_KEY, "server_side_keys": keys}]);
        let diagnosis = examine(&config);
        diagnosis.assert_warns(("key pair 1", "key"), says);
        assert!(!diagnosis.report.to_string().contains("rotated-away"));
    }
}

/// Rotation: the second key is what counts once the first is taken back.
#[test]
fn a_further_key_of_another_environment_or_of_nobody() {
    let mut other = document();
    other["api_key"] = json!("other-client-key");
    let mut undated = document();
    undated.as_object_mut().unwrap().remove("updated_at");
    let json_of = |document: &serde_json::Value| Answer::ok(document.to_string()).header(JSON.0, JSON.1);
    for (first, second, place, verdict, says) in [
        (
            document(),
            json_of(&other),
            "key",
            "failure",
            "key 2 of 2 is of another environment",
        ),
        (
            undated,
            refusal(403, r#"{"detail": "Invalid"}"#, JSON),
            "key",
            "warning",
            "refuses server-side key 2 of 2",
        ),
        (
            document(),
            refusal(429, "{}", JSON),
            "key",
            "warning",
            "not known whether upstream takes server-side key 2 of 2",
        ),
    ] {
        let upstream = ScriptedUpstream::start(move |request| match request.header("X-Environment-Key") {
            Some(SERVER_KEY) => json_of(&first),
            _ => second.clone(),
        });
        let mut config = at(&upstream.api_url());
        let keys = [SERVER_KEY, "ser.the-second"];
        config["environment_key_pairs"] = json!([{"client_side_key": CLIENT_KEY, "server_side_keys": keys}]);
        examine(&config).assert(verdict, ("key pair 1", place), says);
    }
}

#[test]
fn a_refused_key_is_told_where_the_next_one_fails_otherwise() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => refusal(429, "{}", JSON),
        _ => refusal(403, r#"{"detail": "Invalid"}"#, JSON),
    });
    let mut config = at(&upstream.api_url());
    let keys = ["ser.rotated-away", SERVER_KEY];
    config["environment_key_pairs"] = json!([{"client_side_key": CLIENT_KEY, "server_side_keys": keys}]);
    let diagnosis = examine(&config);
    assert_eq!(diagnosis.of_verdict("failure"), [("key pair 1", "http")]);
    assert!(
        diagnosis
            .says(("key pair 1", "key"))
            .contains("refuses server-side key 1 of 2")
    );
}

/// What is said of the first key's answer is not of another's.
#[test]
fn where_a_document_is_no_use_no_further_key_is_asked_about() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::ok("{}").header(JSON.0, JSON.1),
        _ => refusal(403, r#"{"detail": "Invalid"}"#, JSON),
    });
    let mut config = at(&upstream.api_url());
    let keys = [SERVER_KEY, "ser.the-second"];
    config["environment_key_pairs"] = json!([{"client_side_key": CLIENT_KEY, "server_side_keys": keys}]);
    let diagnosis = examine(&config);
    diagnosis.assert_fails(("key pair 1", "document"), "no environment document");
    let http = diagnosis.says(("key pair 1", "http"));
    assert!(http.starts_with("200 of Flagsmith's API"), "{http}");
    assert_eq!(upstream.requests().len(), 1);
}

#[test]
fn a_clock_that_is_wrong() {
    for (seconds, verdict) in [(60, "warning"), (3_600, "failure")] {
        let date = |is_ahead: bool| {
            let now = SystemTime::now();
            let off = Duration::from_secs(seconds);
            httpdate::fmt_http_date(if is_ahead { now - off } else { now + off })
        };
        for is_ahead in [true, false] {
            let answer = refusal(200, &document().to_string(), JSON).header("Date", date(is_ahead));
            let upstream = answering(answer);
            let side = if is_ahead { "ahead of" } else { "behind" };
            examine(&at(&upstream.api_url())).assert(verdict, ("upstream", "clock"), side);
        }
    }
    let answer = refusal(200, &document().to_string(), JSON);
    let upstream = answering(answer.header("Date", httpdate::fmt_http_date(SystemTime::now())));
    let diagnosis = examine(&at(&upstream.api_url()));
    diagnosis.assert_is_sound();
    diagnosis.says(("upstream", "clock"));
}

#[test]
fn a_realtime_service_that_is_none() {
    let upstream = ScriptedUpstream::serving(&document());
    for (answer, says) in [
        (refusal(404, "", HTML), "it answers 404"),
        (refusal(200, "<html>", HTML), "no event stream"),
    ] {
        let elsewhere = answering(answer);
        let mut config = at(&upstream.api_url());
        merge(
            &mut config,
            &json!({"realtime": {"upstream_url": elsewhere.origin()}}),
        );
        examine(&config).assert_fails(("realtime", "stream"), says);
    }
    let down = answering(Answer::hang());
    down.go_down();
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"realtime": {"upstream_url": down.origin()}}));
    let diagnosis = examine(&config);
    diagnosis.assert_fails(("realtime", "connect"), "refused");
    assert_eq!(
        diagnosis.of_verdict("skipped").last().map(|(_, check)| *check),
        Some("stream")
    );
}
