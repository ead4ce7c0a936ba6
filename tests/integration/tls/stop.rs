//! A stop under load, over TLS.
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use edge_proxy::application::{Limits, Outcome, StopLimits};
use serde_json::json;
use test_support::wait::PATIENCE;

use super::{Secured, flags, secured};
use crate::harness::{
    App, CLIENT_KEY, Connection, Options, Request, SERVER_KEY, spawn_app, with_many_features,
};

fn draining() -> Secured {
    let limits = Options::default().limits;
    secured(Options {
        config: json!({"server": {"drain_seconds": 1}}),
        limits: Limits {
            stop: StopLimits {
                quiet: Some(Duration::from_secs(600)),
                // A handshake takes some turns, on two slow cores.
                young: Duration::from_secs(1),
                ..limits.stop
            },
            ..limits
        },
        ..Options::default()
    })
}

/// Sends one request after the other until an answer ends the connection; gives how many were answered.
fn send_until_told(mut connection: Connection) -> usize {
    let body = format!(
        r#"{{"identifier":"bob","traits":[],"padding":"{}"}}"#,
        "x".repeat(20_000)
    );
    let identity = Request::post("/api/v1/identities/", body).key(CLIENT_KEY);
    for answered in 1.. {
        let answer = connection.send(&identity);
        assert_eq!(answer.status, 200);
        if answer.header("connection") == Some("close") {
            assert!(connection.is_closed(), "TLS is told of the end");
            return answered;
        }
    }
    0
}

#[test]
fn a_stop_loses_no_request_and_no_handshake() {
    let mut secured = draining();
    let mut kept: Vec<_> = (0..8).map(|_| secured.connect()).collect();
    for connection in &mut kept {
        assert_eq!(connection.send(&flags()).header("connection"), None);
    }
    let (address, terms) = (secured.app.address, Arc::clone(&secured.terms));
    let (first_answered, first_answers) = mpsc::channel();
    thread::scope(|scope| {
        let mut clients: Vec<_> = kept
            .drain(..)
            .map(|connection| scope.spawn(move || send_until_told(connection)))
            .collect();
        // Those who come anew, until nobody listens any more.
        clients.extend((0..2).map(|_| {
            let (first_answered, terms) = (first_answered.clone(), Arc::clone(&terms));
            scope.spawn(move || {
                let mut answered = 0;
                while let Ok(socket) = test_support::http::connect(address) {
                    let mut connection =
                        Connection::try_over_tls(socket, &terms).expect("who came in is served");
                    assert_eq!(connection.send(&flags()).status, 200);
                    answered += 1;
                    if answered == 1 {
                        first_answered.send(()).unwrap();
                    }
                }
                answered
            })
        }));
        // A thread may take its time to begin.
        for _ in 0..2 {
            first_answers.recv_timeout(PATIENCE).expect("they are served");
        }
        secured.app.ask_to_stop();
        for client in clients {
            assert!(client.join().expect("no request is lost") > 0);
        }
    });
    assert_eq!(secured.app.wait(), Outcome::Stopped);
}

/// An answer that is larger than what the kernel keeps of it.
fn large_answers() -> Options {
    Options {
        document: Some(with_many_features(3_000).to_string()),
        limits: Limits {
            send_buffer: Some(32 * 1024),
            ..Options::default().limits
        },
        ..Options::default()
    }
}

fn large() -> Request {
    Request::get("/api/v1/environment-document/").key(SERVER_KEY)
}

/// Waits until the server ends: `idle` is told so.
fn until_stopping(app: &App, idle: &mut Connection) {
    app.ask_to_stop();
    assert!(idle.is_closed());
}

/// A request that came behind a large answer under way, before the stop.
fn waits_behind_an_answer(app: &mut App, connect: impl Fn() -> Connection) {
    let expected = connect().send(&large()).body;
    // One for each worker, which has seen the request once it has answered what came later.
    let mut others: Vec<_> = (0..8).map(|_| connect()).collect();
    let mut reader = connect();
    reader.write_request(&large());
    let head = reader.read_head();
    reader.write_request(&flags());
    for _ in 0..3 {
        for other in &mut others {
            assert_eq!(other.send(&flags()).status, 200);
        }
    }
    until_stopping(app, &mut others[0]);
    let length = head.body_length(false).unwrap();
    assert_eq!(reader.read_exact(length), expected);
    let answer = reader.read(false);
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(reader.is_closed());
    assert_eq!(app.wait(), Outcome::Stopped);
}

/// A request that comes during an answer, after the stop: that one has said that the connection goes on.
fn comes_during_an_answer(app: &mut App, connect: impl Fn() -> Connection) {
    let expected = connect().send(&large()).body;
    let (mut other, mut reader) = (connect(), connect());
    reader.write_request(&large());
    let head = reader.read_head();
    until_stopping(app, &mut other);
    let length = head.body_length(false).unwrap();
    // So little that the server is far from the answer's end.
    let begin = length / 16;
    let mut body = reader.read_exact(begin);
    reader.write_request(&flags());
    body.extend(reader.read_exact(length - begin));
    assert_eq!(body, expected);
    let answer = reader.read(false);
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert_eq!(app.wait(), Outcome::Stopped);
}

/// Over TLS, and without it.
fn over_both(check: impl Fn(&mut App, &dyn Fn() -> Connection)) {
    let mut secured = secured(large_answers());
    let (address, terms) = (secured.app.address, Arc::clone(&secured.terms));
    check(&mut secured.app, &|| Connection::open_tls(address, &terms));
    let mut plain = spawn_app(large_answers());
    let address = plain.address;
    check(&mut plain, &|| Connection::open(address));
}

#[test]
fn a_request_behind_an_answer_that_is_read_slowly_is_answered_in_a_stop() {
    over_both(|app, connect| waits_behind_an_answer(app, connect));
}

#[test]
fn a_request_that_comes_during_an_answer_is_answered_in_a_stop() {
    over_both(|app, connect| comes_during_an_answer(app, connect));
}

#[test]
fn idle_connections_are_told_of_the_stop() {
    let mut secured = secured(Options::default());
    let mut idle: Vec<_> = (0..4).map(|_| secured.connect()).collect();
    for connection in idle.iter_mut().take(2) {
        assert_eq!(connection.send(&flags()).status, 200);
    }
    secured.app.ask_to_stop();
    for connection in &mut idle {
        assert!(connection.is_closed());
    }
    assert_eq!(secured.app.wait(), Outcome::Stopped);
}

#[test]
fn a_record_that_does_not_come_to_its_end_has_the_time_of_a_head() {
    const WHOLE: Duration = Duration::from_secs(60);
    let mut secured = secured(Options {
        config: json!({"server": {
            // A busy machine needs it for the handshake.
            "request_head_timeout_seconds": 2,
            "shutdown_timeout_seconds": WHOLE.as_secs(),
        }}),
        ..Options::default()
    });
    let mut half = secured.connect();
    assert_eq!(half.send(&flags()).status, 200);
    // The begin of a record's head, as where a network cuts it.
    let mut writer = half.duplicate();
    writer.try_write(&[0x17, 3, 3]).unwrap();
    let begun = Instant::now();
    secured.app.ask_to_stop();
    half.rest();
    drop((half, writer));
    assert_eq!(secured.app.wait(), Outcome::Stopped);
    assert!(begun.elapsed() < WHOLE / 2, "{:?}", begun.elapsed());
}
