//! What a stream looks like and when it tells: rules 1 to 5.
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{
    CLIENT_KEY, Connection, EVENT_STREAM, EventStream, Options, Request, SERVER_KEY, event, fixture,
    spawn_app,
};

use super::{changed, heartbeats, subscribers, updated_at_header};

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
            ("cache-control", "no-cache, no-transform"),
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
    app.publish(&fixture());
    assert_eq!(stream.event(), Some(event("1735229888.76")));
}

#[test]
fn rule_2_an_event_is_one_write_and_one_chunk() {
    let app = spawn_app(Options::default());
    let mut stream = EventStream::settled(app.address);
    app.publish(&changed("2026-11-21T19:23:51.258311+00:00"));
    let frame = "event: environment_updated\ndata: {\"updated_at\": 1795289031.2583108}\n\n";
    let chunk = |frame: &str| format!("{:X}\r\n{frame}\r\n", frame.len());
    // On a slow machine a heartbeat may come first.
    let heartbeat = chunk(": heartbeat\n\n");
    let mut events = std::iter::repeat_with(|| {
        let read = String::from_utf8(stream.read_once()).unwrap();
        read.trim_start_matches(&heartbeat).to_owned()
    });
    assert_eq!(events.find(|read| !read.is_empty()), Some(chunk(frame)));
}

#[test]
fn rule_3_event_header_and_document_carry_the_same_float() {
    let app = spawn_app(Options::default());
    let mut stream = EventStream::settled(app.address);
    for (updated_at, seconds, micros) in [
        ("2026-11-21T19:23:51+00:00", "1795289031.0", "000000"),
        ("2026-11-21T19:23:51.25Z", "1795289031.25", "250000"),
        // The nearest double lies above: it is the one before.
        ("2026-11-21T19:23:51.258311", "1795289031.2583108", "258311"),
        ("2026-11-21T19:23:51.258312", "1795289031.258312", "258312"),
    ] {
        app.publish(&changed(updated_at));
        assert_eq!(stream.event(), Some(event(seconds)), "{updated_at}");
        assert_eq!(updated_at_header(&app.get("/api/v1/flags/")), seconds);
        let served = app.send(Request::get("/api/v1/environment-document/").key(SERVER_KEY));
        assert_eq!(updated_at_header(&served), seconds);
        let served = served.json()["updated_at"].as_str().unwrap().to_owned();
        assert_eq!(served, format!("2026-11-21T19:23:51.{micros}+00:00"));
    }
}

/// 200 subscribers on two workers refetch at once, 100 changes in a row.
#[test]
fn rule_4_whoever_refetches_on_an_event_gets_what_it_announced() {
    const SUBSCRIBERS: usize = 200;
    const CHANGES: u32 = 100;
    let app = spawn_app(Options {
        // A slow machine takes longer than the age at which streams end, and a thread that gives up leaves the others waiting.
        config: json!({"realtime": {"max_stream_age_seconds": -1}}),
        ..Options::default()
    });
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
                    usize::from(is_older || *value == fixture()["feature_states"][0]["feature_state_value"]);
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
