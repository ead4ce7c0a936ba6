//! Where the admin port is, and how it follows a new configuration.
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use edge_proxy::application::{Application, Limits};
use edge_proxy::settings::Settings;
use serde_json::{Value, json};
use test_support::reserved_port::ReservedPort;

use super::app;
use crate::harness::{
    CLIENT_KEY, Connection, Options, Proxy, ProxyOptions, Request, SERVER_KEY, fixture, spawn_app,
};

/// The connections that are taken at a time.
const MOST_CONNECTIONS: usize = 32;

fn start(admin: Value) -> Proxy {
    Proxy::start(ProxyOptions {
        config: json!({"admin": admin}),
        ..ProxyOptions::default()
    })
}

/// Whether anybody answers there.
fn is_open(address: SocketAddr) -> bool {
    let request = Request::get("/").header("Host", "127.0.0.1");
    Connection::try_open(address)
        .and_then(|mut connection| connection.try_send(&request))
        .is_ok()
}

/// An address of this machine that nobody else listens at: of 127.0.0.1 a port that is closed may be another test's at once.
fn own_host() -> IpAddr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 64 | high, middle, low).into()
}

fn configuration(proxy: &Proxy) -> Value {
    proxy.connect().send(&Request::get("/proxy/health")).json()["configuration"].clone()
}

#[test]
fn it_points_to_its_resources_and_has_nothing_of_the_public_port() {
    let app = app(json!({}));
    let answer = app.ask_admin(Request::get("/"));
    assert_eq!(answer.status, 200);
    let resources = answer.json()["resources"].clone();
    assert!(resources["/log-level"].is_string(), "{resources}");
    for path in ["/api/v1/flags/", "/proxy/health", "/no-such-path"] {
        let answer = app.ask_admin(Request::get(path).key(CLIENT_KEY));
        assert_eq!(answer.status, 404, "{path}");
    }
    // And the other way round.
    let resources = resources.as_object().unwrap();
    for path in resources.keys() {
        assert_eq!(app.get(path).status, 404, "{path}");
        assert_eq!(app.send(Request::put(path, "{}")).status, 404, "{path}");
    }
}

#[test]
fn it_is_off_by_default() {
    let proxy = start(json!({}));
    assert!(!proxy.written().contains("admin port"), "{}", proxy.written());
}

#[test]
fn methods_and_heads_are_as_on_the_public_port() {
    let app = app(json!({}));
    let answer = app.ask_admin(Request::new("DELETE", "/log-level"));
    assert_eq!(
        (answer.status, answer.header("allow")),
        (405, Some("GET, HEAD, PUT, OPTIONS"))
    );
    let head = app.ask_admin(Request::new("HEAD", "/"));
    assert_eq!((head.status, head.header("connection")), (200, Some("close")));
    assert_eq!(app.ask_admin(Request::get("/log-level/")).status, 503);
    let long = Request::get("/").header("Cookie", &"x".repeat(20_000));
    assert_eq!(app.ask_admin(long).status, 431);
}

#[test]
fn a_taken_port_ends_the_start_and_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let variables = [
        (
            "ENVIRONMENT_KEY_PAIRS",
            json!([{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}]).to_string(),
        ),
        ("SERVER", json!({"host": "127.0.0.1", "port": 0}).to_string()),
        ("ADMIN", json!({"port": address.port()}).to_string()),
        ("CONFIG_PATH", "/nonexistent/config.json".to_owned()),
    ];
    let variables = variables.map(|(name, text)| (name.to_owned(), text));
    let settings = Settings::load(None, variables).unwrap().settings;
    actix::System::new().block_on(async {
        let refused = Application::build(&settings, Limits::default()).err().unwrap();
        let line = refused.to_string();
        assert!(
            line.starts_with(&format!("cannot listen on {address}: ")),
            "{line}"
        );
        assert!(
            line.ends_with("choose another admin.host or admin.port, or free this one"),
            "{line}"
        );
    });
}

#[test]
fn it_opens_moves_and_closes_with_the_configuration_while_flags_are_served() {
    let mut proxy = start(json!({}));
    let mut kept = proxy.connect();
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert_eq!(kept.send(&flags).status, 200);

    let host = own_host();
    proxy.reload(&json!({"admin": {"host": host, "port": 0}}));
    let first = proxy.admin();
    assert_eq!(proxy.ask_admin(Request::get("/")).status, 200);

    // Of every address, since it is to move to all of them.
    let reserved = ReservedPort::at((Ipv4Addr::UNSPECIFIED, 0).into());
    proxy.reload(&json!({"admin": {"host": host, "port": reserved.port()}}));
    let second = proxy.admin();
    assert_ne!(first, second);
    assert_eq!(proxy.ask_admin(Request::get("/")).status, 200);
    assert!(!is_open(first), "it has moved");

    // The same port on another host, which it holds itself.
    proxy.reload(&json!({"admin": {"host": "0.0.0.0"}}));
    assert_eq!(proxy.admin(), SocketAddr::from(([0, 0, 0, 0], second.port())));
    assert!(is_open(second));

    proxy.reload(&json!({"admin": {"token": "sesame"}}));
    assert_eq!(proxy.ask_admin(Request::get("/")).status, 401);
    let bearer = Request::get("/").header("Authorization", "Bearer sesame");
    assert_eq!(proxy.ask_admin(bearer).status, 200);

    proxy.reload(&json!({"admin": {"port": null}}));
    assert!(!is_open(second), "it is closed");
    assert_eq!(configuration(&proxy), Value::Null);
    assert_eq!(kept.send(&flags).status, 200, "the public port lost nothing");
}

#[test]
fn a_port_that_is_taken_at_a_reload_is_told_and_the_one_before_stays() {
    let mut proxy = start(json!({"port": 0}));
    let before = proxy.admin();
    let reserved = ReservedPort::any();
    let taken = TcpListener::bind(reserved.address()).unwrap();
    let port = reserved.port();
    proxy.reload(&json!({"admin": {"port": port}}));
    assert!(is_open(before));
    let detail = configuration(&proxy)["detail"].as_str().unwrap().to_owned();
    assert!(
        detail.contains("the admin port stays as it was") && detail.contains(&port.to_string()),
        "{detail}"
    );
    drop(taken);
    // The same configuration, asked for again.
    proxy.reload(&json!({}));
    assert_eq!(proxy.admin().port(), port);
    assert!(is_open(proxy.admin()));
    assert_eq!(configuration(&proxy), Value::Null);
}

#[test]
fn a_port_that_cannot_move_still_asks_for_its_token() {
    let mut proxy = start(json!({"port": 0, "host": "0.0.0.0", "token": "sesame"}));
    let before = proxy.admin();
    assert_eq!(proxy.ask_admin(Request::get("/")).status, 401);
    let reserved = ReservedPort::any();
    let taken = TcpListener::bind(reserved.address()).unwrap();
    let port = reserved.port();
    let bearer = || Request::get("/").header("Authorization", "Bearer sesame");
    // The second is the port that it has: it gives that up first, and takes it again.
    for (host, port) in [("127.0.0.1", port), ("192.0.2.1", before.port())] {
        proxy.reload(&json!({"admin": {"host": host, "port": port, "token": null}}));
        let written = proxy.written();
        assert_eq!(proxy.ask_admin(Request::get("/")).status, 401, "{written}");
        assert_eq!(proxy.ask_admin(bearer()).status, 200, "{written}");
    }
    let written = proxy.written();
    assert!(written.contains("the admin port stays as it was"), "{written}");
    assert_eq!(
        written.matches("the admin port is http://").count(),
        2,
        "{written}"
    );
    assert_eq!(
        proxy.admin(),
        before,
        "the port that the system has chosen is taken again"
    );
    assert!(
        !written.contains("admin.host, admin.port, admin.token changed"),
        "{written}"
    );
    drop(taken);
    proxy.reload(&json!({"admin": {"host": "127.0.0.1", "port": port}}));
    assert_eq!(proxy.admin().port(), port);
    assert_eq!(proxy.ask_admin(Request::get("/")).status, 200);
    assert!(!is_open(before));
}

#[test]
fn it_ends_with_the_process_and_holds_nothing_up() {
    let mut proxy = start(json!({"port": 0}));
    let address = proxy.admin();
    // One that says nothing, which may take its time.
    let silent = Connection::open(address);
    proxy.signal("TERM");
    assert_eq!(proxy.wait().0.code(), Some(0));
    assert!(!is_open(address));
    drop(silent);
}

#[test]
fn clients_that_never_read_leave_their_places() {
    let mut named = fixture();
    // More than the system takes of an answer that nobody reads.
    named["name"] = json!("x".repeat(1024 * 1024));
    let app = spawn_app(Options {
        document: Some(named.to_string()),
        config: json!({"admin": {"port": 0}}),
        limits: Limits {
            unacknowledged: Duration::from_millis(300),
            send_buffer: Some(16 * 1024),
            ..Options::default().limits
        },
        ..Options::default()
    });
    let admin = app.admin.unwrap();
    let stuck: Vec<_> = (0..MOST_CONNECTIONS)
        .map(|_| {
            let mut connection = Connection::open(admin);
            connection.write_request(&Request::get("/status.json").header("Host", &admin.to_string()));
            // It has its place once the head is there.
            assert_eq!(connection.read_head().status, 200);
            connection
        })
        .collect();
    assert_eq!(app.ask_admin(Request::get("/")).status, 200);
    drop(stuck);
}
