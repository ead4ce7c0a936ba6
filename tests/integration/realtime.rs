//! Event streams: the numbered rules that satisfy all eight SDKs that listen, each by its number.
use std::collections::HashSet;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use edge_proxy::application::Limits;
use edge_proxy::routes::realtime::StreamOptions;
use serde_json::{Value, json};

use crate::harness::{
    App, CLIENT_KEY, Connection, EVENT_STREAM, EventStream, Options, Request, Response, SERVER_KEY, document,
    event, spawn_app,
};

/// The fixture as it would be after a change at this moment.
pub fn changed(updated_at: &str) -> Value {
    let mut document = document();
    document["updated_at"] = json!(updated_at);
    document["feature_states"][0]["feature_state_value"] = json!(updated_at);
    document
}

fn streams(streams: StreamOptions) -> Options {
    let options = Options::default();
    Options {
        limits: Limits {
            streams,
            ..options.limits.clone()
        },
        ..options
    }
}

fn heartbeats(period: Duration) -> Options {
    streams(StreamOptions {
        heartbeat: period,
        ..StreamOptions::default()
    })
}

fn updated_at_header(response: &Response) -> &str {
    response.header("x-flagsmith-document-updated-at").unwrap()
}

fn subscribers(app: &App) -> Value {
    app.get("/proxy/health").json()["environments"][0]["subscribers"].clone()
}

/// Waits until so many are subscribed: a stream's answer is on its way before its subscription is counted.
fn until_subscribers(app: &App, expected: u64) {
    let patience = Instant::now() + Duration::from_secs(20);
    while subscribers(app) != json!(expected) {
        assert!(
            Instant::now() < patience,
            "{} subscribers, not {expected}",
            subscribers(app)
        );
    }
}

#[test]
fn rule_1_the_head_of_a_stream() {
    let app = spawn_app(Options::default());
    let root = EVENT_STREAM.to_owned();
    for path in [
        root.clone(),
        format!("{root}/"),
        format!("/api/v1{root}"),
        format!("/api/v1{root}/"),
    ] {
        let offered = Request::get(&path)
            .header("Accept-Encoding", "gzip, br, zstd")
            .header("Origin", "https://a.example");
        let head = EventStream::open(app.address, &offered).head;
        assert_eq!(head.status, 200, "{path}");
        let expected = [
            ("content-type", "text/event-stream"),
            ("transfer-encoding", "chunked"),
            ("cache-control", "no-cache"),
            ("x-accel-buffering", "no"),
            ("connection", "close"),
            ("access-control-allow-origin", "*"),
        ];
        for (name, value) in expected {
            assert_eq!(head.header(name), Some(value), "{path}");
        }
        for absent in ["content-encoding", "content-length"] {
            assert_eq!(head.header(absent), None, "{path}");
        }
    }
}

#[test]
fn rule_1_head_answers_the_headers_without_subscribing() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    let head = connection.send(&Request::new("HEAD", EVENT_STREAM));
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("connection"), Some("close"));
    assert!(connection.is_closed(), "no body, no waiting");
    assert_eq!(subscribers(&app), json!(0));
}

#[test]
fn rule_1_a_known_environment_without_a_document_has_streams_already() {
    let app = spawn_app(Options {
        document: None,
        ..heartbeats(Duration::from_millis(20))
    });
    let mut stream = EventStream::settled(app.address);
    assert_eq!(stream.frame().as_deref(), Some(": heartbeat\n\n"));
    // The first document is a change.
    app.publish(&document());
    assert_eq!(stream.event(), Some(event("1735229888.76")));
}

#[test]
fn rule_2_an_event_is_one_write_and_one_chunk() {
    let app = spawn_app(Options::default());
    let mut stream = EventStream::settled(app.address);
    app.publish(&changed("2026-11-21T19:23:51.258311+00:00"));
    let frame = "event: environment_updated\ndata: {\"updated_at\": 1795289031.258311}\n\n";
    let written = format!("{:X}\r\n{frame}\r\n", frame.len());
    assert_eq!(String::from_utf8(stream.read_once()).unwrap(), written);
}

#[test]
fn rule_3_event_header_and_document_carry_the_same_float() {
    let app = spawn_app(Options::default());
    let mut stream = EventStream::settled(app.address);
    for (updated_at, seconds) in [
        ("2026-11-21T19:23:51+00:00", "1795289031.0"),
        ("2026-11-21T19:23:51.25Z", "1795289031.25"),
        ("2026-11-21T19:23:51.258311", "1795289031.258311"),
    ] {
        app.publish(&changed(updated_at));
        assert_eq!(stream.event(), Some(event(seconds)), "{updated_at}");
        assert_eq!(updated_at_header(&app.get("/api/v1/flags/")), seconds);
        let served = app.send(Request::get("/api/v1/environment-document/").key(SERVER_KEY));
        assert_eq!(updated_at_header(&served), seconds);
        let served = served.json()["updated_at"].as_str().unwrap().to_owned();
        let expected = format!("2026-11-21T19:23:51.{:06}+00:00", micros(seconds));
        assert_eq!(served, expected);
    }
}

fn micros(seconds: &str) -> u32 {
    format!("{:0<6}", seconds.split_once('.').unwrap().1)
        .parse()
        .unwrap()
}

/// 200 subscribers on two workers refetch at once, 100 changes in a row.
#[test]
fn rule_4_whoever_refetches_on_an_event_gets_what_it_announced() {
    const SUBSCRIBERS: usize = 200;
    const CHANGES: u32 = 100;
    let app = spawn_app(Options::default());
    let all_have_refetched = Arc::new(Barrier::new(SUBSCRIBERS + 1));
    let address = app.address;
    let threads: Vec<_> = std::iter::repeat_with(|| {
        let all_have_refetched = Arc::clone(&all_have_refetched);
        std::thread::spawn(move || {
            let mut stream = EventStream::settled(address);
            let mut connection = Connection::open(address);
            all_have_refetched.wait();
            let mut older = 0;
            for _ in 0..CHANGES {
                let told = stream.event().expect("the stream goes on");
                let served = connection.send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
                let told = told
                    .trim_end()
                    .rsplit_once(' ')
                    .unwrap()
                    .1
                    .trim_end_matches('}')
                    .parse::<f64>()
                    .unwrap();
                let is_older = updated_at_header(&served).parse::<f64>().unwrap() < told;
                let value = &served.json()[0]["feature_state_value"];
                older +=
                    usize::from(is_older || *value == document()["feature_states"][0]["feature_state_value"]);
                all_have_refetched.wait();
            }
            older
        })
    })
    .take(SUBSCRIBERS)
    .collect();
    all_have_refetched.wait();
    for change in 0..CHANGES {
        app.replace_document(&changed(&format!(
            "2026-11-21T19:{:02}:{:02}.5+00:00",
            change / 60,
            change % 60
        )));
        all_have_refetched.wait();
    }
    let older: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(older, 0, "refetches that were older than their event");
}

#[test]
fn rule_5_heartbeats_are_comments() {
    let app = spawn_app(heartbeats(Duration::from_millis(20)));
    let mut stream = EventStream::settled(app.address);
    for _ in 0..10 {
        assert_eq!(stream.frame().as_deref(), Some(": heartbeat\n\n"));
    }
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    assert_eq!(stream.event(), Some(event("1795289031.0")));
    assert_eq!(
        stream.frame().as_deref(),
        Some(": heartbeat\n\n"),
        "they go on after an event"
    );
}

#[test]
fn rule_5_heartbeats_of_streams_that_opened_together_are_out_of_phase() {
    const PERIOD: Duration = Duration::from_secs(1);
    let app = spawn_app(heartbeats(PERIOD));
    let address = app.address;
    let opened = Instant::now();
    let first_beat = || {
        let mut stream = EventStream::settled(address);
        stream.frame();
        opened.elapsed()
    };
    let beats: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(first_beat)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (first, last) = (beats.iter().min().unwrap(), beats.iter().max().unwrap());
    assert!(
        *last - *first > PERIOD / 4,
        "twenty first heartbeats between {first:?} and {last:?}"
    );
}

#[test]
fn rule_6_a_recent_change_is_replayed_on_connect() {
    let app = spawn_app(Options::default());
    let mut early = EventStream::of(app.address);
    assert!(early.frame().unwrap().starts_with("retry: "));
    assert_eq!(
        early.frame().as_deref(),
        Some(": heartbeat\n\n"),
        "the fixture's change is years old"
    );

    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    assert_eq!(early.event(), Some(event("1795289031.0")));
    for request in [
        Request::get(EVENT_STREAM),
        Request::get(EVENT_STREAM).header("Last-Event-ID", "7"),
        Request::get(&format!("{EVENT_STREAM}?lastEventId=7")),
    ] {
        let mut late = EventStream::open(app.address, &request);
        assert!(late.frame().unwrap().starts_with("retry: "));
        assert_eq!(late.frame(), Some(event("1795289031.0")));
    }
}

#[test]
fn rule_6_an_old_change_is_not_replayed() {
    let options = Options::default();
    let limits = Limits {
        replay_age: Duration::from_millis(300),
        ..options.limits.clone()
    };
    let app = spawn_app(Options { limits, ..options });
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    let told = Instant::now();
    let is_replayed = || {
        let mut stream = EventStream::of(app.address);
        stream.frame();
        stream.frame() == Some(event("1795289031.0"))
    };
    while is_replayed() {
        assert!(told.elapsed() < Duration::from_secs(20), "replayed for ever");
    }
    assert!(
        told.elapsed() >= Duration::from_millis(200),
        "not replayed at all: {:?}",
        told.elapsed()
    );
}

#[test]
fn rule_7_streams_end_cleanly_each_at_its_own_moment() {
    let app = spawn_app(Options {
        config: json!({"realtime": {"max_stream_age_seconds": 1}}),
        ..Options::default()
    });
    let address = app.address;
    let live = || {
        let mut stream = EventStream::settled(address);
        let opened = Instant::now();
        while stream.frame().is_some() {}
        let age = opened.elapsed();
        assert!(stream.is_closed());
        age
    };
    let ages: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(live)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (first, last) = (ages.iter().min().unwrap(), ages.iter().max().unwrap());
    // The clock here starts a little after the server's own, and a busy machine wakes late.
    assert!(
        *first >= Duration::from_millis(700) && *last < Duration::from_secs(5),
        "{first:?} to {last:?}"
    );
    assert!(
        *last - *first > Duration::from_millis(30),
        "all at one moment: {first:?} to {last:?}"
    );
    until_subscribers(&app, 0);
}

#[test]
fn rule_7_a_negative_age_is_none() {
    let options = heartbeats(Duration::from_millis(20));
    let app = spawn_app(Options {
        config: json!({"realtime": {"max_stream_age_seconds": -1}}),
        ..options
    });
    let mut stream = EventStream::settled(app.address);
    let opened = Instant::now();
    while opened.elapsed() < Duration::from_millis(1_500) {
        assert!(stream.frame().is_some());
    }
}

#[test]
fn rule_8_an_unknown_environment_is_refused_slowly() {
    const HOLD: Duration = Duration::from_millis(300);
    let app = spawn_app(streams(StreamOptions {
        refusal_hold: HOLD,
        ..StreamOptions::default()
    }));
    // A server-side key opens nothing in a path: paths end up in logs.
    for key in ["unknown", SERVER_KEY, "%FF", "client-key%2F", "-"] {
        for method in ["GET", "HEAD"] {
            let asked = Instant::now();
            let mut connection = app.connect();
            let refusal = connection.send(&Request::new(method, &format!("/sse/environments/{key}/stream")));
            assert!(asked.elapsed() >= HOLD, "{method} {key}: at once");
            assert_eq!(
                (refusal.status, refusal.header("connection")),
                (404, Some("close")),
                "{method} {key}"
            );
            if method == "GET" {
                assert_eq!(refusal.json()["message"], "environment not found");
                assert_eq!(refusal.header("access-control-allow-origin"), Some("*"));
            }
            assert!(connection.is_closed());
        }
    }
}

#[test]
fn rule_8_how_many_refusals_are_held_is_bounded() {
    const HOLD: Duration = Duration::from_secs(2);
    let held_refusals = 1;
    let app = spawn_app(streams(StreamOptions {
        refusal_hold: HOLD,
        held_refusals,
        ..StreamOptions::default()
    }));
    let refuse = || {
        let asked = Instant::now();
        assert_eq!(app.get("/sse/environments/unknown/stream").status, 404);
        asked.elapsed()
    };
    let held = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..10).map(|_| scope.spawn(refuse)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .filter(|took| *took >= HOLD)
            .count()
    });
    assert_eq!(held, 1);
}

#[test]
fn rule_9_the_first_frame_is_a_retry_of_three_seconds_or_less() {
    let app = spawn_app(Options::default());
    let frame = EventStream::of(app.address).frame().unwrap();
    let millis = frame
        .strip_prefix("retry: ")
        .and_then(|rest| rest.strip_suffix("\n\n"))
        .expect("a retry");
    assert!((1..=3_000).contains(&millis.parse::<u32>().unwrap()), "{frame}");
}

#[test]
fn health_counts_the_subscribers_of_each_environment() {
    let app = spawn_app(heartbeats(Duration::from_millis(20)));
    let streams: Vec<_> = (0..3).map(|_| EventStream::settled(app.address)).collect();
    assert_eq!(subscribers(&app), json!(3));
    drop(streams);
    // Their heartbeats cannot be written.
    until_subscribers(&app, 0);
    let health = app.get("/sse/health");
    assert_eq!((health.status, health.text()), (200, r#"{"status":"ok"}"#));
}

#[test]
fn past_the_limit_of_subscribers_a_stream_is_refused_and_admitted_later() {
    let config = json!({"realtime": {"max_subscribers": 2}});
    let app = spawn_app(Options {
        config,
        ..heartbeats(Duration::from_millis(20))
    });
    let mut streams: Vec<_> = (0..2).map(|_| EventStream::settled(app.address)).collect();
    let waits: HashSet<_> = (0..20)
        .map(|_| {
            let refusal = app.get(EVENT_STREAM);
            assert_eq!(refusal.status, 503);
            assert_eq!(refusal.json()["message"], "too many subscribers");
            refusal.header("retry-after").unwrap().parse::<u32>().unwrap()
        })
        .collect();
    assert!(waits.len() > 1, "Retry-After is not jittered: {waits:?}");
    assert_eq!(app.get("/sse/health").status, 200, "being full is no failure");
    streams.pop();
    until_subscribers(&app, 1);
    EventStream::settled(app.address);
}

#[test]
fn a_spread_tells_all_over_its_window() {
    let config = json!({"realtime": {"notify_spread_ms": 1000}});
    let app = spawn_app(Options {
        config,
        ..Options::default()
    });
    let mut streams: Vec<_> = (0..20).map(|_| EventStream::settled(app.address)).collect();
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    let published = Instant::now();
    let mut told: Vec<_> = streams
        .iter_mut()
        .map(|stream| {
            assert_eq!(stream.event(), Some(event("1795289031.0")));
            published.elapsed()
        })
        .collect();
    told.sort();
    assert!(
        told[19] >= Duration::from_millis(700),
        "the last one after {:?}",
        told[19]
    );
}
