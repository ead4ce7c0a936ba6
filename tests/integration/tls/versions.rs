//! What is agreed on, and that answers are those of plain HTTP.
use std::io::{Read as _, Write as _};
use std::sync::Arc;

use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, SupportedProtocolVersion};
use test_support::http::connect;
use test_support::tls::client_of;

use super::{flags, secured};
use crate::harness::{
    CLIENT_KEY, Connection, Options, Request, Response, SERVER_KEY, spawn_app, with_many_features,
};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// An answer without what changes by the second or the process; its headers in an order.
fn comparable(answer: &Response) -> (u16, Vec<(&str, &str)>, &[u8]) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(name, _)| !["date", "etag"].contains(name))
        .collect();
    headers.sort_unstable();
    (answer.status, headers, &answer.body)
}

#[test]
fn answers_are_those_of_plain_http() {
    let document = with_many_features(3_000).to_string();
    let options = || Options {
        document: Some(document.clone()),
        ..Options::default()
    };
    let (plain, secured) = (spawn_app(options()), secured(options()));
    let requests = [
        flags(),
        Request::new("HEAD", "/api/v1/flags/").key(CLIENT_KEY),
        Request::get("/api/v1/flags/")
            .key(CLIENT_KEY)
            .header("Accept-Encoding", "gzip"),
        Request::get("/api/v1/environment-document/").key(SERVER_KEY),
        Request::post("/api/v1/identities/", r#"{"identifier":"bob","traits":[]}"#).key(CLIENT_KEY),
        Request::get("/api/v1/flags/").key("unknown"),
        Request::get("/nowhere"),
        Request::post(
            "/api/v1/identities/",
            [&[b' '; 900_000][..], br#"{"identifier":"eve"}"#].concat(),
        )
        .key(CLIENT_KEY),
    ];
    for version in VERSIONS {
        let terms = Arc::new(client_of([&secured.certificate], &[version]));
        let mut over_tls = Connection::open_tls(secured.app.address, &terms);
        assert_eq!(over_tls.session().protocol_version(), Some(version.version));
        let mut over_tcp = plain.connect();
        for request in &requests {
            let (expected, answer) = (over_tcp.send(request), over_tls.send(request));
            assert!(comparable(&answer) == comparable(&expected), "{request:?}");
        }
    }
}

#[test]
fn requests_that_come_in_one_record_are_answered_in_turn() {
    let secured = secured(Options::default());
    let mut connection = secured.connect();
    let request = flags().bytes();
    connection.write(&request.repeat(40));
    for _ in 0..40 {
        assert_eq!(connection.read(false).status, 200);
    }
    // A body that takes several records, and a request behind it.
    let body = [&[b' '; 100_000][..], br#"{"identifier":"eve"}"#].concat();
    let identity = Request::post("/api/v1/identities/", body).key(CLIENT_KEY);
    connection.write(&[identity.bytes(), request].concat());
    assert_eq!(
        [connection.read(false).status, connection.read(false).status],
        [200, 200]
    );
}

#[test]
fn what_is_agreed_on_is_spoken_and_nothing_else() {
    let secured = secured(Options::default());
    let cases: [(&[&str], Option<&[u8]>); 3] = [
        (&[], None),
        (&["http/1.1"], Some(b"http/1.1")),
        (&["unknown/1", "http/1.1"], Some(b"http/1.1")),
    ];
    let terms = |offered: &[&str]| {
        let mut terms = client_of([&secured.certificate], &VERSIONS);
        terms.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(terms)
    };
    for (offered, agreed) in cases {
        let mut connection = Connection::open_tls(secured.app.address, &terms(offered));
        assert_eq!(connection.send(&flags()).status, 200);
        assert_eq!(connection.session().alpn_protocol(), agreed, "{offered:?}");
    }
    let refused = Connection::try_open_tls(secured.app.address, &terms(&["unknown/1"]));
    let error = refused.err().expect("nothing in common").to_string();
    assert!(error.contains("NoApplicationProtocol"), "{error}");
}

#[test]
fn sessions_are_resumed_on_every_worker() {
    let secured = secured(Options::default());
    for version in VERSIONS {
        let terms = Arc::new(client_of([&secured.certificate], &[version]));
        let mut kinds = Vec::new();
        for _ in 0..6 {
            let mut connection = Connection::open_tls(secured.app.address, &terms);
            // Tickets come with or before the first answer.
            assert_eq!(connection.send(&flags()).status, 200);
            kinds.push(connection.session().handshake_kind());
        }
        let mut expected = [Some(HandshakeKind::Resumed); 6];
        expected[0] = Some(HandshakeKind::Full);
        assert_eq!(kinds, expected, "{version:?}");
    }
}

#[test]
fn a_small_answer_is_one_record() {
    let secured = secured(Options::default());
    let mut socket = connect(secured.app.address).unwrap();
    let name = "localhost".try_into().unwrap();
    let mut session = rustls::ClientConnection::new(Arc::clone(&secured.terms), name).unwrap();
    while session.is_handshaking() {
        session.complete_io(&mut socket).unwrap();
    }
    for request in 0..2 {
        session.writer().write_all(&flags().bytes()).unwrap();
        session.write_tls(&mut socket).unwrap();
        // With the first answer the tickets come, in records of their own.
        loop {
            let mut record = vec![0; 5];
            socket.read_exact(&mut record).unwrap();
            record.resize(5 + usize::from(u16::from_be_bytes([record[3], record[4]])), 0);
            socket.read_exact(&mut record[5..]).unwrap();
            session.read_tls(&mut record.as_slice()).unwrap();
            let decrypted = session.process_new_packets().unwrap().plaintext_bytes_to_read();
            if decrypted > 0 {
                let mut answer = vec![0; decrypted];
                session.reader().read_exact(&mut answer).unwrap();
                let text = String::from_utf8_lossy(&answer);
                assert!(text.starts_with("HTTP/1.1 200") && text.ends_with(']'), "{text}");
                break;
            }
            assert_eq!(request, 0, "nothing comes before the second answer");
        }
    }
}
