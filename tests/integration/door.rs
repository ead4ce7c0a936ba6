//! The limits at the door that an option sets, and the planned end of connections.
use serde_json::{Value, json};

use crate::harness::{
    App, CLIENT_KEY, Connection, EventStream, Options, Proxy, ProxyOptions, Request, spawn_app,
};

fn with_server(server: Value) -> App {
    spawn_app(Options {
        config: json!({ "server": server }),
        // The worker that has a connection has all of them.
        workers: 1,
        ..Options::default()
    })
}

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

fn identity() -> Request {
    Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY)
}

/// Asks on one connection until an answer says that it is the last; none may fail. How many there were.
fn ask_to_the_end(connection: &mut Connection, request: &Request) -> usize {
    for asked in 1.. {
        let answer = connection.send(request);
        assert_eq!(answer.status, 200);
        match answer.header("connection") {
            None => {}
            Some(says) => {
                assert_eq!(says, "close");
                assert!(connection.is_closed());
                return asked;
            }
        }
    }
    panic!("it goes on for ever")
}

#[test]
fn a_connection_ends_with_its_last_request() {
    let app = with_server(json!({"max_requests_per_connection": 3}));
    for request in [
        flags(),
        identity(),
        Request::new("HEAD", "/api/v1/flags/").key(CLIENT_KEY),
        Request::get("/proxy/health/liveness"),
    ] {
        assert_eq!(ask_to_the_end(&mut app.connect(), &request), 3, "{request:?}");
    }
    // A preflight and refusals count and say so likewise.
    let mut connection = app.connect();
    for (request, status, says) in [
        (Request::new("OPTIONS", "/api/v1/flags/"), 200, None),
        (Request::get("/nowhere"), 404, None),
        (Request::get("/api/v1/flags/").key("unknown"), 401, Some("close")),
    ] {
        let answer = connection.send(&request);
        assert_eq!(
            (answer.status, answer.header("connection")),
            (status, says),
            "{request:?}"
        );
    }
    assert!(connection.is_closed());
}

#[test]
fn a_connection_that_is_busy_ends_with_an_answer_at_its_age() {
    // Long enough for each of them to be answered more than once before.
    let app = with_server(json!({"max_connection_age_seconds": 4}));
    let mut connections: Vec<_> = (0..3).map(|_| app.connect()).collect();
    std::thread::scope(|scope| {
        for connection in &mut connections {
            scope.spawn(|| assert!(ask_to_the_end(connection, &flags()) > 1));
        }
    });
    // Another one is none the worse for it.
    let mut connection = app.connect();
    assert_eq!(connection.send(&flags()).header("connection"), None);
}

#[test]
fn idle_connections_end_at_their_age_and_bodies_and_streams_go_on() {
    let app = with_server(json!({"max_connection_age_seconds": 1}));
    let mut stream = EventStream::settled(app.address);
    let mut posting = app.connect();
    let post = identity().bytes();
    let (begin, rest) = post.split_at(post.len() - 5);
    posting.write(begin);
    // Twice, because ages vary: the others are older than any by then.
    for _ in 0..2 {
        let mut idle: Vec<_> = (0..3).map(|_| app.connect()).collect();
        for connection in &mut idle {
            assert_eq!(connection.send(&flags()).status, 200);
        }
        assert!(idle.iter_mut().all(Connection::is_closed));
    }
    posting.write(rest);
    let answer = posting.read(false);
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    assert!(posting.is_closed());
    let changed = stream_of_a_change(&app, &mut stream);
    assert!(changed.contains("environment_updated"), "{changed}");
}

fn stream_of_a_change(app: &App, stream: &mut EventStream) -> String {
    let mut document = crate::harness::fixture();
    document["updated_at"] = json!("2030-01-01T00:00:00+00:00");
    document["feature_states"][0]["enabled"] =
        json!(!document["feature_states"][0]["enabled"].as_bool().unwrap());
    app.publish(&document);
    stream.event().unwrap()
}

#[test]
fn a_body_is_as_large_as_the_option_says() {
    const MOST: usize = 2_048;
    let app = with_server(json!({"max_body_bytes": MOST}));
    let body = |bytes: usize| {
        let (start, end) = (r#"{"identifier":"bob","ignored":""#, r#""}"#);
        format!("{start}{}{end}", "x".repeat(bytes - start.len() - end.len()))
    };
    let status = |bytes| {
        app.send(Request::post("/api/v1/identities/", body(bytes)).key(CLIENT_KEY))
            .status
    };
    assert_eq!((status(MOST), status(MOST + 1)), (200, 413));
}

#[test]
fn there_are_as_many_connections_as_the_option_says() {
    let app = with_server(json!({"max_connections": 4}));
    let mut kept: Vec<_> = (0..4).map(|_| app.connect()).collect();
    for connection in &mut kept {
        assert_eq!(connection.send(&flags()).status, 200);
    }
    let mut another = app.connect();
    assert_eq!(another.send(&flags()).status, 200);
    // The one that was used least lately has made room.
    assert!(kept[0].is_closed());
    assert!(
        kept[1..]
            .iter_mut()
            .all(|connection| connection.send(&flags()).status == 200)
    );
}

#[test]
fn more_connections_than_files_are_warned_of() {
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"server": {"max_connections": 4_000_000_000_u32}}),
        ..ProxyOptions::default()
    });
    proxy.signal("INT");
    let (_, log) = proxy.wait();
    assert!(
        log.contains("server.max_connections is 4000000000, but the limit of open files"),
        "{log}"
    );
}
