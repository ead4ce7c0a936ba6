//! The stop as clients see it.
use std::time::{Duration, Instant};

use edge_proxy::application::{Limits, Outcome};
use serde_json::json;

use crate::harness::{App, CLIENT_KEY, Connection, Options, Request, spawn_app};

/// A proxy that goes on for `notice` once it is asked to stop.
fn app(notice: Duration) -> App {
    spawn_app(Options {
        limits: Limits {
            notice_of_stop: notice,
            ..Options::default().limits
        },
        ..Options::default()
    })
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
    let mut app = app(Duration::from_secs(2));
    let mut connections: Vec<_> = (0..8).map(|_| app.connect()).collect();
    for connection in &mut connections {
        assert_eq!(
            connection
                .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
                .header("connection"),
            None
        );
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
    let mut app = app(Duration::from_secs(2));
    app.ask_to_stop();
    app.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
    assert_eq!(
        app.get("/proxy/health/readiness").json(),
        json!({"status": "error", "reason": "the process is about to end."})
    );
    let flags = app.get("/api/v1/flags/");
    assert_eq!((flags.status, flags.header("connection")), (200, Some("close")));
    assert_eq!(app.get("/proxy/health/liveness").status, 200);
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn in_a_drain_every_answer_ends_its_connection() {
    let mut app = app(Duration::from_secs(2));
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
    app.ask_to_stop();
    app.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
    for (connection, request) in connections.iter_mut().zip(&requests) {
        let answer = connection.send(request);
        assert_eq!(answer.header("connection"), Some("close"), "{request:?}");
        assert!(connection.is_closed(), "{request:?}");
    }
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn a_request_that_never_ends_does_not_hold_the_stop_beyond_its_time() {
    let mut app = spawn_app(Options {
        config: json!({"server": {"shutdown_timeout_seconds": 0.3}}),
        ..Options::default()
    });
    let mut unfinished = app.connect();
    unfinished.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
          Expect: 100-continue\r\nContent-Length: 20\r\n\r\n",
    );
    assert_eq!(unfinished.read_head().status, 100, "it is in flight");
    let asked = Instant::now();
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    let took = asked.elapsed();
    // Its body may take 10 s.
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(5),
        "{took:?}"
    );
}
