//! Long lives: a balancer's connection has the requests of many clients, and nothing that one of them does ends it.
use test_support::http2::{Frame, FrameConnection, block, code, flag, kind};

use super::{spawn, with};
use crate::harness::{CLIENT_KEY, EVENT_STREAM, Request, spawn_app};
use crate::realtime::until_subscribers;

const FLAGS: &str = "/api/v1/flags/";

fn assert_answered(connection: &mut FrameConnection, stream: u32) {
    connection.send(&Frame::get(stream, FLAGS, CLIENT_KEY));
    connection.find(|frame| frame.stream == stream && frame.kind == kind::DATA && frame.ends_stream());
}

fn post(stream: u32, key: &str) -> Frame {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "proxy"),
        (":path", "/api/v1/identities/"),
        ("x-environment-key", key),
    ];
    Frame::request(stream, 0, &fields)
}

#[test]
fn many_requests_are_given_up_at_once() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::get(1, EVENT_STREAM, CLIENT_KEY));
    until_subscribers(&app, 1);
    // In one write, so that they are given up before they are looked at.
    let given_up = |stream: u32| {
        let request = Frame::get(stream, EVENT_STREAM, CLIENT_KEY);
        [request, Frame::reset(stream, code::CANCEL)]
    };
    let all: Vec<u8> = (0..150)
        .flat_map(|number| given_up(2 * number + 3))
        .flat_map(|frame| frame.bytes())
        .collect();
    connection.write(&all);
    assert_answered(&mut connection, 1_001);
    until_subscribers(&app, 1);
}

#[test]
fn any_number_of_event_streams_that_are_given_up_once_they_are_there() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::window(0, 0x1000_0000));
    for number in 0..400 {
        let stream = 2 * number + 1;
        connection.send(&Frame::get(stream, EVENT_STREAM, CLIENT_KEY));
        connection.find(|frame| frame.stream == stream && frame.kind == kind::HEADERS);
        connection.send(&Frame::reset(stream, code::CANCEL));
    }
    assert_answered(&mut connection, 5_001);
    until_subscribers(&app, 0);
}

#[test]
fn any_number_of_malformed_requests() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    for number in 0..1_100 {
        let stream = 2 * number + 1;
        connection.send(&Frame::get(stream, "/api/v1/flags/?feature=\"a\"", CLIENT_KEY));
        let reset = connection.find(|frame| frame.stream == stream);
        assert_eq!(
            (reset.kind, reset.code()),
            (kind::RST_STREAM, code::PROTOCOL_ERROR)
        );
    }
    assert_answered(&mut connection, 5_001);
}

#[test]
fn any_number_of_requests_too_many() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    for number in 0..1_200 {
        connection.send(&Frame::get(2 * number + 1, EVENT_STREAM, CLIENT_KEY));
    }
    for _ in 100..1_200 {
        let refused = connection.find(|frame| frame.kind == kind::RST_STREAM);
        assert_eq!(refused.code(), code::REFUSED_STREAM);
    }
    connection.send(&Frame::reset(1, code::CANCEL));
    until_subscribers(&app, 99);
    assert_answered(&mut connection, 5_001);
}

#[test]
fn bodies_that_come_after_their_answers() {
    let app = spawn();
    let mut connection = FrameConnection::open(app.address, &[]);
    connection.send(&Frame::window(0, 0x1000_0000));
    // More than the library would know after their end by itself, and than it would bear.
    for round in 0..11 {
        let streams: Vec<u32> = (0..100).map(|number| 2 * (100 * round + number) + 1).collect();
        for stream in &streams {
            connection.send(&post(*stream, "unknown"));
        }
        for _ in &streams {
            connection.find(|frame| frame.kind == kind::DATA && frame.ends_stream());
        }
        for stream in &streams {
            connection.send(&Frame::new(kind::DATA, flag::END_STREAM, *stream, [b'x'; 100]));
        }
    }
    assert_answered(&mut connection, 5_001);
}

#[test]
fn large_heads_of_open_streams_leave_the_others_their_bodies() {
    let app = spawn_app(with(
        serde_json::json!({"server": {"max_body_bytes_in_flight": 1024 * 1024}}),
    ));
    let mut connection = FrameConnection::open(app.address, &[]);
    let long = "x".repeat(14_000);
    let subscribe = |stream| {
        let fields = [
            (":method", "GET"),
            (":scheme", "http"),
            (":authority", "proxy"),
            (":path", EVENT_STREAM),
            ("x-long", &long),
        ];
        Frame::request(stream, flag::END_STREAM, &fields)
    };
    for number in 0..90 {
        let stream = 2 * number + 1;
        connection.send(&subscribe(stream));
        connection.find(|frame| frame.kind == kind::HEADERS && frame.stream == stream);
    }
    until_subscribers(&app, 90);
    let ignored = "x".repeat(300_000);
    let body = serde_json::json!({"identifier": "bob", "ignored": ignored}).to_string();
    let request = Request::post("/api/v1/identities/", body).key(CLIENT_KEY);
    assert_eq!(app.send(request).status, 200);
}

#[test]
fn a_head_that_cannot_be_decoded_ends_the_connection() {
    let app = spawn();
    for field in [("X", "a"), ("x y", "a"), ("x", "a\nb"), (":unknown", "a")] {
        let mut connection = FrameConnection::open(app.address, &[]);
        let head = [
            block(&[(":method", "GET"), (":scheme", "http"), (":path", FLAGS)]),
            block(&[field]),
        ]
        .concat();
        let flags = flag::END_STREAM | flag::END_HEADERS;
        connection.send(&Frame::new(kind::HEADERS, flags, 1, head));
        let end = connection.find(|frame| frame.kind == kind::GOAWAY);
        assert_eq!(end.code(), code::PROTOCOL_ERROR, "{field:?}");
        connection.rest();
    }
}
