//! What people have asked Flagsmith's support about their proxies (<https://github.com/Flagsmith/flagsmith/issues/7207>), one by
//! one: each has its line.
use serde_json::{Value, json};
use test_support::upstream::{Answer, ScriptedUpstream};

use std::time::Instant;

use test_support::wait::PATIENCE;

use super::{Diagnosis, answering, at, document, examine, examine_in};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request, SERVER_KEY, merge};

fn of(change: impl FnOnce(&mut Value), over: &Value) -> Diagnosis {
    let mut document = document();
    change(&mut document);
    let upstream = ScriptedUpstream::serving(&document);
    let mut config = at(&upstream.api_url());
    merge(&mut config, over);
    examine(&config)
}

#[test]
fn overrides_are_ignored_because_they_do_not_come_with_documents() {
    let off = |document: &mut Value| {
        document["use_identity_overrides_in_local_eval"] = json!(false);
        document["identity_overrides"] = json!([]);
    };
    let diagnosis = of(off, &json!({}));
    diagnosis.assert_warns(
        ("key pair 1", "overrides"),
        "Use identity overrides in local evaluation",
    );
    let on = of(
        |document| document["use_identity_overrides_in_local_eval"] = json!(true),
        &json!({}),
    );
    on.assert_is_sound();
}

#[test]
fn overrides_are_ignored_because_they_are_another_environments() {
    let foreign = |document: &mut Value| document["api_key"] = json!("staging-client-key");
    let diagnosis = of(foreign, &json!({}));
    diagnosis.assert_fails(("key pair 1", "environment"), "another environment");
    assert!(
        diagnosis
            .says(("key pair 1", "environment"))
            .contains("as if they were ignored")
    );
    assert!(!diagnosis.report.to_string().contains("staging-client-key"));
}

#[test]
fn a_403_of_a_key_that_was_deleted_needs_no_restart() {
    let refusal = json!({"detail": "Invalid or missing Environment Key"}).to_string();
    let upstream = answering(Answer::refusal(403, refusal).header("Content-Type", "application/json"));
    let diagnosis = examine(&at(&upstream.api_url()));
    diagnosis.assert_fails(("key pair 1", "key"), "needs no restart once the key is right");
}

#[test]
fn a_403_of_a_firewall_is_told_from_one_of_flagsmith() {
    let page = Answer::refusal(403, "<html>blocked</html>").header("Content-Type", "text/html");
    let upstream = answering(page);
    let diagnosis = examine(&at(&upstream.api_url()));
    diagnosis.assert_fails(("key pair 1", "http"), "before Flagsmith sees the key");
}

#[test]
fn restart_loops_come_of_readiness_that_fails_with_upstream() {
    let diagnosis = of(|_| {}, &json!({"health_check": {"stale_is_unready": true}}));
    diagnosis.assert_warns(("configuration", "readiness"), "restart all instances");
}

#[test]
fn stale_flags_come_of_polls_that_are_far_between() {
    of(|_| {}, &json!({"api_poll_frequency_seconds": 600}))
        .assert_warns(("configuration", "polling"), "600 s old");
}

#[test]
fn stale_flags_come_of_an_upstream_that_does_not_answer() {
    let upstream = answering(Answer::hang());
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"api_poll_timeout_seconds": 3}));
    examine(&config).assert_fails(("key pair 1", "http"), "no answer begins in time");
}

#[test]
fn stale_flags_of_a_proxy_that_runs_are_told_with_what_upstream_says() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
            "api_poll_frequency_seconds": 1,
            "health_check": {"environment_update_grace_period_seconds": 0},
        }),
        ..ProxyOptions::default()
    });
    upstream.script(|_| Answer::status(502));
    proxy
        .program()
        .find_line(|line| line.contains("upstream answers 502").then_some(()));
    let begun = Instant::now();
    while proxy.connect().send(&Request::get("/proxy/health")).status == 200 {
        assert!(begun.elapsed() < PATIENCE, "it becomes stale");
    }
    let diagnosis = examine_in(proxy.folder(), &[]);
    assert_eq!(
        diagnosis.of_verdict("failure"),
        [("key pair 1", "http")],
        "{:#}",
        diagnosis.report
    );
    assert_eq!(diagnosis.of_verdict("warning"), [("server", "health")]);
    assert!(
        diagnosis
            .says(("server", "health"))
            .contains("serves old documents")
    );
    proxy.signal("INT");
    proxy.wait();
}

#[test]
fn a_self_hosted_flagsmith_s_keys_at_the_hosted_one_are_explained() {
    // No network here: what is said of it beforehand counts.
    let diagnosis = examine(&super::config(&json!({"api_poll_timeout_seconds": 0.5})));
    assert!(
        diagnosis
            .says(("configuration", "api_url"))
            .contains("unknown there")
    );
    let mut core = at("https://api.flagsmith.com/api/v1");
    merge(&mut core, &json!({"api_poll_timeout_seconds": 0.5}));
    assert!(
        examine(&core)
            .says(("configuration", "api_url"))
            .contains("lack identity overrides")
    );
}

/// "No guides": whatever fails says what to do, in the line below.
#[test]
fn whatever_fails_is_followed_by_what_to_do() {
    for upstream in [
        answering(Answer::status(404)),
        answering(Answer::status(502)),
        answering(Answer::reset()),
        answering(Answer::ok("{}")),
    ] {
        let diagnosis = examine(&at(&upstream.api_url()));
        let checks = diagnosis.report["checks"].as_array().unwrap();
        let failures = checks.iter().filter(|one| one["verdict"] == "failure");
        let advice: Vec<_> = failures.map(|one| one["advice"].as_str()).collect();
        assert!(
            !advice.is_empty() && advice.iter().all(Option::is_some),
            "{:#}",
            diagnosis.report
        );
    }
}
