//! What comes before a handshake, in its place, or in the middle of it.
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use edge_proxy::application::Limits;
use rustls::{ClientConnection, StreamOwned};
use serde_json::json;
use test_support::http::{Connection, connect};
use test_support::program::Program;
use test_support::tls::{Certificate, client};
use test_support::wait::PATIENCE;

use super::start::Folder;
use super::{Secured, flags, secured};
use crate::harness::{Options, Request};

/// The first bytes of a client.
fn hello(secured: &Secured) -> Vec<u8> {
    let mut bytes = Vec::new();
    session(secured).write_tls(&mut bytes).unwrap();
    bytes
}

fn session(secured: &Secured) -> ClientConnection {
    let name = "localhost".try_into().unwrap();
    ClientConnection::new(Arc::clone(&secured.terms), name).unwrap()
}

fn impatient(seconds: f64) -> Secured {
    secured(Options {
        config: json!({"server": {"request_head_timeout_seconds": seconds}}),
        ..Options::default()
    })
}

/// Whether the server ends the connection; what it sent before that.
fn rest(mut socket: TcpStream) -> Vec<u8> {
    let mut rest = Vec::new();
    // A reset is an end as well.
    let _ = socket.read_to_end(&mut rest);
    rest
}

#[test]
fn plain_http_is_told_so() {
    let secured = secured(Options::default());
    for request in [
        flags().bytes(),
        Request::post("/api/v1/identities/", vec![b' '; 50_000]).bytes(),
        b"GET / HTTP/1.1\r\n".to_vec(),
    ] {
        let mut connection = secured.app.connect();
        connection.write(&request);
        let answer = connection.read(false);
        assert_eq!(answer.status, 400);
        assert_eq!(answer.header("connection"), Some("close"));
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains("use https://"), "{message}");
        assert!(connection.rest().is_empty());
    }
    let mut connection = secured.app.connect();
    connection.write_request(&Request::new("HEAD", "/"));
    assert_eq!(connection.read(true).status, 400);
    assert!(connection.rest().is_empty());
}

#[test]
fn anything_else_than_a_handshake_ends_its_connection() {
    let secured = secured(Options::default());
    let hello = hello(&secured);
    let mut broken = hello.clone();
    broken[5..40].fill(0xff);
    let mut old = hello.clone();
    // The length of a record beyond what a record may have.
    old[3..5].fill(0xff);
    for bytes in [
        vec![0; 100],
        b"\x16garbage that is no record".to_vec(),
        broken,
        old,
        b"\xff".to_vec(),
    ] {
        let mut socket = connect(secured.app.address).unwrap();
        socket.write_all(&bytes).unwrap();
        let rest = rest(socket);
        // Nothing, or an alert.
        assert!(
            rest.first().is_none_or(|first| *first == 0x15),
            "{bytes:?}: {rest:?}"
        );
    }
    assert_eq!(secured.connect().send(&flags()).status, 200);
}

#[test]
fn a_handshake_that_is_not_finished_ends_in_time() {
    let secured = impatient(0.3);
    let hello = hello(&secured);
    for begun in [0, 1, 4, 100, hello.len()] {
        let mut socket = connect(secured.app.address).unwrap();
        let began = Instant::now();
        socket.write_all(&hello[..begun]).unwrap();
        rest(socket);
        assert!(began.elapsed() < PATIENCE, "after {begun} bytes");
    }
    // One that dribbles has no more time.
    let mut socket = connect(secured.app.address).unwrap();
    let dribbled = hello.iter().take_while(|byte| {
        std::thread::sleep(Duration::from_millis(10));
        socket.write_all(&[**byte]).is_ok()
    });
    assert!(dribbled.count() < hello.len(), "it is cut before it is whole");
}

#[test]
fn a_request_after_the_handshake_has_the_time_of_a_head_too() {
    // A busy machine needs it for the handshake.
    let secured = impatient(2.0);
    let mut connection = secured.connect();
    connection.write(b"GET / HTT");
    let answer = connection.read(false);
    assert_eq!(answer.status, 408);
    assert!(connection.is_closed(), "with TLS's own word for it");
}

#[test]
fn handshakes_that_are_abandoned_leave_nothing() {
    let secured = secured(Options {
        limits: Limits {
            // So few places that abandoned ones would fill them.
            open_files: Some(256),
            ..Options::default().limits
        },
        ..Options::default()
    });
    let hello = hello(&secured);
    for number in 0..1_000 {
        let mut socket = connect(secured.app.address).unwrap();
        socket.write_all(&hello[..number % hello.len()]).unwrap();
        drop(socket);
    }
    assert_eq!(secured.connect().send(&flags()).status, 200);
}

#[test]
fn many_handshakes_at_once_all_come_about() {
    let secured = secured(Options::default());
    let mut kept = secured.connect();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (address, terms) = (secured.app.address, Arc::new(client([&secured.certificate])));
            std::thread::spawn(move || {
                for _ in 0..25 {
                    let mut terms = (*terms).clone();
                    terms.resumption = rustls::client::Resumption::disabled();
                    let mut connection = Connection::open_tls(address, &Arc::new(terms));
                    assert_eq!(connection.send(&flags()).status, 200);
                }
            })
        })
        .collect();
    for _ in 0..200 {
        assert_eq!(kept.send(&flags()).status, 200);
    }
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn a_proxy_header_comes_before_the_handshake() {
    let certificate = Certificate::valid();
    let folder = Folder::with(&certificate);
    let mut program = Program::start(
        folder
            .command(&json!({"proxy_protocol": "on", "proxy_headers": true}))
            .env("LOGGING", r#"{"enable_access_log":true}"#),
    );
    let address = super::start::address(&program);
    let terms = Arc::new(client([&certificate]));
    super::start::until_served(address, &terms);
    let header = b"PROXY TCP4 192.0.2.1 127.0.0.1 12345 8000\r\n";
    for together in [false, true] {
        let mut socket = connect(address).unwrap();
        let mut session = ClientConnection::new(Arc::clone(&terms), "localhost".try_into().unwrap()).unwrap();
        let mut first = header.to_vec();
        if together {
            session.write_tls(&mut first).unwrap();
        }
        socket.write_all(&first).unwrap();
        let mut stream = StreamOwned::new(session, socket);
        stream
            .write_all(&flags().header("Connection", "close").bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    // Without a header, as probes come; and a header in front of plain HTTP.
    let mut probe = Connection::open_tls(address, &terms);
    assert_eq!(
        probe
            .send(&flags().header("X-Forwarded-For", "198.51.100.7"))
            .status,
        200
    );
    let mut plain = Connection::open(address);
    plain.write(&[header, flags().bytes().as_slice()].concat());
    assert_eq!(plain.read(false).status, 400);
    program.signal("INT");
    let (status, log) = program.wait();
    assert!(status.success(), "{log}");
    let lines = |address: &str, status: &str| {
        let is_one = |line: &&str| line.contains(address) && line.contains(&format!("status={status} "));
        log.lines().filter(is_one).count()
    };
    assert_eq!(
        (lines("192.0.2.1", "200"), lines("198.51.100.7", "200")),
        (2, 1),
        "{log}"
    );
    assert_eq!(lines("192.0.2.1", "400"), 1, "{log}");
}
