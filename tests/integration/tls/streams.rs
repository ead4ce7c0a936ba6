//! Event streams over TLS.
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use edge_proxy::application::{Limits, Outcome};
use test_support::http::connect;

use super::{Secured, flags, secured};
use crate::harness::{
    CLIENT_KEY, Connection, EVENT_STREAM, EventStream, Options, Request, SERVER_KEY, event, wait,
    with_many_features,
};
use crate::realtime::{changed, heartbeats};

fn settled(secured: &Secured) -> EventStream {
    let mut stream = EventStream::over(secured.connect(), &Request::get(EVENT_STREAM));
    stream.frame().expect("retry");
    stream.frame().expect("the newest change or a comment");
    stream
}

/// Waits until so many are subscribed.
fn until_subscribed(secured: &Secured, expected: usize) {
    wait(async {
        loop {
            let counts = secured.app.hub.counts().await.unwrap();
            if counts.by_environment.values().sum::<usize>() == expected {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
}

#[test]
fn a_change_is_told_at_once() {
    let secured = secured(Options::default());
    let mut streams: Vec<_> = (0..3).map(|_| settled(&secured)).collect();
    for (updated_at, told) in [
        ("2091-01-01T00:00:00+00:00", "3818448000.0"),
        ("2092-01-01T00:00:00+00:00", "3849984000.0"),
    ] {
        secured.app.publish(&changed(updated_at));
        for stream in &mut streams {
            assert_eq!(stream.event(), Some(event(told)));
        }
    }
}

#[test]
fn whoever_leaves_is_noticed() {
    let secured = secured(heartbeats(Duration::from_millis(20)));
    let streams: Vec<_> = (0..3).map(|_| settled(&secured)).collect();
    until_subscribed(&secured, 3);
    drop(streams);
    until_subscribed(&secured, 0);
}

#[test]
fn whoever_sends_nothing_more_is_told_on() {
    let secured = secured(heartbeats(Duration::from_millis(20)));
    let mut connection = secured.connect();
    connection.write_request(&Request::get(EVENT_STREAM));
    // By TLS's own word for it, and by TCP's.
    connection.finish();
    assert_eq!(connection.read_head().status, 200);
    for _ in 0..5 {
        connection.chunk().expect("it goes on");
    }
}

#[test]
fn a_stop_ends_streams_in_good_order() {
    let mut secured = secured(Options::default());
    let mut streams: Vec<_> = (0..3).map(|_| settled(&secured)).collect();
    secured.app.ask_to_stop();
    for stream in &mut streams {
        while stream.frame().is_some() {}
        assert!(stream.is_closed(), "TLS is told too");
    }
    assert_eq!(secured.app.wait(), Outcome::Stopped);
}

#[test]
fn whoever_does_not_read_holds_nobody_up() {
    let secured = secured(Options {
        document: Some(with_many_features(3_000).to_string()),
        limits: Limits {
            send_buffer: Some(32 * 1024),
            ..Options::default().limits
        },
        ..Options::default()
    });
    let document = Request::get("/api/v1/environment-document/").key(SERVER_KEY);
    let expected = secured.connect().send(&document).body;
    let mut stuck: Vec<_> = (0..20)
        .map(|_| {
            let mut connection = secured.connect();
            connection.write_request(&document);
            connection.write_request(&flags());
            connection
        })
        .collect();
    let mut other = secured.connect();
    for _ in 0..20 {
        assert_eq!(other.send(&flags()).status, 200);
    }
    // Nothing is lost of what they read at last.
    for connection in &mut stuck {
        assert_eq!(connection.read(false).body, expected);
        assert_eq!(connection.read(false).status, 200);
    }
}

#[test]
fn a_socket_that_ends_without_a_word_has_its_answer_all_the_same() {
    let secured = secured(Options::default());
    let mut socket = connect(secured.app.address).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(Arc::clone(&secured.terms), name).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut socket).unwrap();
    }
    session
        .writer()
        .write_all(&Request::get("/api/v1/flags/").key(CLIENT_KEY).bytes())
        .unwrap();
    session.write_tls(&mut socket).unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    let mut stream = rustls::StreamOwned::new(session, socket);
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(Connection::open_tls(secured.app.address, &secured.terms));
}
