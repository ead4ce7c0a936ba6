//! More than the process can take on: some of it is refused at once, and the rest is answered as ever.
use std::sync::mpsc;
use std::time::Duration;

use edge_proxy::application::Limits;
use edge_proxy::routes::StreamOptions;
use edge_proxy::settings::Settings;
use serde_json::json;
use test_support::http::ask_until_answered;
use test_support::wait::PATIENCE;

use crate::harness::{
    App, CLIENT_KEY, Connection, HEAVY_IDENTIFIER, Options, Request, Response, heavy_identity, spawn_app,
    with_heavy_segment, with_many_features,
};

const PROBES: [&str; 6] = [
    "/proxy/health",
    "/proxy/health/readiness",
    "/proxy/health/liveness/",
    "/health",
    "/sse/health",
    "/api/v1/sse/health/",
];

fn identity_request() -> Request {
    Request::post("/api/v1/identities/", json!({"identifier": "bob"}).to_string()).key(CLIENT_KEY)
}

fn assert_refused(response: &Response) {
    assert_eq!(response.status, 503);
    assert_eq!(response.json()["status"], "unavailable");
    let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
}

fn probes_are_answered(app: &App) {
    for path in PROBES {
        assert_eq!(app.get(path).status, 200, "{path}");
    }
}

/// A client that has asked for an answer of its own, far larger than what the kernel keeps of it, and reads its head.
///
/// An answer that was read a moment ago may still count: its client has it before the worker notes so.
fn that_reads_no_further(app: &App) -> Connection {
    let mut answered = None;
    app.wait_until_answered(|app| {
        let mut connection = app.connect();
        connection.write_request(&identity_request());
        answered = (connection.read_head().status == 200).then_some(connection);
        answered.is_some()
    });
    answered.unwrap()
}

#[test]
fn unread_answers_are_bounded_over_all_connections() {
    let app = spawn_app(Options {
        document: Some(with_many_features(5_000).to_string()),
        config: json!({"server": {"max_answer_bytes_in_flight": MEBIBYTE}}),
        limits: Limits {
            send_buffer: Some(16 * 1024),
            ..Options::default().limits
        },
        ..Options::default()
    });
    let length = app.send(identity_request()).body.len();
    let may_be_unread = 1024 * 1024 / length;
    assert!(may_be_unread >= 1, "{length}");
    let unread: Vec<_> = (0..may_be_unread).map(|_| that_reads_no_further(&app)).collect();
    assert_refused(&app.send(identity_request()));
    probes_are_answered(&app);
    drop(unread);
    app.wait_until_answered(|app| app.send(identity_request()).status == 200);
}

const MEBIBYTE: usize = 1024 * 1024;

/// A request whose body takes more than half of the least budget.
fn large_request() -> Request {
    let ignored = "x".repeat(7 * MEBIBYTE / 10);
    let body = json!({"identifier": "bob", "ignored": ignored}).to_string();
    Request::post("/api/v1/identities/", body).key(CLIENT_KEY)
}

#[test]
fn bodies_that_still_come_are_bounded_over_all_connections() {
    let app = spawn_app(Options {
        config: json!({"server": {"max_body_bytes_in_flight": MEBIBYTE}}),
        ..Options::default()
    });
    assert_eq!(app.send(large_request()).status, 200);
    // Of two that wait for their last byte one has no room, whichever it is.
    let bytes = large_request().bytes();
    let (last, rest) = bytes.split_last().unwrap();
    let (sender, answers) = mpsc::channel();
    let mut writers: Vec<_> = (0..2)
        .map(|_| {
            let mut connection = app.connect();
            let (writer, sender) = (connection.duplicate(), sender.clone());
            connection.try_write(rest);
            std::thread::spawn(move || sender.send(connection.read(false)));
            writer
        })
        .collect();
    assert_refused(&answers.recv_timeout(PATIENCE).unwrap());
    probes_are_answered(&app);
    assert_eq!(app.send(identity_request()).status, 200);

    for writer in &mut writers {
        // The refused one may be gone.
        let _ = writer.try_write(&[*last]);
    }
    assert_eq!(answers.recv_timeout(PATIENCE).unwrap().status, 200);
    assert_eq!(app.send(large_request()).status, 200);
}

/// A proxy with one worker, for which `in_flight` says how many requests it may have in hand.
fn with_requests_in_flight(in_flight: fn(&mut Settings)) -> App {
    spawn_app(Options {
        workers: 1,
        // Nobody waits for the refusals that are held.
        config: json!({"server": {"shutdown_timeout_seconds": 0.1, "request_body_timeout_seconds": 3_600}}),
        adjust: in_flight,
        limits: Limits {
            streams: StreamOptions {
                refusal_hold: Duration::from_secs(3_600),
                ..StreamOptions::default()
            },
            ..Options::default().limits
        },
        ..Options::default()
    })
}

#[test]
fn a_worker_with_too_much_in_hand_refuses_all_but_probes() {
    let app = with_requests_in_flight(|settings| settings.server.door.max_requests_in_flight = 0);
    let mut connection = app.connect();
    for request in [identity_request(), Request::get("/api/v1/flags/").key(CLIENT_KEY)] {
        // The connection is kept.
        assert_refused(&connection.send(&request));
    }
    probes_are_answered(&app);
}

/// A proxy where each thread for identities that take much work may have so many.
fn with_heavy_evaluations(heavy_evaluations: usize) -> App {
    spawn_app(Options {
        document: Some(with_heavy_segment().to_string()),
        limits: Limits {
            heavy_evaluations,
            ..Options::default().limits
        },
        ..Options::default()
    })
}

#[test]
fn identities_that_take_much_work_are_bounded_and_others_do_not_notice() {
    let app = with_heavy_evaluations(0);
    let mut connection = app.connect();
    let heavy = Request::post("/api/v1/identities/", heavy_identity()).key(CLIENT_KEY);
    for _ in 0..3 {
        assert_refused(&connection.send(&heavy));
        assert_eq!(connection.send(&identity_request()).status, 200);
        assert_eq!(
            connection
                .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
                .status,
            200
        );
    }
    probes_are_answered(&app);
}

#[test]
fn what_takes_much_work_is_answered_all_the_same() {
    let app = with_heavy_evaluations(1);
    let heavy = Request::post("/api/v1/identities/", heavy_identity()).key(CLIENT_KEY);
    let heavy = ask_until_answered(app.address, &heavy);
    assert_eq!(heavy.status, 200);
    // The same identity without the trait that takes the work: its segment does not match in either case.
    let light = json!({"identifier": HEAVY_IDENTIFIER}).to_string();
    let light = app.send(Request::post("/api/v1/identities/", light).key(CLIENT_KEY));
    assert_eq!(heavy.json()["flags"], light.json()["flags"]);
}

#[test]
fn requests_that_wait_are_not_in_hand() {
    let app = with_requests_in_flight(|settings| settings.server.door.max_requests_in_flight = 1);
    let mut waiting = Vec::new();
    for _ in 0..5 {
        let mut body = app.connect();
        body.write(
            b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
              Expect: 100-continue\r\nContent-Length: 20\r\n\r\n",
        );
        assert_eq!(body.read_head().status, 100);
        let mut refusal = app.connect();
        refusal.write_request(&Request::get("/sse/environments/unknown/stream"));
        waiting.push((body, refusal));
        // Both are in hand for a moment.
        app.wait_until_answered(|app| app.get("/api/v1/flags/").status == 200);
    }
    for (body, _) in &mut waiting {
        body.write(br#"{"identifier":"bob"}"#);
        assert_eq!(body.read(false).status, 200);
    }
    // Whoever gives up waiting leaves nothing behind.
    drop(waiting);
    app.wait_until_answered(|app| app.send(identity_request()).status == 200);
}

#[test]
fn streams_that_wait_for_the_hub_are_not_in_hand() {
    let app = with_requests_in_flight(|settings| settings.server.door.max_requests_in_flight = 1);
    let hold = app.hub.inject_hold();
    let mut streams: Vec<_> = (0..5)
        .map(|_| {
            let mut stream = app.connect();
            stream.write_request(&Request::get(&format!("/sse/environments/{CLIENT_KEY}/stream")));
            // Each is in hand for a moment.
            app.wait_until_answered(|app| app.get("/api/v1/flags/").status == 200);
            stream
        })
        .collect();
    drop(hold);
    for stream in &mut streams {
        assert_eq!(stream.read_head().status, 200, "the hub was given up on");
    }
}
