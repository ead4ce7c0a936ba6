//! A stop under load, over TLS.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use edge_proxy::application::{Limits, Outcome, StopLimits};
use serde_json::json;

use super::{Secured, flags, secured};
use crate::harness::{CLIENT_KEY, Connection, Options, Request};

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
    let new = AtomicUsize::new(0);
    let (address, terms) = (secured.app.address, Arc::clone(&secured.terms));
    thread::scope(|scope| {
        let mut clients: Vec<_> = kept
            .drain(..)
            .map(|connection| scope.spawn(move || send_until_told(connection)))
            .collect();
        // Those who come anew, until nobody listens any more.
        clients.extend((0..2).map(|_| {
            scope.spawn(|| {
                let mut answered = 0;
                while let Ok(socket) = test_support::http::connect(address) {
                    let mut connection =
                        Connection::try_over_tls(socket, &terms).expect("who came in is served");
                    assert_eq!(connection.send(&flags()).status, 200);
                    answered += 1;
                    new.fetch_add(1, Ordering::Relaxed);
                }
                answered
            })
        }));
        secured.app.ask_to_stop();
        for client in clients {
            assert!(client.join().expect("no request is lost") > 0);
        }
    });
    assert!(new.load(Ordering::Relaxed) > 0);
    assert_eq!(secured.app.wait(), Outcome::Stopped);
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
