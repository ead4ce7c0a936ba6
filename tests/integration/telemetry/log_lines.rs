//! Log lines that are written while something is traced name its trace and its span.
use serde_json::{Value, json};
use test_support::upstream::{Answer, ScriptedUpstream};

use super::collector::Collector;
use super::{TRACE_ID, TRACEPARENT};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request, SERVER_KEY, fixture};

fn proxy(collector: &Collector, format: &str, config: Value) -> Proxy {
    Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO", "enable_access_log": true, "log_format": format}),
        config,
        variables: collector.variables(),
    })
}

fn ask(proxy: &Proxy, traceparent: &str) {
    let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    let answer = proxy.connect().send(&request.header("traceparent", traceparent));
    assert_eq!(answer.status, 200);
}

#[test]
fn lines_in_json_have_fields_for_them() {
    let collector = Collector::start();
    let proxy = proxy(&collector, "json", json!({}));
    ask(&proxy, TRACEPARENT);
    let line = |trace: &'static str| {
        proxy.program().find_line(|line| {
            let line: Value = serde_json::from_str(line).ok()?;
            (line["trace_id"] == trace).then_some(line)
        })
    };
    let of_request = line(TRACE_ID);
    assert_eq!(
        (&of_request["logger"], &of_request["route"]),
        (&json!("access"), &json!("/api/v1/flags/"))
    );
    let span = collector.find(|span| span.trace_id() == TRACE_ID && span.span.name.starts_with("GET"));
    assert_eq!(of_request["span_id"], span.id());

    // Also where nothing is recorded, since the caller may have its own log.
    let unsampled = TRACEPARENT.replace("0af", "aaa").replace("-01", "-00");
    ask(&proxy, &unsampled);
    assert_eq!(line("aaa7651916cd43dd8448eb211c80319c")["logger"], "access");
    // Lines about nothing that is traced have none.
    let started: Value = proxy.program().find_line(|line| {
        line.contains("listening on")
            .then(|| serde_json::from_str(line).unwrap())
    });
    assert_eq!(started.get("trace_id"), None);
}

#[test]
fn lines_for_people_have_them_at_their_end() {
    let collector = Collector::start();
    let proxy = proxy(&collector, "generic", json!({}));
    ask(&proxy, TRACEPARENT);
    let line = proxy
        .program()
        .find_line(|line| line.contains(TRACE_ID).then(|| line.to_owned()));
    let span = collector.find(|span| span.trace_id() == TRACE_ID && span.span.name.starts_with("GET"));
    let end = format!(" remote_ip=127.0.0.1 trace_id={TRACE_ID} span_id={}", span.id());
    assert!(line.ends_with(&end), "{line}");
}

#[test]
fn lines_of_a_poll_name_its_trace() {
    let collector = Collector::start();
    let document = fixture().to_string();
    let upstream = ScriptedUpstream::start(move |_| Answer::ok(document.clone()));
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
    });
    let proxy = proxy(&collector, "json", config);
    let line: Value = proxy.program().find_line(|line| {
        line.contains(": a new document, of")
            .then(|| serde_json::from_str(line).unwrap())
    });
    let poll = collector.span("poll.refresh_environment_caches");
    assert_eq!(
        (&line["trace_id"], &line["span_id"]),
        (&json!(poll.trace_id()), &json!(poll.id()))
    );
}
