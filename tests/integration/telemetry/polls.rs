//! The spans of polls, and the context that goes with what is sent to upstream.
use serde_json::json;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::wait;

use super::collector::{Collector, ReceivedSpan};
use super::{PARENT_ID, TRACE_ID, TRACEPARENT, polling};
use crate::harness::{CLIENT_KEY, Request, SERVER_KEY, fixture};

const INTERNAL: i32 = 1;
const CLIENT: i32 = 3;

/// Serves the fixture once, then says that it is as before; takes writes.
fn flagsmith() -> ScriptedUpstream {
    let document = fixture().to_string();
    ScriptedUpstream::start(move |request| {
        match (request.target.as_str(), request.header("if-modified-since")) {
            ("/api/v1/environment-document/", None) => Answer::ok(document.clone()),
            ("/api/v1/environment-document/", Some(_)) => Answer::status(304),
            _ => Answer::ok("{}"),
        }
    })
}

/// The fetch and the poll around it.
fn poll(collector: &Collector, is_it: impl Fn(&ReceivedSpan) -> bool) -> (ReceivedSpan, ReceivedSpan) {
    let fetch = collector.find(|span| span.span.name == "poll.fetch_document" && is_it(span));
    let poll = collector.find(|span| span.id() == fetch.parent());
    (fetch, poll)
}

/// Trace, parent and flags of what upstream was asked.
fn context(request: &ReceivedRequest) -> (String, String, String) {
    let header = request.header("traceparent").unwrap();
    let parts: Vec<_> = header.split('-').map(str::to_owned).collect();
    let [version, trace, parent, flags] = &parts[..] else {
        panic!("{header}")
    };
    assert_eq!(version, "00");
    (trace.clone(), parent.clone(), flags.clone())
}

#[test]
fn a_poll_is_a_span_with_its_fetch_in_it_and_upstream_hears_of_it() {
    let (collector, upstream) = (Collector::start(), flagsmith());
    let _app = polling(
        &collector,
        &upstream,
        json!({"api_poll_unconditional_seconds": 1000}),
    );
    let (fetch, poll) = poll(&collector, |_| true);
    assert_eq!((poll.span.kind, fetch.span.kind), (INTERNAL, CLIENT));
    assert_eq!(poll.span.name, "poll.refresh_environment_caches");
    assert_eq!(
        (poll.parent(), fetch.trace_id()),
        (String::new(), poll.trace_id())
    );
    assert_eq!(poll.attributes["environments.count"], 1);
    assert_eq!(poll.attributes["flagsmith.environment.name"], fixture()["name"]);
    let expected = json!({
        "http.status_code": 200, "http.response.status_code": 200, "http.request.method": "GET",
        "flagsmith.cache_hit": false,
        "server.address": "127.0.0.1", "server.port": upstream.address().port(),
    });
    assert_eq!(fetch.json(), expected);
    assert!(!fetch.is_failure() && !poll.is_failure());
    let asked = context(&upstream.fetches()[0]);
    assert_eq!(asked, (fetch.trace_id(), fetch.id(), "01".to_owned()));

    let cached = collector.find(|span| span.attributes.get("flagsmith.cache_hit") == Some(&json!(true)));
    assert_eq!(cached.attributes["http.status_code"], 304);
    assert_ne!(
        cached.trace_id(),
        fetch.trace_id(),
        "each poll is a trace of its own"
    );
}

#[test]
fn a_poll_that_fails_says_so() {
    let (collector, upstream) = (Collector::start(), flagsmith());
    let _app = polling(&collector, &upstream, json!({}));
    upstream.script(|_| Answer::refusal(503, "secret"));
    let (fetch, poll) = poll(&collector, ReceivedSpan::is_failure);
    assert_eq!(fetch.attributes["http.status_code"], 503);
    assert_eq!(fetch.attributes["error.type"], "503");
    assert!(poll.is_failure() && poll.attributes["error.type"] == "503");
    upstream.script(|_| Answer::reset());
    let (fetch, _) = self::poll(&collector, |span| {
        span.is_failure() && span.attributes.get("error.type") == Some(&json!("no_answer"))
    });
    assert_eq!(fetch.attributes.get("http.status_code"), None);
    let shown = format!("{:?}", collector.spans());
    assert!(!shown.contains("secret") && !shown.contains(SERVER_KEY) && !shown.contains(CLIENT_KEY));
}

#[test]
fn writes_that_are_sent_on_carry_the_requests_context() {
    let (collector, upstream) = (Collector::start(), flagsmith());
    let app = polling(&collector, &upstream, json!({"api_poll_frequency_seconds": 1000}));
    let body = r#"{"identity":{"identifier":"bob"},"trait_key":"plan","trait_value":"pro"}"#;
    let write = |parent: &str| {
        Request::post("/api/v1/traits/", body)
            .key(SERVER_KEY)
            .header("traceparent", parent)
            .header("tracestate", "a=1")
            .header("baggage", "k=v")
    };
    let sent = |write: Request| {
        let before = upstream.requests().len();
        assert_eq!(app.send(write).status, 200);
        wait(upstream.wait_for(before + 1));
        upstream.requests().pop().unwrap()
    };
    let request = sent(write(TRACEPARENT));
    let span = collector.span("POST /api/v1/traits/");
    assert_eq!(
        context(&request),
        (TRACE_ID.to_owned(), span.id(), "01".to_owned())
    );
    assert_eq!(span.parent(), PARENT_ID);
    assert_eq!(request.header("tracestate"), Some("a=1"));
    assert_eq!(request.header("baggage"), Some("k=v"));

    let unsampled = sent(write(&TRACEPARENT.replace("-01", "-00")));
    let (trace, parent, flags) = context(&unsampled);
    assert_eq!((trace.as_str(), flags.as_str()), (TRACE_ID, "00"));
    assert_ne!(parent, PARENT_ID, "it is this proxy that asks");
}

#[test]
fn without_a_collector_nothing_of_it_is_sent() {
    let upstream = flagsmith();
    let app = crate::harness::spawn_app(crate::harness::Options {
        document: None,
        config: super::polled(&upstream),
        ..crate::harness::Options::default()
    });
    app.wait_for_first_document();
    let write = Request::post("/api/v1/traits/", "{}").key(SERVER_KEY);
    assert_eq!(app.send(write.header("traceparent", TRACEPARENT)).status, 200);
    for request in upstream.requests() {
        assert_eq!(request.header("traceparent"), None);
    }
}
