//! The streams of SDKs that listen: the head of each, and what its reader makes of what comes.
use std::io::{BufRead as _, Cursor};
use std::time::Duration;

use edge_proxy::application::Limits;
use edge_proxy::routes::StreamOptions;
use serde_json::{Value, json};

use crate::harness::{App, Connection, Options, fixture, spawn_app};

/// How an SDK asks for a stream, and reads it.
struct Listener {
    name: &'static str,
    head: &'static [&'static str],
    /// What it makes of the bytes of a stream: the numbers of the changes that it hears of.
    reads: fn(&str) -> Vec<f64>,
}

/// `updated_at` where it is a number that is no whole one in its text: Flutter ignores an integer.
fn number(data: &str) -> Option<f64> {
    let data: Value = serde_json::from_str(data).ok()?;
    data["updated_at"]
        .as_f64()
        .filter(|_| data["updated_at"].is_f64())
}

/// Go, Ruby: every line that begins with `data: `, whatever the event's name.
fn by_lines(text: &str) -> Vec<f64> {
    let lines = Cursor::new(text).lines().map_while(Result::ok);
    lines
        .filter_map(|line| number(line.strip_prefix("data: ")?))
        .collect()
}

/// iOS: it decodes each piece of the body that it is given by itself, so that an event must come whole.
fn by_pieces(text: &str) -> Vec<f64> {
    text.split('\n')
        .filter_map(|line| number(line.strip_prefix("data:")?))
        .collect()
}

/// Kotlin (`okhttp-sse`), React Native (`EventSource`), Flutter: events by their name, a single blank taken off.
fn by_events(text: &str) -> Vec<f64> {
    let events = text.split("\n\n").map(|event| {
        let field = |name: &str| {
            let mut lines = event.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        (field("event"), field("data"))
    });
    events
        .filter(|(event, _)| *event == Some("environment_updated"))
        .filter_map(|(_, data)| number(data?))
        .collect()
}

const LISTENERS: [Listener; 7] = [
    Listener {
        name: "Go",
        head: &[
            "Host: localhost:8000",
            "User-Agent: Go-http-client/1.1",
            "Accept-Encoding: gzip",
        ],
        reads: by_lines,
    },
    Listener {
        name: "Python",
        head: &[
            "Host: localhost:8000",
            "User-Agent: python-requests/2.34.2",
            "Accept-Encoding: gzip, deflate",
            "Accept: application/json, text/event-stream",
            "Connection: keep-alive",
        ],
        reads: by_events,
    },
    Listener {
        name: "Ruby",
        head: &[
            "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
            "Accept: */*",
            "User-Agent: Faraday v2.14.2",
            "Host: localhost:8000",
        ],
        reads: by_lines,
    },
    Listener {
        name: "iOS",
        head: &[
            "Host: localhost:8000",
            "Accept: text/event-stream, application/json; charset=utf-8",
            "Cache-Control: no-cache",
            "Connection: keep-alive",
            "Accept-Encoding: gzip, deflate",
            "User-Agent: App/1 CFNetwork/1568.200.51 Darwin/24.1.0",
        ],
        reads: by_pieces,
    },
    Listener {
        name: "Kotlin",
        head: &[
            "Accept: application/json",
            "Accept: text/event-stream",
            "X-environment-key: client-key",
            "Host: localhost:8000",
            "Connection: Keep-Alive",
            "Accept-Encoding: gzip",
            "User-Agent: okhttp/4.12.0",
        ],
        reads: by_events,
    },
    Listener {
        name: "Flutter",
        head: &[
            "user-agent: Dart/3.5 (dart:io)",
            "accept: application/json , text/event-stream",
            "accept-encoding: gzip",
            "host: localhost:8000",
        ],
        reads: by_events,
    },
    Listener {
        name: "React Native",
        head: &[
            "accept: text/event-stream",
            "cache-control: no-store",
            "Host: localhost:8000",
            "Connection: Keep-Alive",
            "Accept-Encoding: gzip",
            "User-Agent: okhttp/4.12.0",
        ],
        reads: by_events,
    },
];

impl Listener {
    fn ask(&self, app: &App, key: &str) -> Connection {
        let mut connection = app.connect();
        let lines = self.head.join("\r\n");
        connection
            .write(format!("GET /sse/environments/{key}/stream HTTP/1.1\r\n{lines}\r\n\r\n").as_bytes());
        connection
    }
}

fn listened_to(streams: StreamOptions) -> App {
    spawn_app(Options {
        limits: Limits {
            streams,
            ..Options::default().limits
        },
        ..Options::default()
    })
}

/// Each hears of the change, in time and by itself; its stream ends cleanly.
#[test]
fn listeners_hear_of_a_change_once_and_of_nothing_else() {
    let app = listened_to(StreamOptions {
        heartbeat: Duration::from_secs(3_600),
        ..StreamOptions::default()
    });
    let mut listening: Vec<_> = LISTENERS
        .iter()
        .map(|listener| {
            let mut connection = listener.ask(&app, "client-key");
            let head = connection.read_head();
            let what = listener.name;
            assert_eq!(head.status, 200, "{what}");
            // okhttp-sse and `EventSource` fail on any other; what offered gzip would not see an event before the end.
            assert_eq!(head.header("content-type"), Some("text/event-stream"), "{what}");
            assert_eq!(head.header("content-encoding"), None, "{what}");
            let mut text = connection.chunk().unwrap();
            text.push_str(&connection.chunk().unwrap());
            (listener, connection, text)
        })
        .collect();
    let mut changed = fixture();
    changed["updated_at"] = json!("2026-11-21T19:23:51.258311+00:00");
    changed["feature_states"][0]["enabled"] = json!(false);
    app.publish(&changed);
    for (_, connection, text) in &mut listening {
        text.push_str(&connection.chunk().expect("the event in a piece of its own"));
    }
    app.ask_to_stop();
    for (listener, connection, text) in &mut listening {
        while let Some(chunk) = connection.chunk() {
            text.push_str(&chunk);
        }
        // Kotlin and Ruby act on a clean end alone.
        assert!(connection.is_closed(), "{}", listener.name);
        assert_eq!(
            (listener.reads)(text),
            [1_795_289_031.258_310_8],
            "{}: {text}",
            listener.name
        );
    }
}

/// A key that is wrong is refused with the status that each takes for an error, and never by a redirect.
#[test]
fn listeners_with_a_wrong_key_are_refused() {
    let app = listened_to(StreamOptions {
        refusal_hold: Duration::from_millis(1),
        ..StreamOptions::default()
    });
    for listener in &LISTENERS {
        let refusal = listener.ask(&app, "unknown").read(false);
        assert_eq!(refusal.status, 404, "{}", listener.name);
        assert_eq!(
            refusal.header("content-type"),
            Some("application/json"),
            "{}",
            listener.name
        );
    }
}
