//! The spans of requests and of their evaluations.
use serde_json::{Value, json};

use super::collector::{Collector, ReceivedSpan};
use super::{PARENT_ID, TRACE_ID, TRACEPARENT, traced};
use crate::harness::{App, CLIENT_KEY, Options, Request, SERVER_KEY, spawn_app};

const INTERNAL: i32 = 1;
const SERVER: i32 = 2;

/// What every server span says.
fn attributes(app: &App, method: &str, more: &Value) -> Value {
    let mut expected = json!({
        "http.request.method": method,
        "url.scheme": "http",
        "server.port": app.address.port(),
        "network.protocol.version": "1.1",
    });
    crate::harness::merge(&mut expected, more);
    expected
}

#[test]
fn a_route_has_one_name_whether_or_not_its_path_ends_with_a_slash() {
    let collector = Collector::start();
    let app = traced(&collector, &[]);
    for (path, name) in [
        ("/api/v1/flags", "GET /api/v1/flags/"),
        ("/proxy/health/liveness", "GET /proxy/health/liveness/"),
    ] {
        assert_eq!(app.get(path).status, 200);
        let span = collector.span(name);
        assert_eq!(span.json()["http.route"], name["GET ".len()..]);
    }
}

#[test]
fn a_request_is_a_span_with_its_evaluation_in_it() {
    let collector = Collector::start();
    let app = traced(
        &collector,
        &[("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test")],
    );
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    let evaluation = collector.span("evaluate.flags");
    let request = collector.span("GET /api/v1/flags/");
    assert_eq!(request.parent(), "");
    assert_eq!(evaluation.parent(), request.id());
    assert_eq!(evaluation.trace_id(), request.trace_id());
    assert_eq!((request.span.kind, evaluation.span.kind), (SERVER, INTERNAL));
    let more = json!({"http.route": "/api/v1/flags/", "http.response.status_code": 200});
    assert_eq!(request.json(), attributes(&app, "GET", &more));
    assert!(!request.is_failure());
    let flags = app.get("/api/v1/flags/").json().as_array().unwrap().len();
    assert!(flags > 1);
    let expected = json!({"flagsmith.single_feature": false, "flagsmith.feature_count": flags});
    assert_eq!(evaluation.json(), expected);
    let (outer, inner) = (&request.span, &evaluation.span);
    assert!(outer.start_time_unix_nano <= inner.start_time_unix_nano);
    assert!(inner.start_time_unix_nano <= inner.end_time_unix_nano);
    assert!(inner.end_time_unix_nano <= outer.end_time_unix_nano);
    // By the clock of the wall, of this year.
    assert!(outer.start_time_unix_nano > 1_700_000_000_000_000_000);

    assert_eq!(request.scope, "edge-proxy");
    let resource = &request.resource;
    assert_eq!(resource["service.name"], "flagsmith-edge-proxy");
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(resource["deployment.environment"], "test");
    assert_eq!(resource["service.instance.id"].as_str().unwrap().len(), 36);
}

#[test]
fn each_kind_of_evaluation_has_its_span() {
    let collector = Collector::start();
    let app = traced(&collector, &[]);
    let name = app.get("/api/v1/flags/").json()[0]["feature"]["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let ask = |request: Request, status: u16| {
        let parent = format!("00-{TRACE_ID}-{PARENT_ID}-01");
        assert_eq!(
            app.send(request.key(SERVER_KEY).header("traceparent", &parent))
                .status,
            status
        );
    };
    let body = r#"{"identifier":"secret","traits":[{"trait_key":"plan","trait_value":"secret"}]}"#;
    ask(Request::get(&format!("/api/v1/flags/?feature={name}")), 200);
    ask(Request::get("/api/v1/flags/?feature=secret"), 404);
    ask(Request::get("/api/v1/identities/?identifier=secret"), 200);
    ask(Request::post("/api/v1/identities", body), 200);
    ask(Request::post("/api/v1/identities/", "secret"), 400);
    let spans = collector.trace(TRACE_ID, 9);
    let named = |name: &str| spans.iter().filter(|span| span.span.name == name).count();
    assert_eq!((named("evaluate.flags"), named("evaluate.identity")), (2, 2));
    for span in spans.iter().filter(|span| span.span.name == "evaluate.flags") {
        assert_eq!(
            span.json(),
            json!({"flagsmith.single_feature": true, "flagsmith.feature_count": 1})
        );
    }
    for name in [
        "GET /api/v1/flags/",
        "GET /api/v1/identities/",
        "POST /api/v1/identities/",
    ] {
        assert!(named(name) > 0, "{name}");
    }
    // Of an identity that cannot be read there is nothing to evaluate.
    let refused = |span: &&ReceivedSpan| {
        let status = span.attributes.get("http.response.status_code");
        span.span.name.starts_with("POST") && status == Some(&json!(400))
    };
    let refused = spans.iter().find(refused).unwrap();
    assert!(
        !refused.is_failure(),
        "a client's mistake is none of the server's"
    );
    assert!(spans.iter().all(|span| span.parent() != refused.id()));
    assert!(!format!("{spans:?}").contains("secret"));
}

#[test]
fn what_no_route_answers_is_a_span_without_one() {
    let collector = Collector::start();
    let app = traced(&collector, &[]);
    let ask = |request: Request| app.send(request.header("traceparent", TRACEPARENT));
    assert_eq!(ask(Request::get("/secret/path?secret=1")).status, 404);
    assert_eq!(ask(Request::new("PURGE", "/api/v1/flags/")).status, 405);
    assert_eq!(ask(Request::get("/api/v1/flags/")).status, 401);
    let spans = collector.trace(TRACE_ID, 3);
    let expected = [
        (
            "GET",
            attributes(&app, "GET", &json!({"http.response.status_code": 404})),
        ),
        (
            "HTTP /api/v1/flags/",
            attributes(
                &app,
                "_OTHER",
                &json!({"http.route": "/api/v1/flags/", "http.response.status_code": 405}),
            ),
        ),
        (
            "GET /api/v1/flags/",
            attributes(
                &app,
                "GET",
                &json!({"http.route": "/api/v1/flags/", "http.response.status_code": 401}),
            ),
        ),
    ];
    for (name, attributes) in expected {
        let found = spans.iter().find(|span| span.span.name == name);
        assert_eq!(
            found.unwrap_or_else(|| panic!("{name}: {spans:?}")).json(),
            attributes
        );
    }
}

#[test]
fn a_failure_of_this_server_is_one_of_the_span() {
    let collector = Collector::start();
    let app = spawn_app(Options {
        document: None,
        variables: collector.variables(),
        ..Options::default()
    });
    assert_eq!(app.get("/api/v1/flags/").status, 503);
    let span = collector.span("GET /api/v1/flags/");
    assert!(span.is_failure());
    let more = json!({
        "http.route": "/api/v1/flags/", "http.response.status_code": 503, "error.type": "503",
    });
    assert_eq!(span.json(), attributes(&app, "GET", &more));
}

#[test]
fn streams_have_one_span_at_their_head() {
    let collector = Collector::start();
    let app = traced(&collector, &[]);
    let path = format!("/sse/environments/{CLIENT_KEY}/stream");
    let mut stream = app.connect();
    stream.write_request(&Request::get(&path).header("traceparent", TRACEPARENT));
    let [span] = &collector.trace(TRACE_ID, 1)[..] else {
        panic!("one span")
    };
    assert_eq!(span.span.name, "GET /sse/environments/{client_side_key}/stream/");
    assert_eq!(span.attributes["http.response.status_code"], 200);
    assert!(!format!("{span:?}").contains(CLIENT_KEY));
}

#[test]
fn excluded_paths_have_no_span() {
    let collector = Collector::start();
    let app = traced(
        &collector,
        &[("OTEL_TRACING_EXCLUDED_URL_PATHS", "health/liveness,flags")],
    );
    for path in ["/proxy/health/liveness", "/api/v1/flags/", "/api/v1/flags"] {
        assert_eq!(app.get(path).status, 200);
    }
    assert_eq!(app.get("/proxy/health/readiness").status, 200);
    collector.find(|span| span.span.name.ends_with("/readiness/"));
    let names: Vec<_> = collector.spans().into_iter().map(|span| span.span.name).collect();
    assert!(
        names.iter().all(|name| name == "GET /proxy/health/readiness/"),
        "{names:?}"
    );
}

/// The spans of a request with these fields, and then of one that ends a trace of its own.
fn sent(fields: &[(&str, &str)], more: &[(&'static str, &str)]) -> Vec<ReceivedSpan> {
    let collector = Collector::start();
    let app = traced(&collector, more);
    let request = fields.iter().fold(
        Request::get("/api/v1/flags/").key(CLIENT_KEY),
        |request, (name, value)| request.header(name, value),
    );
    assert_eq!(app.send(request).status, 200);
    let last = app.send(Request::get("/last").header("traceparent", &TRACEPARENT.replace("0af", "aaa")));
    assert_eq!(last.status, 404);
    collector.trace(&TRACE_ID.replace("0af", "aaa"), 1);
    let mut spans = collector.spans();
    spans.retain(|span| span.span.name == "GET /api/v1/flags/");
    spans
}

#[test]
fn a_caller_is_the_parent_and_decides() {
    let [span] = &sent(&[("traceparent", TRACEPARENT), ("tracestate", "a=1")], &[])[..] else {
        panic!("one span")
    };
    assert_eq!(
        (span.trace_id().as_str(), span.parent().as_str()),
        (TRACE_ID, PARENT_ID)
    );
    assert_eq!(span.span.trace_state, "a=1");
    assert_eq!(
        span.span.flags, 0x301,
        "it is recorded, and its parent is elsewhere"
    );

    let unsampled = TRACEPARENT.replace("-01", "-00");
    assert!(sent(&[("traceparent", &unsampled)], &[]).is_empty());
    let always = [("OTEL_TRACES_SAMPLER", "always_on")];
    assert_eq!(
        sent(&[("traceparent", &unsampled)], &always)[0].trace_id(),
        TRACE_ID
    );
    let never = [("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    assert!(sent(&[], &never).is_empty());
    assert_eq!(sent(&[("traceparent", TRACEPARENT)], &never).len(), 1);
}

#[test]
fn a_malformed_context_is_ignored() {
    for wrong in [
        "secret",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    ] {
        let [span] = &sent(&[("traceparent", wrong), ("tracestate", "a=1")], &[])[..] else {
            panic!("one span")
        };
        assert_eq!(
            (span.parent().as_str(), span.span.trace_state.as_str()),
            ("", ""),
            "{wrong}"
        );
        assert_ne!(span.trace_id(), TRACE_ID);
        assert_eq!(span.span.flags, 0x101);
    }
}
