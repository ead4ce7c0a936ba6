//! Health while upstream is away for long.
use std::time::Duration;

use edge_proxy::settings::Settings;
use serde_json::{Value, json};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{T1, T2, has_value, proxy, quick, wait_for_value};
use crate::harness::App;

const STALE: &str = "environment document(s) stale.";
const DETAIL: &str = "upstream answers 500; check upstream, and the path of api_url";

fn soon_stale(settings: &mut Settings) {
    quick(settings);
    settings.health_check.grace_period = Some(Duration::from_millis(100));
}

/// A proxy whose document has gone stale.
fn stale(upstream: &ScriptedUpstream, config: &Value) -> App {
    let app = proxy(upstream, config, soon_stale);
    wait_for_value(&app, "one");
    upstream.script(|_| Answer::status(500));
    // On a busy machine it may go stale before it hears of that.
    app.wait_until_answered(|app| {
        let health = app.get("/proxy/health");
        health.status == 503 && health.json()["environments"][0]["detail"] == DETAIL
    });
    app
}

#[test]
fn a_stale_document_fails_health_but_not_readiness() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = stale(&upstream, &json!({}));
    let health = app.get("/proxy/health");
    assert_eq!(
        (health.status, &health.json()["status"], &health.json()["reason"]),
        (503, &json!("error"), &json!(STALE))
    );
    assert_eq!(
        health.json()["environments"],
        json!([{
            "name": "Test",
            "id": 1,
            "status": "stale",
            "detail": DETAIL,
            "subscribers": 0,
        }])
    );
    assert!(health.json()["last_successful_update"].is_string());
    let readiness = app.get("/proxy/health/readiness");
    assert_eq!(
        (readiness.status, readiness.json()),
        (200, json!({"status": "stale", "reason": STALE}))
    );
    assert_eq!(app.get("/proxy/health/liveness").status, 200);
    assert!(
        has_value(&app.get("/api/v1/flags/"), "one"),
        "flags are still answered"
    );

    upstream.script(|_| Answer::ok(document("two", T2)));
    wait_for_value(&app, "two");
    // It may go stale again for a moment.
    app.wait_until_answered(|app| {
        let health = app.get("/proxy/health");
        health.status == 200 && health.json()["environments"][0].get("detail").is_none()
    });
}

#[test]
fn stale_is_unready_takes_a_stale_replica_away() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = stale(&upstream, &json!({"health_check": {"stale_is_unready": true}}));
    let readiness = app.get("/proxy/health/readiness");
    assert_eq!(
        (readiness.status, readiness.json()),
        (503, json!({"status": "error", "reason": STALE}))
    );
    assert!(has_value(&app.get("/api/v1/flags/"), "one"));
}
