//! What clients send over HTTP/2 that is no good request: the library under it sees it first, and has lines of its own.
use std::net::SocketAddr;

use test_support::http2::{Frame, FrameConnection, flag, kind};

use super::marks::{self, IDENTIFIER, JUNK, TRAIT_VALUE, assert_shows_nothing};
use super::upstream::{SERVED, client_key};

/// All of it.
pub(super) fn talk(address: SocketAddr) {
    for fields in heads() {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let head = Frame::request(1, flag::END_STREAM, &fields);
        answers_show_nothing(address, &[head]);
    }
    for frames in odd_frames() {
        answers_show_nothing(address, &frames);
    }
}

/// Sends frames, and reads until the first stream or the connection has ended, or a PING is acknowledged.
fn answers_show_nothing(address: SocketAddr, frames: &[Frame]) {
    let mut connection = FrameConnection::open(address, &[]);
    let ping = Frame::new(kind::PING, 0, 0, *b"the last");
    let bytes: Vec<u8> = frames.iter().chain([&ping]).flat_map(Frame::bytes).collect();
    // It may end before all of it is read.
    let _ = connection.try_write(&bytes);
    let settings = connection.find(|frame| frame.kind == kind::SETTINGS);
    assert_eq!(settings.flags, 0, "HTTP/2 is spoken");
    let asks = frames.first().is_some_and(|frame| frame.stream == 1);
    while let Some(frame) = connection.frame() {
        assert_shows_nothing("a frame", &String::from_utf8_lossy(&frame.payload));
        let is_the_end = if asks {
            frame.stream == 1 && (frame.ends_stream() || frame.kind == kind::RST_STREAM)
        } else {
            frame.kind == kind::PING && frame.flags & flag::ACK != 0
        };
        if is_the_end {
            return;
        }
    }
}

type Fields = Vec<(String, String)>;

fn with(path: &str, further: &[(&str, &str)]) -> Fields {
    let key = client_key(SERVED);
    let usual = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "p"),
        (":path", path),
        ("x-environment-key", &key),
    ];
    let replaced = |name: &str| further.iter().any(|(other, _)| *other == name);
    usual
        .iter()
        .filter(|(name, _)| !replaced(name))
        .chain(further)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn heads() -> Vec<Fields> {
    let key = client_key(SERVED);
    let flags = "/api/v1/flags/";
    let long = JUNK.repeat(10_000);
    let mut heads: Vec<Fields> = [
        format!("/api/v1/identities/?identifier=\"{IDENTIFIER}\""),
        format!("/api/v1/identities/?identifier={IDENTIFIER}<{TRAIT_VALUE}>"),
        format!("/sse/environments/{key}\"/stream?\"{key}\""),
        format!("/sse/environments/{key} /stream"),
        format!("/{key}\\?`{key}`"),
        format!("{key}/{IDENTIFIER}"),
        format!("/{JUNK}\u{7f}é"),
        format!("*{JUNK}"),
        format!("/{long}"),
        format!("/?{long}"),
        String::new(),
    ]
    .iter()
    .map(|path| with(path, &[]))
    .collect();
    let fields: [(&str, &str); 19] = [
        (":method", JUNK),
        (":method", &format!("{JUNK} {key}")),
        (":method", "CONNECT"),
        (":scheme", JUNK),
        (":scheme", &format!("\"{JUNK}\"")),
        (":authority", &format!("{JUNK}\"{key}")),
        (":authority", &format!("{key}@{JUNK}:{IDENTIFIER}")),
        (&format!(":{JUNK}"), JUNK),
        (":status", JUNK),
        (JUNK, IDENTIFIER),
        (&format!("x {key}"), &key),
        ("", &key),
        ("x", &format!("{IDENTIFIER}\r\n{key}")),
        ("te", IDENTIFIER),
        ("connection", JUNK),
        ("transfer-encoding", JUNK),
        ("content-length", JUNK),
        ("host", JUNK),
        ("x", &long),
    ];
    heads.extend(fields.map(|field| with(flags, &[field])));
    heads.push(with(flags, &[("content-length", "1"), ("x", IDENTIFIER)]));
    heads.push(with(flags, &[("x", JUNK), (":path", &format!("/{key}"))]));
    heads.push(with(flags, &[(":protocol", JUNK), (":method", "CONNECT")]));
    heads
}

fn odd_frames() -> Vec<Vec<Frame>> {
    let key = client_key(SERVED);
    let post = with("/api/v1/identities/", &[(":method", "POST")]);
    let post: Vec<_> = post
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let begin = || Frame::request(1, 0, &post);
    let body = format!("{{\"identifier\":\"{IDENTIFIER}\",\"traits\":\"{TRAIT_VALUE}\"}}");
    let data = |flags| Frame::new(kind::DATA, flags, 1, body.as_bytes());
    let trailers = |name: &str, value: &str| Frame::request(1, flag::END_STREAM, &[(name, value)]);
    vec![
        vec![begin(), data(flag::END_STREAM)],
        vec![begin(), data(0), trailers("x", IDENTIFIER)],
        vec![begin(), data(0), trailers(":path", &key)],
        vec![begin(), data(0), trailers(JUNK, IDENTIFIER)],
        vec![begin(), data(flag::END_STREAM), data(flag::END_STREAM)],
        // With padding that is longer than it is.
        vec![
            begin(),
            Frame::new(kind::DATA, 0x8, 1, [&[255][..], body.as_bytes()].concat()),
        ],
        vec![Frame::new(
            kind::HEADERS,
            flag::END_HEADERS | flag::END_STREAM,
            1,
            JUNK,
        )],
        vec![Frame::new(kind::PING, flag::ACK, 0, *b"cl13ntJu"); 200],
        vec![Frame::new(kind::PING, 0, 0, JUNK)],
        vec![Frame::new(kind::SETTINGS, 0, 0, JUNK)],
        vec![Frame::new(
            kind::GOAWAY,
            0,
            0,
            [&[0; 8][..], marks::CLIENT_KEY.as_bytes()].concat(),
        )],
        vec![Frame::new(0xee, 0xff, 0, JUNK)],
        vec![Frame::window(0, 0)],
        vec![data(flag::END_STREAM)],
    ]
}
