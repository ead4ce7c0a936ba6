//! Two processes never share a port: the second one ends with a line, and the first one answers as before.
use std::net::{IpAddr, SocketAddr, TcpListener};

use serde_json::json;
use socket2::{Domain, Socket, Type};
use tempfile::TempDir;
use test_support::program::Program;

use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request, SERVER_KEY, command};

/// Starts the program on a port that is taken: its exit code and all that it writes.
fn start_second(host: &str, port: u16) -> (Option<i32>, String) {
    let directory = TempDir::new().unwrap();
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": "http://127.0.0.1:1/api/v1",
        "server": {"host": host, "port": port},
        "logging": {"log_level": "INFO"},
    });
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    // One that listened would be waited for in vain.
    let (status, written) = Program::start(&mut command(directory.path())).wait();
    (status.code(), written)
}

fn assert_refused(host: &str, port: u16) {
    let (code, written) = start_second(host, port);
    assert_eq!(code, Some(71), "{host}: {written}");
    let refusals = written.lines().filter(|line| line.starts_with("edge-proxy: "));
    let refusals: Vec<_> = refusals.collect();
    assert_eq!(refusals.len(), 1, "{host}: {written}");
    let line = refusals[0];
    assert!(
        line.contains("cannot listen on ") && line.contains("in use"),
        "{line}"
    );
    assert!(
        written.ends_with(&format!("{line}\n")),
        "nothing comes after it: {written}"
    );
}

fn has(host: &str) -> bool {
    host.parse::<IpAddr>()
        .map_or(true, |address| TcpListener::bind((address, 0)).is_ok())
}

#[test]
fn a_second_process_on_the_port_ends_and_the_first_one_serves_on() {
    for (first, others) in [
        ("127.0.0.1", &["127.0.0.1", "0.0.0.0", "localhost", "::"][..]),
        ("0.0.0.0", &["0.0.0.0", "127.0.0.1", "::"]),
        ("::", &["::", "::1", "0.0.0.0", "127.0.0.1"]),
    ] {
        if !has(first) {
            eprintln!("skipped: this machine cannot listen on {first}");
            continue;
        }
        let proxy = Proxy::start(ProxyOptions {
            config: json!({"server": {"host": first}}),
            ..ProxyOptions::default()
        });
        let mut kept = proxy.connect();
        for second in others.iter().filter(|second| has(second)) {
            assert_refused(second, proxy.address.port());
        }
        let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        assert_eq!(kept.send(&flags).status, 200);
        assert_eq!(proxy.connect().send(&flags).status, 200);
    }
}

/// Another program may offer to share; the system agrees only where both do.
#[test]
fn a_port_that_another_program_would_share_is_refused_too() {
    let sharing = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    sharing.set_reuse_address(true).unwrap();
    sharing.set_reuse_port(true).unwrap();
    sharing
        .bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into())
        .unwrap();
    sharing.listen(1).unwrap();
    let address = sharing.local_addr().unwrap().as_socket().unwrap();
    assert_refused("127.0.0.1", address.port());
}
