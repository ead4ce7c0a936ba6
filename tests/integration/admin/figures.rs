//! The figures of `/metrics` beside those of requests, each driven from 0 by what it counts.
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::{FIXTURE, fixture};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use super::metrics::{Scrape, scrape};
use crate::harness::{
    App, CLIENT_KEY, EventStream, Options, Proxy, ProxyOptions, Request, SERVER_KEY, event, spawn_app,
};
use crate::tls::secured;

/// Scrapes until a series has a value like this.
pub(super) fn until(scrape: impl Fn() -> Scrape, series: &str, is_so: impl Fn(f64) -> bool) {
    let begun = Instant::now();
    loop {
        let value = scrape().value(&own(series));
        if is_so(value) {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{series} is {value}");
    }
}

/// Waits until a series has this value.
pub(super) fn until_is(app: &App, series: &str, value: f64) {
    until(|| scrape(app), series, |now| now == value);
}

/// A series of ours.
pub(super) fn own(series: &str) -> String {
    format!("flagsmith_edge_proxy_{series}")
}

/// Has upstream answer what is no poll like this.
pub(super) fn answer(upstream: &ScriptedUpstream, to_counts: u16, to_others: u16) {
    upstream.script(move |request| match request.target.as_str() {
        "/api/v1/environment-document/" => Answer::ok(FIXTURE),
        "/api/v1/analytics/flags/" => Answer::refusal(to_counts, "{}"),
        _ => Answer::refusal(to_others, "[]"),
    });
}

/// A proxy that polls this upstream once, and tells it everything at once.
pub(super) fn polling(upstream: &ScriptedUpstream, over: &Value) -> App {
    let mut config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
        "forward_identities": true,
        "admin": {"port": 0},
    });
    crate::harness::merge(&mut config, over);
    let mut limits = Options::default().limits;
    limits.analytics.period = Duration::from_millis(20);
    limits.write_through.period = Duration::from_millis(10);
    let app = spawn_app(Options {
        document: None,
        config,
        limits,
        adjust: |settings| settings.api_poll_frequency = Duration::from_secs(100_000),
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}

/// Counts evaluations of a feature of the fixture.
fn count(app: &App, evaluations: u64) {
    let document = fixture();
    let feature = document["feature_states"][0]["feature"]["name"].as_str().unwrap();
    let body = json!({feature: evaluations}).to_string();
    let counts = Request::post("/api/v1/analytics/flags/", body).key(CLIENT_KEY);
    assert_eq!(app.send(counts).status, 200);
}

fn see(app: &App, identifier: &str) {
    assert_eq!(
        app.get(&format!("/api/v1/identities/?identifier={identifier}"))
            .status,
        200
    );
}

#[test]
fn what_goes_to_upstream_is_counted_by_what_became_of_it() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    answer(&upstream, 503, 503);
    let app = polling(&upstream, &json!({}));
    count(&app, 3);
    until_is(&app, "analytics_queued", 3.0);
    see(&app, "ann");
    until_is(&app, "identities_queued", 1.0);
    let status = app.ask_admin(Request::get("/status.json")).json();
    let queues = &status["queues"];
    assert_eq!(
        (&queues["analytics_waiting"], &queues["identities_waiting"]),
        (&json!(3), &json!(1))
    );

    answer(&upstream, 200, 200);
    until_is(&app, "analytics_sent_total", 3.0);
    until_is(&app, "identities_forwarded_total", 1.0);
    until_is(&app, "analytics_queued", 0.0);
    until_is(&app, "identities_queued", 0.0);

    answer(&upstream, 404, 400);
    count(&app, 2);
    until_is(&app, r#"analytics_dropped_total{reason="refused"}"#, 2.0);
    see(&app, "bob");
    until_is(&app, r#"identities_dropped_total{reason="refused"}"#, 1.0);
    let status = app.ask_admin(Request::get("/status.json")).json();
    assert_eq!(status["queues"]["analytics_lost"], 2);
    assert!(
        status["queues"]["identities_lost"].as_u64().unwrap() >= 1,
        "{status}"
    );

    let write = || {
        let body = r#"{"identity": {"identifier": "cy"}, "trait_key": "plan", "trait_value": "pro"}"#;
        app.send(Request::post("/api/v1/traits/", body).key(CLIENT_KEY))
            .status
    };
    assert_eq!(write(), 400);
    upstream.go_down();
    assert_eq!(write(), 503);
    let scrape = scrape(&app);
    for (series, expected) in [
        (r#"writes_forwarded_total{outcome="answered"}"#, 1.0),
        (r#"writes_forwarded_total{outcome="unanswered"}"#, 1.0),
        (r#"shed_requests_total{reason="upstream_away"}"#, 1.0),
        ("analytics_sent_total", 3.0),
        ("identities_forwarded_total", 1.0),
    ] {
        assert_eq!(scrape.value(&own(series)), expected, "{series}");
    }
}

#[test]
fn what_the_disk_takes_is_counted_and_what_it_does_not() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    answer(&upstream, 200, 200);
    let folder = TempDir::new().unwrap();
    let app = polling(
        &upstream,
        &json!({"persistence": {"directory": folder.path().join("store")}}),
    );
    until_is(&app, "store_writes_total", 1.0);
    until_is(&app, "store_failures_total", 0.0);
    drop(app);
    // A file stands where the directory is to be.
    std::fs::write(folder.path().join("file"), "").unwrap();
    let app = polling(
        &upstream,
        &json!({"persistence": {"directory": folder.path().join("file/store")}}),
    );
    until(
        || scrape(&app),
        "store_failures_total",
        |failures| failures >= 1.0,
    );
    assert_eq!(scrape(&app).value(&own("store_writes_total")), 0.0);
}

#[test]
fn evaluations_that_have_no_upstream_are_counted() {
    let app = spawn_app(Options {
        config: json!({"admin": {"port": 0}}),
        limits: {
            let mut limits = Options::default().limits;
            limits.analytics.period = Duration::from_millis(20);
            limits
        },
        ..Options::default()
    });
    count(&app, 2);
    until_is(&app, r#"analytics_dropped_total{reason="without_upstream"}"#, 2.0);
}

#[test]
fn a_document_grows_old_and_its_faults_are_counted() {
    let mut faulty = fixture();
    faulty["project"]["segments"].as_array_mut().unwrap().push(json!({
        "id": 4711, "name": "faulty", "feature_states": [],
        "rules": [{"type": "ALL", "rules": [], "conditions": [{"property_": "t", "operator": "REGEX", "value": "("}]}],
    }));
    let upstream = ScriptedUpstream::start(move |_| Answer::ok(faulty.to_string()));
    let app = polling(&upstream, &json!({}));
    let name = fixture()["name"].as_str().unwrap().to_owned();
    let of_environment = |name_of_metric: &str| {
        own(&format!(
            r#"{name_of_metric}{{environment_id="1",environment="{name}"}}"#
        ))
    };
    let [first, second] = [scrape(&app), scrape(&app)];
    let ages = [&first, &second].map(|scrape| scrape.value(&of_environment("document_age_seconds")));
    assert!(0.0 < ages[0] && ages[0] < ages[1], "{ages:?}");
    assert_eq!(first.value(&of_environment("document_warnings")), 1.0);
    // The times are told in seconds, of which each took less than a minute and more than a nanosecond.
    for name in ["document_apply_seconds", "document_publish_seconds"] {
        let sum = first.value(&own(&format!("{name}_sum")));
        assert!((1e-9..60.0).contains(&sum), "{name}: {sum}");
    }
}

#[test]
fn who_connects_late_is_told_again_and_that_is_counted() {
    let app = super::app(json!({}));
    let mut changed = fixture();
    changed["updated_at"] = json!("2030-01-01T00:00:00Z");
    changed["feature_states"][0]["enabled"] =
        json!(!changed["feature_states"][0]["enabled"].as_bool().unwrap());
    app.publish(&changed);
    let mut late = EventStream::of(app.address);
    assert_eq!(late.event(), Some(event("1893456000.0")));
    let scrape = scrape(&app);
    assert_eq!(scrape.value(&own("stream_replays_total")), 1.0);
    assert_eq!(
        scrape.value(&own("stream_delivery_seconds_count")),
        0.0,
        "it is no delivery"
    );
}

#[test]
fn a_configuration_that_is_refused_is_counted() {
    let proxy = Proxy::start(ProxyOptions {
        config: json!({"admin": {"port": 0}}),
        ..ProxyOptions::default()
    });
    let scrape = || Scrape::of(&proxy.ask_admin(Request::get("/metrics")));
    assert_eq!(scrape().value(&own("configuration_in_force")), 1.0);
    proxy.write_config(b"{");
    proxy.signal("HUP");
    until(
        scrape,
        r#"configuration_reloads_total{outcome="refused"}"#,
        |refused| refused >= 1.0,
    );
    assert_eq!(scrape().value(&own("configuration_in_force")), 0.0);
}

#[test]
fn the_process_is_told_of_in_seconds_and_bytes() {
    let secured = secured(Options {
        config: json!({"admin": {"port": 0}}),
        ..Options::default()
    });
    let scrape = scrape(&secured.app);
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    let day = 24.0 * 3_600.0;
    for (series, range) in [
        ("process_cpu_seconds_total", 0.001..day),
        ("process_resident_memory_bytes", 1e6..1e12),
        ("process_virtual_memory_bytes", 1e6..1e15),
        ("process_open_fds", 5.0..1e6),
        ("process_max_fds", 16.0..1e10),
        ("process_threads", 3.0..1e5),
        ("process_start_time_seconds", now - day..now + 1.0),
        // The certificates of tests are valid until the year 2100.
        (
            "flagsmith_edge_proxy_certificate_expiry_timestamp_seconds",
            4.07e9..4.14e9,
        ),
    ] {
        let value = scrape.value(series);
        assert!(range.contains(&value), "{series}: {value} is not in {range:?}");
    }
}
