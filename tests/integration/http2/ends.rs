//! The end: GOAWAY names the last request that is answered, and every one of those is.
use std::time::Duration;

use edge_proxy::application::{Limits, Outcome};
use serde_json::json;
use test_support::http2::{Frame, FrameConnection, code, flag, kind};
use test_support::wait::{PATIENCE, in_time};

use super::client::{Client, get};
use super::{h2c, with};
use crate::harness::{App, CLIENT_KEY, EVENT_STREAM, Options, spawn_app};

/// What the first of two GOAWAY names: every stream that there could be.
const ANY_STREAM: u32 = 0x7fff_ffff;

/// A proxy that drains for so many seconds.
fn draining_for(seconds: f64) -> App {
    let options = with(json!({"server": {"drain_seconds": seconds}}));
    let limits = options.limits.clone();
    spawn_app(Options {
        limits: Limits {
            stop: edge_proxy::application::StopLimits {
                quiet: Some(Duration::from_secs(600)),
                ..limits.stop
            },
            ..limits
        },
        ..options
    })
}

/// The same for a client that is told of the end and has no turn for a while.
fn patient(options: Options) -> Options {
    Options {
        limits: Limits {
            disconnect: PATIENCE,
            ..options.limits
        },
        ..options
    }
}

/// Sends requests, ten at a time, until the server says that the connection ends; gives how many were answered. None that
/// was taken is lost: what the server has not begun it says so of.
async fn send_until_told(client: Client) -> usize {
    let mut answered = 0;
    loop {
        let asked = (0..10).map(|_| client.try_send(get("/api/v1/flags/"), None));
        for outcome in futures::future::join_all(asked).await {
            match outcome {
                Ok(answer) => {
                    assert_eq!(answer.status, 200);
                    answered += 1;
                }
                // The client itself has heard of the end, and sends it elsewhere.
                Err(error) if error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR) => {
                    return answered;
                }
                Err(error) => panic!("a request is lost after {answered}: {error:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_stop_under_load_loses_no_request() {
    let mut app = draining_for(1.0);
    let mut clients = Vec::new();
    for _ in 0..8 {
        let client = Client::open(app.address).await;
        assert_eq!(client.send(get("/api/v1/flags/"), None).await.status, 200);
        clients.push(tokio::spawn(send_until_told(client)));
    }
    app.ask_to_stop();
    for client in clients {
        in_time(client).await.expect("no request is lost");
    }
    assert_eq!(
        tokio::task::spawn_blocking(move || app.wait()).await.unwrap(),
        Outcome::Stopped
    );
}

#[test]
fn in_a_drain_an_answer_announces_the_end_and_what_was_under_way_is_answered() {
    // As long as a connection is open, which ends before that.
    let mut app = spawn_app(patient(with(
        json!({"server": {"drain_seconds": 60, "shutdown_timeout_seconds": 120}}),
    )));
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::get(1, "/api/v1/flags/", CLIENT_KEY));
    connection.find(|frame| frame.stream == 1 && frame.ends_stream());
    app.ask_to_stop();
    app.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
    connection.send(&Frame::get(3, "/api/v1/flags/", CLIENT_KEY));
    let first = connection.find(|frame| frame.kind == kind::GOAWAY);
    assert_eq!((first.last_stream(), first.code()), (ANY_STREAM, code::NO_ERROR));
    // It was sent before the client has heard of that.
    connection.send(&Frame::get(5, "/api/v1/flags/", CLIENT_KEY));
    let mut is_answered = false;
    let second = connection
        .find_answering(|frame| frame.kind == kind::GOAWAY || (frame.stream == 5 && frame.ends_stream()));
    if second.kind == kind::DATA {
        is_answered = true;
    }
    let last = if second.kind == kind::GOAWAY {
        second
    } else {
        connection.find_answering(|frame| frame.kind == kind::GOAWAY)
    };
    assert_eq!((last.last_stream(), last.code()), (5, code::NO_ERROR));
    let rest = connection.rest();
    assert!(is_answered || rest.iter().any(|frame| frame.stream == 5 && frame.ends_stream()));
    drop(connection);
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[tokio::test]
async fn event_streams_end_cleanly_in_a_drain() {
    let mut app = draining_for(0.5);
    let client = Client::open(app.address).await;
    let mut streams = Vec::new();
    for _ in 0..50 {
        let (_, mut stream) = client.subscribe(get(EVENT_STREAM)).await;
        stream.frame().await.expect("retry");
        streams.push(stream);
    }
    app.ask_to_stop();
    for stream in &mut streams {
        // A reset would fail this.
        while stream.frame().await.is_some() {}
    }
    drop(streams);
    in_time(client.connection).await.unwrap().expect("a clean end");
    assert_eq!(
        tokio::task::spawn_blocking(move || app.wait()).await.unwrap(),
        Outcome::Stopped
    );
}

#[test]
fn requests_in_flight_are_answered_before_the_end() {
    let mut app = spawn_app(h2c());
    let mut connection = FrameConnection::open(app.address, &[]);
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "proxy"),
        (":path", "/api/v1/identities/"),
        ("x-environment-key", CLIENT_KEY),
        ("expect", "100-continue"),
    ];
    connection.send(&Frame::request(1, 0, &fields));
    // 100: the request is in flight, and its body is awaited.
    connection.find(|frame| frame.kind == kind::HEADERS && frame.stream == 1);
    app.ask_to_stop();
    let announced = connection.find(|frame| frame.kind == kind::GOAWAY);
    assert_eq!(announced.last_stream(), ANY_STREAM);
    connection.send(&Frame::new(
        kind::DATA,
        flag::END_STREAM,
        1,
        br#"{"identifier":"bob"}"#.as_slice(),
    ));
    connection.find_answering(|frame| frame.kind == kind::HEADERS && frame.stream == 1);
    connection.find_answering(|frame| frame.stream == 1 && frame.ends_stream());
    let rest = connection.rest();
    assert!(
        rest.iter().all(|frame| frame.kind != kind::RST_STREAM),
        "{rest:?}"
    );
    assert_eq!(app.wait(), Outcome::Stopped);
}

#[test]
fn a_client_that_does_not_answer_does_not_hold_the_stop() {
    let mut app = spawn_app(h2c());
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::get(1, "/api/v1/flags/", CLIENT_KEY));
    connection.find(|frame| frame.stream == 1 && frame.ends_stream());
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    let ends: Vec<_> = connection
        .rest()
        .into_iter()
        .filter(|frame| frame.kind == kind::GOAWAY)
        .collect();
    assert_eq!(ends.last().map(Frame::last_stream), Some(1));
}

#[test]
fn an_idle_connection_ends_at_its_time() {
    let options = h2c();
    let app = spawn_app(Options {
        adjust: |settings| {
            // A busy machine needs it for a connection's first request.
            settings.server.door.request_head_timeout = Duration::from_secs(2);
            settings.server.timeout_keep_alive = Duration::from_millis(300);
        },
        ..options
    });
    // Both one that has asked for something and one that has not.
    for has_asked in [true, false] {
        let mut connection = FrameConnection::open(app.address, &[]);
        if has_asked {
            connection.send(&Frame::get(1, "/api/v1/flags/", CLIENT_KEY));
        }
        let end = connection.find_answering(|frame| frame.kind == kind::GOAWAY);
        assert_eq!(end.code(), code::NO_ERROR);
        connection.find_answering(|frame| {
            frame.kind == kind::GOAWAY && frame.last_stream() == u32::from(has_asked)
        });
        connection.rest();
    }
}

#[tokio::test]
async fn a_connection_ends_after_its_last_request_and_none_is_lost() {
    let app = spawn_app(Options {
        adjust: |settings| settings.server.door.max_requests_per_connection = Some(25),
        ..h2c()
    });
    let client = Client::open(app.address).await;
    let (_, mut stream) = client.subscribe(get(EVENT_STREAM)).await;
    // Those that were under way when it ended are answered too.
    assert!((24..50).contains(&send_until_told(client).await));
    assert!(stream.frame().await.expect("retry").contains("retry: "));
}

#[test]
fn a_connection_ends_at_its_age_and_its_event_streams_at_theirs() {
    let app = spawn_app(Options {
        adjust: |settings| {
            settings.server.door.max_connection_age = Some(Duration::from_secs(1));
            settings.realtime.max_stream_age = Some(Duration::from_secs(4));
        },
        ..patient(h2c())
    });
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::get(1, EVENT_STREAM, CLIENT_KEY));
    connection.find(|frame| frame.kind == kind::HEADERS);
    // For as many answers as there is time for.
    connection.send(&Frame::window(0, 1 << 30));
    let mut stream = 3;
    let announced = loop {
        connection.send(&Frame::get(stream, "/api/v1/flags/", CLIENT_KEY));
        let next = connection
            .find(|frame| frame.kind == kind::GOAWAY || (frame.stream == stream && frame.ends_stream()));
        if next.kind == kind::GOAWAY {
            break next;
        }
        stream += 2;
    };
    assert_eq!(
        (announced.last_stream(), announced.code()),
        (ANY_STREAM, code::NO_ERROR)
    );
    connection.find_answering(|frame| frame.kind == kind::GOAWAY);
    connection.find_answering(|frame| frame.stream == 1 && frame.ends_stream());
    assert!(
        connection
            .rest()
            .iter()
            .all(|frame| frame.kind != kind::RST_STREAM)
    );
}

#[test]
fn a_begin_that_does_not_go_on_ends() {
    let options = h2c();
    let app = spawn_app(Options {
        adjust: |settings| settings.server.door.request_head_timeout = Duration::from_secs(2),
        ..options
    });
    // A preface in part is no request in time.
    let mut connection = app.connect();
    connection.write(b"PRI * HTTP/2.0\r\n\r\n");
    assert_eq!(connection.read(false).status, 408);
    // A head in part holds its connection, whatever else goes on.
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::get(1, EVENT_STREAM, CLIENT_KEY));
    connection.find(|frame| frame.kind == kind::HEADERS);
    connection.send(&Frame::new(kind::HEADERS, 0, 3, Vec::new()));
    let end = connection.find(|frame| frame.kind == kind::GOAWAY);
    assert_eq!(end.code(), code::ENHANCE_YOUR_CALM);
    connection.rest();
}
