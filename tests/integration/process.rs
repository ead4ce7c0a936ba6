//! The real program: start, signals, exit codes, and what it never writes.
use std::io::{BufRead as _, BufReader};
use std::net::ToSocketAddrs as _;
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use test_support::http::ask_until_answered;
use test_support::upstream::ScriptedUpstream;
use test_support::wait::PATIENCE;

use crate::harness::{
    App, CLIENT_KEY, Connection, EventStream, HEAVY_IDENTIFIER, Options, Proxy, ProxyOptions, Request,
    SERVER_KEY, command, event, fixture, heavy_identity, spawn_app, wait, with_heavy_segment,
};

/// Sends the head of a request whose body is still to come, and waits until the proxy has read it.
fn start_request(connection: &mut Connection) {
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\nExpect: 100-continue\r\n\
          Content-Length: 20\r\n\r\n",
    );
    assert_eq!(connection.read_head().status, 100);
}

#[test]
fn either_signal_lets_the_request_in_flight_finish() {
    for signal in ["TERM", "INT"] {
        let mut proxy = Proxy::start(ProxyOptions::default());
        let mut idle = proxy.connect();
        assert_eq!(
            idle.send(&Request::get("/api/v1/flags/").key(CLIENT_KEY)).status,
            200
        );
        let mut in_flight = proxy.connect();
        start_request(&mut in_flight);

        proxy.signal(signal);
        assert!(idle.is_closed(), "an idle connection is closed at once");
        in_flight.write(br#"{"identifier":"bob"}"#);
        let response = in_flight.read(false);
        assert_eq!(response.json()["identifier"], "bob");
        assert!(in_flight.is_closed());

        let (status, log) = proxy.wait();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
    }
}

#[test]
fn idle_connections_do_not_hold_the_stop() {
    // Longer than its end is waited for below.
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"server": {"shutdown_timeout_seconds": 100 * PATIENCE.as_secs()}}),
        ..ProxyOptions::default()
    });
    let mut idle: Vec<_> = (0..20).map(|_| proxy.connect()).collect();
    for connection in &mut idle[..10] {
        assert_eq!(
            connection
                .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
                .status,
            200
        );
    }
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn no_key_is_ever_logged() {
    let upstream = ScriptedUpstream::serving(&fixture());
    let mut proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "DEBUG", "enable_access_log": true}),
        config: json!({
            "environment_key_pairs": [
                {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": "environment.json"},
                {"client_side_key": "s3cret-listener", "server_side_key": "ser.s3cret-poller"},
            ],
            "api_url": upstream.api_url(),
            "realtime": {"authentication_token": "s3cret-token", "upstream_url": upstream.origin()},
        }),
        ..ProxyOptions::default()
    });
    // The second stream follows the one that was cut, so the proxy has logged whatever it logs of either.
    wait(upstream.tell(&event("1795289031.5")));
    wait(upstream.cut());
    wait(upstream.tell(&event("1795289031.75")));
    EventStream::settled(proxy.address);
    for token in ["s3cret-token", "s3cret-wrong"] {
        let change = Request::post("/sse/environments/s3cret-listener/queue-change", "s3cret-body");
        let change = change.header("Authorization", &format!("Token {token}"));
        proxy.connect().send(&change);
    }
    let mut connection = proxy.connect();
    for key in [CLIENT_KEY, SERVER_KEY, "s3cret-unknown-key"] {
        for path in [
            "/api/v1/flags/",
            "/api/v1/environment-document/",
            "/api/v1/identities/?identifier=s3cret-name",
        ] {
            connection.send(&Request::get(path).key(key));
        }
        let traits = json!({"identifier": "s3cret-name", "traits": [{"trait_key": "k", "trait_value": "s3cret-value"}]});
        connection.send(&Request::post("/api/v1/identities/", traits.to_string()).key(key));
        connection.send(&Request::post("/api/v1/identities/", "{\"identifier\": s3cret-value").key(key));
        connection.send(&Request::get(&format!("/nowhere/{key}/?key={key}")).key(key));
        connection.send(&Request::new(
            "DELETE",
            &format!("/sse/environments/{key}/stream"),
        ));
        connection.send(&Request::new("s3cret-method", "/api/v1/flags/").key(key));
    }
    let mut broken = proxy.connect();
    broken.write(b"GET /s3cret-path HTTP/1.1\r\nX-Environment-Key s3cret-header\r\n\r\n");
    broken.rest();
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(
        log.contains("/api/v1/flags/") && log.contains("/sse/environments/{client_side_key}/stream"),
        "the access log names the route: {log}"
    );
    assert!(
        log.contains("the upstream event stream fails"),
        "a cut stream is logged: {log}"
    );
    for secret in [CLIENT_KEY, SERVER_KEY, "s3cret"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[test]
fn without_an_access_log_requests_are_not_logged() {
    let mut proxy = Proxy::start(ProxyOptions::default());
    assert_eq!(
        proxy
            .connect()
            .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY))
            .status,
        200
    );
    proxy.signal("TERM");
    let (_, log) = proxy.wait();
    assert!(!log.contains("/api/v1/flags"), "{log}");
}

#[test]
fn no_peer_can_fill_the_log() {
    let mut proxy = Proxy::start(ProxyOptions::default());
    let liveness = {
        let mut odd = proxy.connect();
        odd.write(b"GET / HTTP/1.1\r\nno header\r\n\r\n");
        odd.rest();
        let mut endless = proxy.connect();
        // More than is kept of a head.
        endless.try_write(&[b"GET / HTTP/1.1\r\nX-Long: ", [b'x'; 512 * 1024].as_slice()].concat());
        endless.rest();
        proxy.connect().write(b"\x16\x03\x01\x02");
        proxy
            .connect()
            .send(&Request::get("/proxy/health/liveness"))
            .status
    };
    assert_eq!(liveness, 200);
    proxy.signal("TERM");
    let (_, log) = proxy.wait();
    for level in ["WARNING", "ERROR"] {
        assert!(!log.contains(level), "{log}");
    }
}

fn run(config: Option<&str>, arguments: &[&str]) -> Output {
    let directory = TempDir::new().unwrap();
    if let Some(config) = config {
        std::fs::write(directory.path().join("config.json"), config).unwrap();
    }
    command(directory.path()).args(arguments).output().unwrap()
}

#[test]
fn a_configuration_that_cannot_be_used_ends_with_78_and_one_line() {
    let pair = json!({"client_side_key": "s3cret-client", "server_side_key": "ser.s3cret"});
    let port = json!({"environment_key_pairs": [pair], "server": {"port": "s3cret"}}).to_string();
    let no_server_key =
        json!({"environment_key_pairs": [{"client_side_key": "s3cret", "server_side_key": "s3cret"}]});
    for (config, named) in [
        (None, "environment_key_pairs"),
        (Some("{ s3cret"), "config.json"),
        (Some("[]"), "config.json"),
        (Some(port.as_str()), "server.port"),
        (Some(no_server_key.to_string().as_str()), "server_side_key"),
    ] {
        let output = run(config, &[]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(78), "{line}");
        assert_eq!(line.trim_end().lines().count(), 1, "{line}");
        assert!(line.to_lowercase().contains(named), "{named}: {line}");
        assert!(!line.contains("s3cret"), "{line}");
    }
}

#[test]
fn a_port_that_is_taken_ends_with_71_and_one_line() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": "http://127.0.0.1:1/api/v1",
        "server": {"host": "127.0.0.1", "port": taken.local_addr().unwrap().port()},
        "logging": {"log_level": "ERROR"},
    });
    let output = run(Some(&config.to_string()), &[]);
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(71), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    assert!(line.contains("cannot listen on 127.0.0.1"), "{line}");
}

/// A name has no address of its own; 2.23 takes `localhost`.
#[test]
fn it_listens_on_the_addresses_of_a_name() {
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"server": {"host": "localhost"}}),
        ..ProxyOptions::default()
    });
    assert!(proxy.address.ip().is_loopback());
    let named: Vec<_> = ("localhost", proxy.address.port())
        .to_socket_addrs()
        .unwrap()
        .collect();
    assert!(named.contains(&proxy.address));
    for address in named {
        // This machine may know an address that it does not have.
        if std::net::TcpListener::bind((address.ip(), 0)).is_ok() {
            let flags = Connection::open(address).send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
            assert_eq!(flags.status, 200, "{address}");
        }
    }
    proxy.signal("TERM");
    assert_eq!(proxy.wait().0.code(), Some(0));
}

/// Variables count in any case, for TLS too; a file that is not there shows which one it reads.
#[test]
fn root_certificates_are_read_from_a_variable_in_lower_case() {
    let directory = TempDir::new().unwrap();
    let pair = json!([{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}]);
    let mut child = command(directory.path())
        .env("environment_key_pairs", pair.to_string())
        .env("api_url", "https://127.0.0.1:1/api/v1")
        .env("server", r#"{"host": "127.0.0.1", "port": 0}"#)
        .env("ssl_cert_file", "/nonexistent/roots.pem")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let (told, is_told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let found = lines
            .map_while(Result::ok)
            .any(|line| line.contains("/nonexistent/roots.pem"));
        told.send(found)
    });
    let found = is_told.recv_timeout(Duration::from_secs(30));
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(found, Ok(true));
}

#[test]
fn check_shows_the_effective_configuration_without_keys() {
    let config = json!({
        "environment_key_pairs": [{"client_side_key": "s3cret-client", "server_side_key": "ser.s3cret"}],
        "server": {"port": 1234},
    });
    let output = run(Some(&config.to_string()), &["--check"]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(shown.contains("1234") && !shown.contains("s3cret"), "{shown}");
    assert_eq!(run(None, &["--help"]).status.code(), Some(0));
    assert!(
        String::from_utf8(run(None, &["--version"]).stdout)
            .unwrap()
            .starts_with("edge-proxy ")
    );
    assert_eq!(run(None, &["--nonsense"]).status.code(), Some(64));
}

#[test]
fn a_reader_that_has_gone_is_no_failure() {
    let directory = TempDir::new().unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let help = command(directory.path())
        .arg("--help")
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(
        help.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&help.stderr)
    );
}

/// An actor dies: liveness fails at once, flags are answered until the end, and the end comes soon.
#[test]
fn the_death_of_an_actor_ends_the_process_in_good_order() {
    // A machine that has stood still is no fault of the process: one of three ends in time.
    let took: Vec<Duration> = std::iter::repeat_with(time_of_an_end_by_death)
        .take(3)
        .take_while(|took| took.as_secs() >= 5)
        .collect();
    assert!(took.len() < 3, "{took:?}");
}

fn time_of_an_end_by_death() -> Duration {
    let mut app: App = spawn_app(Options::default());
    let mut connection = app.connect();
    assert_eq!(
        connection.send(&Request::get("/proxy/health/liveness")).status,
        200
    );
    let mut in_flight = app.connect();
    start_request(&mut in_flight);

    let started = std::time::Instant::now();
    app.environments.inject_panic();
    in_flight.write(br#"{"identifier":"bob"}"#);
    assert_eq!(
        in_flight.read(false).status,
        200,
        "a request in flight is answered"
    );
    let outcome = app.wait();
    assert_eq!(outcome.exit_code(), 70, "{outcome:?}");
    started.elapsed()
}

#[test]
fn a_segment_that_takes_too_much_work_is_warned_of_once() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("document.json");
    std::fs::write(&path, with_heavy_segment().to_string()).unwrap();
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"environment_key_pairs": [
            {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": path},
        ]}),
        ..ProxyOptions::default()
    });
    let heavy = Request::post("/api/v1/identities/", heavy_identity()).key(CLIENT_KEY);
    for _ in 0..3 {
        let answer = ask_until_answered(proxy.address, &heavy);
        assert_eq!(answer.status, 200);
    }
    proxy.signal("TERM");
    let (_, log) = proxy.wait();
    let warnings = log
        .lines()
        .filter(|line| line.contains("take more work than one request may"));
    let warnings: Vec<&str> = warnings.collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(
        warnings[0].contains("heavy") && !log.contains(HEAVY_IDENTIFIER),
        "{log}"
    );
}
