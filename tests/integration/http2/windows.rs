//! Flow control: what a client does not read costs it alone, and bodies that come slowly end.
use std::time::Duration;

use edge_proxy::application::Limits;
use serde_json::json;
use test_support::http2::{Frame, FrameConnection, PREFACE, code, flag, kind};

use super::{h2c, spawn, with};
use crate::harness::{App, CLIENT_KEY, EVENT_STREAM, Options, SERVER_KEY, spawn_app, with_many_features};
use crate::realtime::until_subscribers;

const INITIAL_WINDOW_SIZE: u16 = 4;

/// A proxy whose `environment-document/` has some hundred KB, and whose clients may leave an answer unread for so long.
fn with_a_large_document(unacknowledged: Duration) -> App {
    let options = with(json!({}));
    spawn_app(Options {
        document: Some(with_many_features(2_000).to_string()),
        limits: Limits {
            unacknowledged,
            ..options.limits.clone()
        },
        ..options
    })
}

fn document(stream: u32) -> Frame {
    Frame::get(stream, "/api/v1/environment-document/", SERVER_KEY)
}

#[test]
fn an_answer_comes_as_its_windows_are_opened() {
    let app = with_a_large_document(Duration::from_secs(60));
    let expected = app
        .send(crate::harness::Request::get("/api/v1/environment-document/").key(SERVER_KEY))
        .body;
    let mut connection = FrameConnection::open(app.address, &[(INITIAL_WINDOW_SIZE, 1_000)]);
    connection.send(&document(1));
    connection.find(|frame| frame.kind == kind::HEADERS && frame.stream == 1);
    let mut body = Vec::new();
    while body.len() < expected.len() {
        let piece = connection.find(|frame| frame.kind == kind::DATA);
        let length = u32::try_from(piece.payload.len()).unwrap();
        assert!(length <= 1_000 || body.len() >= 1_000);
        body.extend(piece.payload);
        if piece.flags & flag::END_STREAM == 0 {
            connection.send(&Frame::window(0, length));
            // More and more at once.
            connection.send(&Frame::window(1, length + 1_000));
        }
    }
    assert_eq!(body, expected);
}

#[test]
fn a_stream_without_a_window_does_not_hold_the_others() {
    let app = with_a_large_document(Duration::from_secs(60));
    let mut connection = FrameConnection::open(app.address, &[(INITIAL_WINDOW_SIZE, 0)]);
    for stream in [1, 3, 5] {
        connection.send(&document(stream));
        connection.find(|frame| frame.kind == kind::HEADERS && frame.stream == stream);
    }
    connection.send(&Frame::window(5, 10));
    let piece = connection.find(|frame| frame.kind == kind::DATA);
    assert_eq!((piece.stream, piece.payload.len()), (5, 10));
}

#[test]
fn whoever_opens_no_window_is_given_up() {
    let app = with_a_large_document(Duration::from_millis(300));
    let mut connection = FrameConnection::open(app.address, &[(INITIAL_WINDOW_SIZE, 0)]);
    let streams = Frame::get(1, EVENT_STREAM, CLIENT_KEY);
    // In one write: the first of them may be given up before the last would be written.
    let asked = [streams].into_iter().chain((3..=99).step_by(2).map(document));
    connection.write(&asked.flat_map(|frame| frame.bytes()).collect::<Vec<_>>());
    let end = connection.find(|frame| frame.kind == kind::GOAWAY);
    assert_eq!(end.code(), code::ENHANCE_YOUR_CALM);
    connection.rest();
    until_subscribers(&app, 0);
}

#[test]
fn whoever_opens_one_stream_s_window_keeps_the_connection_and_loses_the_others() {
    let app = with_a_large_document(Duration::from_secs(3));
    let mut connection = FrameConnection::open(app.address, &[(INITIAL_WINDOW_SIZE, 0)]);
    connection.send(&document(1));
    connection.send(&document(3));
    let mut is_given_up = false;
    while !is_given_up {
        connection.send(&Frame::window(3, 10));
        let frame = connection.find(|frame| matches!(frame.kind, kind::DATA | kind::RST_STREAM));
        is_given_up = frame.kind == kind::RST_STREAM;
        if is_given_up {
            assert_eq!((frame.stream, frame.code()), (1, code::CANCEL));
        } else {
            assert_eq!(frame.stream, 3);
            // More windows than that, of ten bytes each, would be a flood.
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    connection.send(&Frame::window(3, 10));
    assert_eq!(connection.find(|frame| frame.kind == kind::DATA).stream, 3);
}

#[test]
fn large_answers_go_out_by_turns() {
    let app = with_a_large_document(Duration::from_secs(60));
    let mut connection = FrameConnection::open(app.address, &[(INITIAL_WINDOW_SIZE, 0x7fff_ffff)]);
    let frames = [Frame::window(0, 0x7fff_0000), document(1), document(3)];
    connection.write(&frames.map(|frame| frame.bytes()).concat());
    let (mut of_second, mut is_first_whole) = (0, false);
    while !is_first_whole {
        let piece = connection.find(|frame| frame.kind == kind::DATA);
        if piece.stream == 3 {
            of_second += piece.payload.len();
        }
        is_first_whole = piece.stream == 1 && piece.ends_stream();
    }
    assert!(of_second > 200_000, "it had {of_second} bytes by then");
}

#[test]
fn whoever_opens_windows_by_the_kib_is_no_flood() {
    let app = with_a_large_document(Duration::from_secs(60));
    let mut connection = FrameConnection::open(app.address, &[(INITIAL_WINDOW_SIZE, 4 * 1024 * 1024)]);
    connection.send(&Frame::window(0, 0x7000_0000));
    for number in 0..8 {
        let stream = 2 * number + 1;
        connection.send(&document(stream));
        let mut is_whole = false;
        while !is_whole {
            let piece = connection.find(|frame| frame.kind == kind::DATA);
            is_whole = piece.ends_stream();
            for _ in 0..piece.payload.len() / 1024 {
                connection.send(&Frame::window(stream, 1024));
                connection.send(&Frame::window(0, 1024));
            }
        }
    }
}

/// The begin of a request whose body is to follow.
fn post(stream: u32) -> Frame {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "proxy"),
        (":path", "/api/v1/identities/"),
        ("x-environment-key", CLIENT_KEY),
    ];
    Frame::request(stream, 0, &fields)
}

#[test]
fn a_body_that_comes_slowly_gets_408_and_the_others_go_on() {
    let app = spawn_app(Options {
        adjust: |settings| settings.server.door.request_body_timeout = Duration::from_secs(1),
        ..h2c()
    });
    let mut connection = FrameConnection::open(app.address, &[]);
    let frames = [
        post(1),
        Frame::new(kind::DATA, 0, 1, b"{".as_slice()),
        Frame::get(3, "/api/v1/flags/", CLIENT_KEY),
    ];
    connection.write(&frames.map(|frame| frame.bytes()).concat());
    let first = connection.find(|frame| frame.kind == kind::HEADERS);
    assert_eq!(first.stream, 3);
    let refusal = connection.find(|frame| frame.kind == kind::DATA && frame.stream == 1);
    let body: serde_json::Value = serde_json::from_slice(&refusal.payload).unwrap();
    assert_eq!(body["status"], "request_timeout");
    // What still comes of it is not wanted, which is no error of the client's.
    let reset = connection.find(|frame| frame.kind == kind::RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (1, code::NO_ERROR));
    connection.send(&post(5));
    connection.send(&Frame::new(
        kind::DATA,
        flag::END_STREAM,
        5,
        br#"{"identifier":"x"}"#.as_slice(),
    ));
    connection.find(|frame| frame.kind == kind::DATA && frame.stream == 5);
}

#[test]
fn bodies_that_nobody_reads_are_bounded_by_the_windows() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    let settings = connection.find(|frame| frame.kind == kind::SETTINGS);
    let setting = |identifier: u16| {
        settings.payload.chunks(6).find_map(|setting| {
            let value = u32::from_be_bytes(setting[2..].try_into().unwrap());
            (setting[..2] == identifier.to_be_bytes()).then_some(value)
        })
    };
    assert_eq!(setting(3), Some(100), "streams at a time");
    assert_eq!(setting(INITIAL_WINDOW_SIZE), Some(65_535));
    // The connection's own is opened from 65,535 bytes to 256 KiB.
    let window = connection.find(|frame| frame.kind == kind::WINDOW_UPDATE);
    assert_eq!(
        (window.stream, window.payload),
        (0, (256_u32 * 1024 - 65_535).to_be_bytes().to_vec())
    );
}

#[test]
fn a_small_answer_does_not_wait_for_what_the_kernel_would_hold_of_a_large_one() {
    let options = with(json!({}));
    let app = spawn_app(Options {
        // Some megabytes.
        document: Some(with_many_features(10_000).to_string()),
        ..options
    });
    let mut connection = FrameConnection::silent_and_narrow(app.address, 16 * 1024);
    let settings = Frame::setting(INITIAL_WINDOW_SIZE, 0x7fff_ffff);
    connection.write(PREFACE);
    let frames = [settings, Frame::window(0, 0x7fff_0000), document(1)];
    connection.write(&frames.map(|frame| frame.bytes()).concat());
    connection.find(|frame| frame.kind == kind::DATA);
    // One for each worker: each has written to the socket what it takes once it has answered what came later.
    let mut others: Vec<_> = (0..8).map(|_| app.connect()).collect();
    for _ in 0..20 {
        for other in &mut others {
            assert_eq!(
                other
                    .send(&crate::harness::Request::get("/proxy/health/liveness"))
                    .status,
                200
            );
        }
    }
    connection.send(&Frame::get(3, "/proxy/health/liveness", CLIENT_KEY));
    let mut before = 0;
    loop {
        let frame = connection.frame().expect("the connection goes on");
        match (frame.kind, frame.stream) {
            (kind::DATA, 1) => {
                assert!(!frame.ends_stream(), "the small answer comes first");
                before += frame.payload.len();
            }
            (kind::HEADERS, 3) => break,
            _ => {}
        }
    }
    // What the kernel holds unsent, what it has sent, and what the connection has in hand.
    assert!(before < 640 * 1024, "{before} bytes came before it");
}
