//! A changed document, as every worker serves it.
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{T1, T2, environment_document, has_value, proxy, quick, wait_for_value};
use crate::harness::{App, CLIENT_KEY, Connection, Request, SERVER_KEY, wait};

/// Connections enough that each of the four workers has some.
fn connections(app: &App) -> Vec<Connection> {
    (0..24).map(|_| app.connect()).collect()
}

fn updated_at(app: &App) -> f64 {
    let flags = app.get("/api/v1/flags/");
    flags
        .header("x-flagsmith-document-updated-at")
        .unwrap()
        .parse()
        .unwrap()
}

/// Once one connection gives the new value, so does every other, on whichever worker.
fn changes_everywhere_at_once(
    first_updated_at: &'static str,
    second_updated_at: &'static str,
) -> (App, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start(move |_| Answer::ok(document("one", first_updated_at)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");
    let mut connections = connections(&app);
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    for connection in &mut connections {
        assert!(has_value(&connection.send(&flags), "one"));
    }

    let published = app.environments.newest().version + 1;
    upstream.script(move |_| Answer::ok(document("two", second_updated_at)));
    app.wait_until_published(|app| *app.environments.acknowledged().borrow() >= published);
    for connection in &mut connections {
        assert!(has_value(&connection.send(&flags), "two"));
    }
    (app, upstream)
}

#[test]
fn a_new_document_is_served_by_every_worker_at_once() {
    let (app, _upstream) = changes_everywhere_at_once(T1, T2);
    assert_eq!(updated_at(&app), 1_735_229_900.25);
}

#[test]
fn new_content_under_an_unmoved_time_is_served_at_once_and_gets_upstreams_own_time() {
    let (app, upstream) = changes_everywhere_at_once(T1, T1);
    assert!(updated_at(&app) >= 1_735_229_888.5);
    // Core's task processor catches up.
    upstream.script(|_| Answer::ok(document("two", T2)));
    app.wait_until_published(|app| updated_at(app) == 1_735_229_900.25);
    let served = environment_document(&app, SERVER_KEY).json();
    assert_eq!(served["updated_at"], "2024-12-26T16:18:20.250000+00:00");
    wait_for_value(&app, "two");
}

#[test]
fn new_content_whose_time_never_moves_gets_a_time_of_ours() {
    let (app, _upstream) = changes_everywhere_at_once(T1, T1);
    // Years after T1: now.
    app.wait_until_published(|app| updated_at(app) > 1_735_229_888.5);
    let served = environment_document(&app, SERVER_KEY);
    assert_eq!(
        served
            .header("x-flagsmith-document-updated-at")
            .unwrap()
            .parse::<f64>()
            .unwrap(),
        updated_at(&app)
    );
}

#[test]
fn a_second_change_within_one_second_is_served() {
    const SECOND: &str = "Thu, 26 Dec 2024 16:18:08 GMT";
    let first = || Answer::ok(document("one", "2024-12-26T16:18:08.1+00:00"));
    let upstream = ScriptedUpstream::start(move |_| first().header("Date", SECOND));
    let app = proxy(
        &upstream,
        &json!({"api_poll_unconditional_seconds": 100_000}),
        quick,
    );
    wait_for_value(&app, "one");
    // As core: 304 has a resolution of one second.
    upstream.script(|request| match request.header("If-Modified-Since") {
        Some(SECOND) => Answer::status(304).header("Date", SECOND),
        _ => Answer::ok(document("two", "2024-12-26T16:18:08.9+00:00")).header("Date", SECOND),
    });
    let held = environment_document(&app, SERVER_KEY);
    wait_for_value(&app, "two");

    // A client that polls by date alone must not stay on the first, whose date is the same.
    assert_eq!(held.header("last-modified"), Some(SECOND));
    let by_date = Request::get("/api/v1/environment-document/")
        .key(SERVER_KEY)
        .header("If-Modified-Since", SECOND);
    let document = app.send(by_date.clone());
    assert_eq!(
        (document.status, document.header("last-modified")),
        (200, Some(SECOND))
    );
    assert_eq!(document.json()["feature_states"][0]["feature_state_value"], "two");
    let tag = document.header("etag").unwrap().to_owned();
    assert_eq!(app.send(by_date.header("If-None-Match", &tag)).status, 304);
}

#[test]
fn a_lagging_workers_older_document_changes_nothing_and_a_time_alone_neither() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("two", T2)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "two");
    let count = AtomicUsize::new(0);
    upstream.script(move |_| {
        // Every other fetch reaches the worker that lags.
        let is_lagging = count.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        Answer::ok(if is_lagging {
            document("one", T1)
        } else {
            document("two", "2024-12-26T16:18:21+00:00")
        })
    });
    wait(upstream.wait_for_more(8));
    assert_eq!(app.environments.newest().version, 1);
    assert_eq!(updated_at(&app), 1_735_229_900.25);
    wait_for_value(&app, "two");
}

#[test]
fn a_conditional_client_gets_each_change() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");
    let flags = app.get("/api/v1/flags/");
    let tag = flags.header("etag").unwrap().to_owned();
    let conditional = Request::get("/api/v1/flags/")
        .key(CLIENT_KEY)
        .header("If-None-Match", &tag);
    assert_eq!(app.send(conditional.clone()).status, 304);
    upstream.script(|_| Answer::ok(document("two", T2)));
    wait_for_value(&app, "two");
    let changed = app.send(conditional);
    assert_eq!(
        (changed.status, changed.json()[0]["feature_state_value"].clone()),
        (200, Value::from("two"))
    );
}
