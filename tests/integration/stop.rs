//! The stop as clients see it.
use std::time::{Duration, Instant};

use edge_proxy::application::{Limits, Outcome, StopLimits, StopSignal};
use serde_json::json;
use test_support::wait::PATIENCE;

use crate::harness::{App, CLIENT_KEY, Connection, Options, Request, spawn_app};

/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(600);

/// A proxy that drains for longer than any test waits, whoever is connected: [`end_drain`] ends it.
fn draining() -> App {
    let limits = Options::default().limits;
    spawn_app(Options {
        config: json!({"server": {"drain_seconds": 600, "shutdown_timeout_seconds": 1_200}}),
        limits: Limits {
            stop: StopLimits {
                quiet: Some(NEVER),
                ..limits.stop
            },
            ..limits
        },
        ..Options::default()
    })
}

/// Asks it to stop, and waits until it drains.
fn begin_drain(app: &App) {
    app.ask_to_stop();
    app.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
}

/// Ends a drain in which nothing is unfinished, and waits for the end.
fn end_drain(mut app: App) {
    app.signal(StopSignal::Terminate);
    assert_eq!(app.wait(), Outcome::Stopped);
}

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

/// Sends a request but for its body of 20 bytes; it is in flight then.
fn start_request(connection: &mut Connection) {
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
          Expect: 100-continue\r\nContent-Length: 20\r\n\r\n",
    );
    assert_eq!(connection.read_head().status, 100);
}

/// Sends one request after the other until an answer ends the connection; gives how many were answered.
fn send_until_told(mut connection: Connection) -> usize {
    let identity = Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY);
    let mut answered = 0;
    loop {
        let response = connection.send(&identity);
        assert_eq!(response.status, 200);
        answered += 1;
        if response.header("connection") == Some("close") {
            assert!(connection.is_closed());
            return answered;
        }
    }
}

#[test]
fn a_stop_loses_no_request_of_connections_in_use() {
    // Its drain ends when no connection is left.
    let mut app = spawn_app(Options {
        config: json!({"server": {"drain_seconds": 600, "shutdown_timeout_seconds": 1_200}}),
        ..Options::default()
    });
    let mut connections: Vec<_> = (0..8).map(|_| app.connect()).collect();
    for connection in &mut connections {
        assert_eq!(connection.send(&flags()).header("connection"), None);
    }
    let clients: Vec<_> = connections
        .into_iter()
        .map(|connection| std::thread::spawn(move || send_until_told(connection)))
        .collect();
    app.ask_to_stop();
    for client in clients {
        assert!(client.join().expect("no request is lost") > 0);
    }
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn while_it_drains_flags_are_answered_and_readiness_fails() {
    let app = draining();
    begin_drain(&app);
    assert_eq!(
        app.get("/proxy/health/readiness").json(),
        json!({"status": "error", "reason": "the process is about to end."})
    );
    let flags = app.get("/api/v1/flags/");
    assert_eq!((flags.status, flags.header("connection")), (200, Some("close")));
    assert_eq!(app.get("/proxy/health/liveness").status, 200);
    end_drain(app);
}

#[test]
fn in_a_drain_every_answer_ends_its_connection() {
    let app = draining();
    let requests = [
        Request::get("/api/v1/flags/").key(CLIENT_KEY),
        Request::get("/api/v1/flags/").key("unknown"),
        Request::get("/nowhere"),
        Request::new("DELETE", "/api/v1/flags/"),
        Request::new("OPTIONS", "/api/v1/flags/"),
        Request::new("OPTIONS", "/api/v1/flags/")
            .header("Origin", "https://www.example.com")
            .header("Access-Control-Request-Method", "GET"),
    ];
    let mut connections: Vec<_> = requests.iter().map(|_| app.connect()).collect();
    for (connection, request) in connections.iter_mut().zip(&requests) {
        assert_eq!(connection.send(request).header("connection"), None, "{request:?}");
    }
    begin_drain(&app);
    for (connection, request) in connections.iter_mut().zip(&requests) {
        let answer = connection.send(request);
        assert_eq!(answer.header("connection"), Some("close"), "{request:?}");
        assert!(connection.is_closed(), "{request:?}");
    }
    end_drain(app);
}

#[test]
fn a_request_that_never_ends_does_not_hold_the_stop_beyond_its_time() {
    let mut app = spawn_app(Options {
        config: json!({"server": {"shutdown_timeout_seconds": 0.3, "request_body_timeout_seconds": 3_600}}),
        ..Options::default()
    });
    let mut unfinished = app.connect();
    start_request(&mut unfinished);
    let asked = Instant::now();
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    let took = asked.elapsed();
    // Its body may take an hour.
    assert!(took >= Duration::from_millis(300) && took < PATIENCE, "{took:?}");
}

#[test]
fn a_drain_ends_early_when_no_connection_is_left() {
    let mut app = spawn_app(Options {
        config: json!({"server": {"drain_seconds": 600, "shutdown_timeout_seconds": 1200}}),
        ..Options::default()
    });
    let mut last = app.connect();
    assert_eq!(last.send(&flags()).status, 200);
    // The connection is kept; a drain that it does not hold open would end it by now instead of answering.
    begin_drain(&app);
    let answer = last.send(&flags());
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    drop(last);
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn a_person_waits_for_no_drain() {
    let mut app = spawn_app(Options {
        config: json!({"server": {"drain_seconds": 600, "shutdown_timeout_seconds": 1200}}),
        ..Options::default()
    });
    let mut idle = app.connect();
    assert_eq!(idle.send(&flags()).status, 200);
    app.signal(StopSignal::Interrupt);
    assert!(idle.is_closed());
    drop(idle);
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn a_second_signal_ends_a_drain_at_once_and_cuts_nobody() {
    for second in [StopSignal::Terminate, StopSignal::Interrupt] {
        let mut app = draining();
        let mut idle = app.connect();
        assert_eq!(idle.send(&flags()).status, 200);
        begin_drain(&app);
        app.signal(second);
        assert!(idle.is_closed());
        assert_eq!(app.wait(), Outcome::Stopped);
    }
}

#[test]
fn a_second_signal_cuts_what_is_unfinished_and_says_so() {
    for (second, code) in [(StopSignal::Terminate, 143), (StopSignal::Interrupt, 130)] {
        let mut app = draining();
        let mut in_flight = app.connect();
        start_request(&mut in_flight);
        begin_drain(&app);
        app.signal(second);
        let outcome = app.wait();
        assert_eq!((outcome, outcome.exit_code()), (Outcome::Cut(second), code));
        assert!(in_flight.is_closed());
    }
}
