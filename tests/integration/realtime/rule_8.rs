//! How a stream is refused: rule 8. Python and iOS come back to a refusal at once and for ever.
use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

use edge_proxy::application::{Limits, Outcome, StopSignal};
use edge_proxy::routes::StreamOptions;
use serde_json::json;
use test_support::http::connect;

use crate::harness::{
    App, Connection, EVENT_STREAM, EventStream, Options, Request, Response, SERVER_KEY, spawn_app, wait,
};

use super::{dying_slowly, streams, until_subscribers};

const HOLD: Duration = Duration::from_millis(300);

/// Longer than any test waits.
const FOR_EVER: Duration = Duration::from_secs(3_600);

fn held_for(refusal_hold: Duration) -> StreamOptions {
    StreamOptions {
        refusal_hold,
        heartbeat: Duration::from_millis(20),
        ..StreamOptions::default()
    }
}

/// A proxy that admits one stream, which is there already.
fn full(options: StreamOptions) -> (App, EventStream) {
    let app = spawn_app(Options {
        config: json!({"realtime": {"max_subscribers": 1}}),
        ..streams(options)
    });
    let admitted = EventStream::settled(app.address);
    (app, admitted)
}

/// Asks as a client does that comes back at once: how long it waited, and what it got.
fn refused(app: &App, method: &str, path: &str) -> (Duration, Response) {
    let asked = Instant::now();
    let mut connection = app.connect();
    let refusal = connection.send(&Request::new(method, path));
    let waited = asked.elapsed();
    assert_eq!(refusal.header("connection"), Some("close"), "{method} {path}");
    assert_eq!(refusal.header("access-control-allow-origin"), Some("*"));
    assert!(connection.is_closed());
    (waited, refusal)
}

fn assert_is_503(refusal: &Response, message: &str) {
    assert_eq!(refusal.status, 503);
    let seconds: u64 = refusal.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    if !refusal.body.is_empty() {
        assert_eq!(refusal.json()["message"], message);
    }
}

#[test]
fn rule_8_an_unknown_environment_is_refused_slowly() {
    const HOLD: Duration = Duration::from_millis(300);
    let app = spawn_app(streams(StreamOptions {
        refusal_hold: HOLD,
        ..StreamOptions::default()
    }));
    // A server-side key opens nothing in a path: paths end up in logs.
    for key in ["unknown", SERVER_KEY, "%FF", "client-key%2F", "-"] {
        for method in ["GET", "HEAD"] {
            let asked = Instant::now();
            let mut connection = app.connect();
            let refusal = connection.send(&Request::new(method, &format!("/sse/environments/{key}/stream")));
            assert!(asked.elapsed() >= HOLD, "{method} {key}: at once");
            assert_eq!(
                (refusal.status, refusal.header("connection")),
                (404, Some("close")),
                "{method} {key}"
            );
            if method == "GET" {
                assert_eq!(refusal.json()["message"], "environment not found");
                assert_eq!(refusal.header("access-control-allow-origin"), Some("*"));
            }
            assert!(connection.is_closed());
        }
    }
}

#[test]
fn rule_8_how_many_refusals_are_held_is_bounded() {
    let app = spawn_app(streams(StreamOptions {
        refusal_hold: FOR_EVER,
        held_refusals: 1,
        ..StreamOptions::default()
    }));
    let request = Request::get("/sse/environments/unknown/stream");
    let mut held = connect(app.address).unwrap();
    held.write_all(&request.bytes()).unwrap();
    // It has been refused by the time at which a later request is answered by its worker; there are two.
    (0..4).for_each(|_| assert_eq!(app.get("/api/v1/flags/").status, 200));
    std::thread::scope(|scope| {
        for _ in 0..9 {
            scope.spawn(|| assert_eq!(app.send(request.clone()).status, 404));
        }
    });
    held.set_nonblocking(true).unwrap();
    let nothing = held.peek(&mut [0]).unwrap_err();
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock, "it is held");
}

#[test]
fn rule_8_at_the_cap_a_client_that_comes_back_at_once_asks_seldom() {
    let (app, admitted) = full(held_for(HOLD));
    let begun = Instant::now();
    for method in ["GET", "HEAD", "GET"] {
        let (waited, refusal) = refused(&app, method, EVENT_STREAM);
        assert!(waited >= HOLD, "{method}: {waited:?}");
        assert_is_503(&refusal, "too many subscribers");
    }
    assert!(begun.elapsed() >= 3 * HOLD);
    drop(admitted);
    app.wait_until_answered(|app| {
        let head = app.send(Request::new("HEAD", EVENT_STREAM));
        head.status == 200
    });
    EventStream::settled(app.address);
}

#[test]
fn rule_8_a_hub_that_has_died_refuses_slowly() {
    let app = dying_slowly(streams(held_for(HOLD)));
    app.hub.inject_panic();
    app.wait_until_answered(|app| app.get("/sse/health").status == 503);
    std::thread::scope(|scope| {
        for method in ["GET", "HEAD"] {
            let app = &app;
            scope.spawn(move || {
                let (waited, refusal) = refused(app, method, EVENT_STREAM);
                assert!(waited >= HOLD, "{method}: {waited:?}");
                assert_is_503(&refusal, "the service is about to restart");
            });
        }
    });
}

#[test]
fn rule_8_a_process_that_has_too_much_in_hand_refuses_streams_slowly() {
    let options = streams(held_for(HOLD));
    let app = spawn_app(Options {
        adjust: |settings| settings.server.door.max_requests_in_flight = 0,
        ..options
    });
    for path in [EVENT_STREAM, "/api/v1/sse/environments/unknown/stream/"] {
        let (waited, refusal) = refused(&app, "GET", path);
        assert!(waited >= HOLD, "{path}: {waited:?}");
        assert_is_503(&refusal, "the service has too much to do at the moment");
    }
}

#[test]
fn rule_8_a_process_that_has_too_much_in_hand_refuses_flags_at_once() {
    let app = spawn_app(Options {
        adjust: |settings| settings.server.door.max_requests_in_flight = 0,
        ..streams(held_for(FOR_EVER))
    });
    assert_eq!(app.get("/api/v1/flags/").status, 503);
}

/// A proxy that admits one stream, which is there already, and puts one client off for so long.
fn putting_off(put_off: Duration) -> (App, EventStream) {
    full(StreamOptions {
        held_refusals: 0,
        put_off,
        put_offs: 1,
        ..held_for(FOR_EVER)
    })
}

#[test]
fn rule_8_past_those_who_are_put_off_a_refusal_comes_at_once() {
    let (app, _admitted) = putting_off(FOR_EVER);
    let _put_off = EventStream::of(app.address);
    for method in ["GET", "HEAD"] {
        assert_is_503(&refused(&app, method, EVENT_STREAM).1, "too many subscribers");
    }
}

#[test]
fn rule_8_past_the_held_ones_a_client_is_put_off_with_a_stream_that_ends() {
    const PUT_OFF: Duration = Duration::from_millis(500);
    let (app, _admitted) = putting_off(PUT_OFF);
    let begun = Instant::now();
    let mut put_off = EventStream::of(app.address);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache, no-transform"),
        ("connection", "close"),
    ] {
        assert_eq!(put_off.head.header(name), Some(value));
    }
    let retry = put_off.frame().unwrap();
    let millis = retry.strip_prefix("retry: ").unwrap().trim_end();
    assert!((1..=3_000).contains(&millis.parse::<u32>().unwrap()), "{retry}");
    assert_eq!(put_off.frame().as_deref(), Some(": not admitted, come back\n\n"));
    assert_eq!(put_off.frame(), None, "it ends cleanly");
    assert!(put_off.is_closed());
    assert!(begun.elapsed() >= PUT_OFF);
    until_subscribers(&app, 1);
    // Its permit is free again, and nobody is put off whose refusal does not pass by itself.
    app.wait_until_answered(|app| {
        let mut next = app.connect();
        next.write_request(&Request::get(EVENT_STREAM));
        next.read_head().status == 200
    });
    assert_eq!(
        refused(&app, "GET", "/sse/environments/unknown/stream").1.status,
        404
    );
}

#[test]
fn rule_8_waiting_clients_leave_places_to_requests() {
    // 28 places, of which one is for a stream: 13 clients may wait, half of them put off.
    let options = streams(StreamOptions {
        put_off: FOR_EVER,
        ..held_for(FOR_EVER)
    });
    let app = spawn_app(Options {
        config: json!({"realtime": {"max_subscribers": 1}, "server": {"shutdown_timeout_seconds": 1}}),
        limits: Limits {
            open_files: Some(64),
            ..options.limits.clone()
        },
        ..options
    });
    let _admitted = EventStream::settled(app.address);
    let mut waiting = Vec::new();
    for _ in 0..13 {
        let mut connection = app.connect();
        connection.write_request(&Request::get(EVENT_STREAM));
        waiting.push(connection);
        // It has been refused by the time at which a later request is answered by its worker; there are two.
        (0..4).for_each(|_| assert_eq!(app.get("/api/v1/flags/").status, 200));
    }
    let (_, refusal) = refused(&app, "GET", EVENT_STREAM);
    assert_is_503(&refusal, "too many subscribers");
    assert_eq!(app.get("/api/v1/flags/").status, 200);
}

/// Longer than a test of what happens in a drain takes.
const LONG_DRAIN: u32 = 60;

/// A proxy in its drain, which an open connection keeps up.
fn draining(drain_seconds: u32, options: StreamOptions) -> (App, Connection) {
    let app = spawn_app(Options {
        config: json!({"server": {"drain_seconds": drain_seconds, "shutdown_timeout_seconds": 2 * LONG_DRAIN}}),
        ..streams(options)
    });
    let mut open = app.connect();
    assert_eq!(open.send(&Request::get("/health")).status, 200);
    app.ask_to_stop();
    wait(async {
        while !app.hub.counts().await.unwrap().is_draining {
            tokio::task::yield_now().await;
        }
    });
    (app, open)
}

#[test]
fn rule_8_in_a_drain_streams_are_refused_slowly() {
    let (app, _open) = draining(LONG_DRAIN, held_for(HOLD));
    std::thread::scope(|scope| {
        for method in ["GET", "HEAD"] {
            let app = &app;
            scope.spawn(move || {
                let (waited, refusal) = refused(app, method, EVENT_STREAM);
                assert!(waited >= HOLD, "{method}: {waited:?}");
                assert_is_503(&refusal, "the service is about to restart");
            });
        }
    });
}

#[test]
fn rule_8_held_refusals_come_when_the_listener_has_closed_and_hold_up_no_stop() {
    let held = [Request::get(EVENT_STREAM), Request::new("HEAD", EVENT_STREAM)];
    // Within it the requests come.
    let (mut app, _open) = draining(5, held_for(FOR_EVER));
    let begun = Instant::now();
    let ask = |request: &Request| {
        let mut connection = app.connect();
        connection.write_request(request);
        connection
    };
    let mut waiting = held.each_ref().map(ask);
    // In the drain everything else is answered.
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    for (connection, request) in waiting.iter_mut().zip(&held) {
        assert_is_503(
            &connection.read(request.is_head()),
            "the service is about to restart",
        );
        // Whoever comes back now finds nobody, instead of another refusal.
        assert!(Connection::try_open(app.address).is_err());
    }
    assert_eq!(app.wait(), Outcome::Stopped);
    assert!(
        begun.elapsed().as_secs() < u64::from(LONG_DRAIN),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn rule_8_a_second_signal_does_not_wait_for_held_refusals_and_cuts_none() {
    let (mut app, _open) = draining(LONG_DRAIN, held_for(FOR_EVER));
    let mut held = app.connect();
    held.write_request(&Request::get(EVENT_STREAM));
    // It has been refused when a later request of its worker is answered.
    (0..4).for_each(|_| assert_eq!(app.get("/api/v1/flags/").status, 200));
    app.signal(StopSignal::Terminate);
    assert_is_503(&held.read(false), "the service is about to restart");
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn rule_8_clients_that_are_put_off_hold_up_no_stop() {
    let (mut app, _open) = draining(
        LONG_DRAIN,
        StreamOptions {
            held_refusals: 0,
            put_off: FOR_EVER,
            ..StreamOptions::default()
        },
    );
    let mut put_off = EventStream::of(app.address);
    app.signal(StopSignal::Terminate);
    while put_off.frame().is_some() {}
    assert!(put_off.is_closed());
    assert_eq!(app.wait(), Outcome::Stopped);
}
