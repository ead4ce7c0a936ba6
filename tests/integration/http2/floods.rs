//! Floods: what asks for nothing ends the connection, and nobody else notices.
use test_support::http2::{Frame, FrameConnection, PREFACE, code, flag, kind};

use super::{spawn, with};
use crate::harness::{App, CLIENT_KEY, EVENT_STREAM, Options, spawn_app};
use crate::realtime::until_subscribers;

/// Sends frames until the server ends the connection: the code that it gives.
fn code_of_flood(app: &App, frame: impl Fn(u32) -> Vec<u8> + Send + 'static) -> u32 {
    let connection = FrameConnection::open(app.address, &[]);
    let mut writer = connection.duplicate();
    let flood = std::thread::spawn(move || {
        let mut sent = 0;
        while sent < 1_000_000 && writer.try_write(&frame(sent)).is_ok() {
            sent += 1;
        }
        sent
    });
    let mut connection = connection;
    let end = connection.find(|frame| frame.kind == kind::GOAWAY);
    connection.rest();
    let sent = flood.join().unwrap();
    assert!(sent < 1_000_000, "all of it was read");
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    end.code()
}

fn stream(number: u32) -> u32 {
    2 * number + 1
}

#[test]
fn rapid_reset() {
    let app = spawn();
    let flood = |number| {
        let request = Frame::get(stream(number), EVENT_STREAM, CLIENT_KEY);
        [
            request.bytes(),
            Frame::reset(stream(number), code::CANCEL).bytes(),
        ]
        .concat()
    };
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
    until_subscribers(&app, 0);
}

#[test]
fn settings() {
    let app = spawn();
    let flood = |number| Frame::setting(4, number % 1_000).bytes();
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn pings() {
    let app = spawn();
    let flood = |_| Frame::new(kind::PING, 0, 0, [7; 8]).bytes();
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn continuations_without_an_end() {
    let app = spawn();
    let flood = |number| match number {
        0 => Frame::new(kind::HEADERS, flag::END_STREAM, 1, Vec::new()).bytes(),
        _ => Frame::new(kind::CONTINUATION, 0, 1, Vec::new()).bytes(),
    };
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn data_without_bytes() {
    let app = spawn();
    let flood = |number| match number {
        0 => {
            let fields = [
                (":method", "POST"),
                (":scheme", "http"),
                (":authority", "proxy"),
                (":path", "/api/v1/identities/"),
                ("x-environment-key", CLIENT_KEY),
            ];
            Frame::request(1, 0, &fields).bytes()
        }
        _ => Frame::new(kind::DATA, 0, 1, Vec::new()).bytes(),
    };
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn heads_without_fields() {
    let app = spawn();
    let flood = |number| {
        let flags = flag::END_STREAM | flag::END_HEADERS;
        Frame::new(kind::HEADERS, flags, stream(number), Vec::new()).bytes()
    };
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn windows_that_are_opened_byte_by_byte() {
    let app = spawn();
    let flood = |_| Frame::window(0, 1).bytes();
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn frames_of_no_known_type() {
    let app = spawn();
    let flood = |_| Frame::new(0xee, 0xff, 0, [0; 3]).bytes();
    assert_eq!(code_of_flood(&app, flood), code::ENHANCE_YOUR_CALM);
}

#[test]
fn more_streams_than_there_may_be_are_refused_and_not_begun() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    for number in 0..150 {
        connection.send(&Frame::get(stream(number), EVENT_STREAM, CLIENT_KEY));
    }
    let mut refused = Vec::new();
    while refused.len() < 50 {
        let frame = connection.find(|frame| frame.kind == kind::RST_STREAM);
        assert_eq!(frame.code(), code::REFUSED_STREAM);
        refused.push(frame.stream);
    }
    assert_eq!(refused, (100..150).map(stream).collect::<Vec<_>>());
    until_subscribers(&app, 100);
    drop(connection);
    until_subscribers(&app, 0);
}

#[test]
fn random_bytes_end_their_connection_and_nothing_else() {
    let app = spawn();
    let mut random = fastrand::Rng::with_seed(7540);
    for round in 0..200 {
        let mut connection = FrameConnection::silent(app.address);
        let _ = connection.try_write(PREFACE);
        if round % 2 == 0 {
            let _ = connection.try_write(&Frame::new(kind::SETTINGS, 0, 0, Vec::new()).bytes());
        }
        for _ in 0..50 {
            let length = random.usize(0..40);
            let payload: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(length).collect();
            // Known types mostly, so that it gets further.
            let frame = Frame::new(random.u8(0..11), random.u8(..), random.u32(0..9), payload);
            if connection.try_write(&frame.bytes()).is_err() {
                break;
            }
        }
    }
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    app.wait_until_answered(|app| app.get("/proxy/health/liveness").status == 200);
}

#[test]
fn without_h2c_its_begin_is_a_version_that_is_not_spoken() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    connection.write(PREFACE);
    let answer = connection.read(false);
    assert_eq!(answer.status, 400);
    assert!(connection.is_closed());
    let with_h2c = spawn_app(with(serde_json::json!({})));
    assert_eq!(with_h2c.get("/api/v1/flags/").status, 200);
}
