//! `server.proxy_protocol`: whose word on the client's address is taken before the first head.
use serde_json::json;

use crate::harness::{App, CLIENT_KEY, Connection, Options, Proxy, ProxyOptions, Request, spawn_app};

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 127.0.0.1 12345 8000\r\n";
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x02\x7f\x00\x00\x01\x30\x39\x1f\x40";
const UNKNOWN: &[u8] = b"PROXY UNKNOWN\r\n";
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00";

fn start(protocol: &str, proxy_headers: bool, trusted: &str) -> Proxy {
    Proxy::start(ProxyOptions {
        logging: json!({"enable_access_log": true}),
        config: json!({"server": {"proxy_protocol": protocol, "proxy_headers": proxy_headers}}),
        variables: vec![("FORWARDED_ALLOW_IPS", trusted.to_owned())],
    })
}

/// The lines of requests for flags and the proxy's own, once it has stopped.
fn lines(mut proxy: Proxy) -> Vec<String> {
    proxy.signal("INT");
    let (status, log) = proxy.wait();
    assert!(status.success(), "{log}");
    let is_told = |line: &&str| line.contains("/flags/") || line.contains("closed");
    log.lines().filter(is_told).map(str::to_owned).collect()
}

fn get(connection: &mut Connection) {
    let answer = connection.send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
    assert_eq!(answer.status, 200);
}

#[test]
fn the_address_in_the_header_is_the_clients() {
    let proxy = start("on", false, "127.0.0.1");
    for header in [V1, V2] {
        for size in [1, 10, header.len()] {
            let mut connection = proxy.connect();
            for part in header.chunks(size) {
                connection.write(part);
            }
            get(&mut connection);
            get(&mut connection);
        }
        // In the packet of the first request, too.
        let mut connection = proxy.connect();
        connection.write(&[header, &Request::get("/api/v1/flags/").key(CLIENT_KEY).bytes()].concat());
        assert_eq!(connection.read(false).status, 200);
    }
    for header in [UNKNOWN, LOCAL, b""] {
        let mut connection = proxy.connect();
        connection.write(header);
        get(&mut connection);
    }
    let lines = lines(proxy);
    let count = |address: &str| lines.iter().filter(|line| line.contains(address)).count();
    assert_eq!(
        (count("192.0.2.1"), count("192.0.2.2"), count("127.0.0.1")),
        (7, 7, 3),
        "{lines:#?}"
    );
}

#[test]
fn what_the_client_forwards_counts_where_the_client_is_trusted() {
    let proxy = start("on", true, "127.0.0.1,192.0.2.1");
    for header in [V1, V2] {
        let mut connection = proxy.connect();
        connection.write(header);
        let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        connection.send(&request.header("X-Forwarded-For", "198.51.100.7"));
    }
    let lines = lines(proxy);
    assert!(
        lines[0].contains("198.51.100.7") && lines[1].contains("192.0.2.2"),
        "{lines:#?}"
    );
}

#[test]
fn nobody_elses_header_is_believed() {
    for (protocol, trusted) in [("off", "127.0.0.1"), ("on", "10.0.0.1"), ("required", "10.0.0.1")] {
        let proxy = start(protocol, false, trusted);
        for header in [V1, V2] {
            let mut connection = proxy.connect();
            connection.write(header);
            connection.try_finish();
            assert_eq!(connection.read(false).status, 400, "{protocol}");
        }
        get(&mut proxy.connect());
        assert_eq!(lines(proxy).len(), 1, "{protocol}");
    }
}

#[test]
fn a_connection_without_a_good_header_is_closed_with_one_line() {
    let proxy = start("on", false, "127.0.0.1");
    for _ in 0..3 {
        let mut connection = proxy.connect();
        connection.write(b"PROXY TCP4 nonsense\r\n\r\n");
        assert!(connection.is_closed());
    }
    get(&mut proxy.connect());
    let lines = lines(proxy);
    assert!(
        matches!(&lines[..], [first, _] if first.contains("PROXY protocol header cannot be read")),
        "{lines:#?}"
    );
}

fn requiring(request_head_timeout: f64) -> App {
    // In the test's process: the process's own harness asks for readiness without a header.
    spawn_app(Options {
        config: json!({"server": {
            "proxy_protocol": "required",
            "request_head_timeout_seconds": request_head_timeout,
        }}),
        ..Options::default()
    })
}

#[test]
fn a_header_may_be_required() {
    let request = Request::get("/api/v1/flags/").key(CLIENT_KEY).bytes();
    let app = requiring(5.0);
    let mut connection = app.connect();
    connection.write(&request);
    assert!(connection.is_closed());
    for header in [V1, V2, UNKNOWN, LOCAL] {
        let mut connection = app.connect();
        connection.write(&[header, &request].concat());
        assert_eq!(connection.read(false).status, 200);
    }
}

#[test]
fn a_header_has_the_time_of_a_head() {
    let app = requiring(0.1);
    for begin in [&b"PROXY TCP4 192."[..], b""] {
        let mut connection = app.connect();
        connection.write(begin);
        assert!(connection.is_closed());
    }
}
