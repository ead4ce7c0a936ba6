//! `/metrics`: what the process counts, in both formats, and how much of it there can be.
use std::collections::BTreeMap;

use serde_json::{Value, json};
use test_support::documents::FIXTURE;
use test_support::http::{Request, Response};

use super::app;
use crate::harness::{App, CLIENT_KEY, EventStream, Options, Proxy, ProxyOptions, event, spawn_app};

const OPEN_METRICS: &str = "application/openmetrics-text";

/// What a scrape says: the value of each series.
pub(crate) struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    pub(crate) fn of(answer: &Response) -> Self {
        assert_eq!(answer.status, 200);
        let lines = answer.text().lines().filter(|line| !line.starts_with('#'));
        let samples = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            (
                series.to_owned(),
                value.parse().unwrap_or_else(|_| panic!("{line}")),
            )
        });
        Self(samples.collect())
    }

    /// The value of a series; 0 where there is none.
    pub(super) fn value(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or(0.0)
    }

    /// All series with their values.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(series, value)| (series.as_str(), *value))
    }

    /// How many requests of a route there were with a method and a status.
    pub(super) fn requests(&self, method: &str, route: &str, status: u16) -> f64 {
        let labels = format!(r#"route="{route}",method="{method}",response_status="{status}""#);
        self.value(&format!("flagsmith_http_server_requests_total{{{labels}}}"))
    }
}

pub(super) fn scrape(app: &App) -> Scrape {
    Scrape::of(&app.ask_admin(Request::get("/metrics")))
}

/// Of the environment of the fixture.
fn of_environment(name: &str, more: &str) -> String {
    let document: Value = serde_json::from_str(FIXTURE).unwrap();
    let environment = document["name"].as_str().unwrap();
    format!(r#"flagsmith_edge_proxy_{name}{{environment_id="1",environment="{environment}"{more}}}"#)
}

#[test]
fn whoever_accepts_open_metrics_gets_them_and_everybody_else_prometheus_own_format() {
    let app = app(json!({}));
    let plain = app.ask_admin(Request::get("/metrics"));
    assert_eq!(
        plain.header("content-type"),
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    assert!(
        plain
            .text()
            .contains("# TYPE flagsmith_http_server_requests_total counter\n")
    );
    assert!(!plain.text().contains("# EOF"));
    let open = app.ask_admin(Request::get("/metrics").header("Accept", OPEN_METRICS));
    assert_eq!(
        open.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(
        open.text()
            .contains("# TYPE flagsmith_http_server_requests counter\n")
    );
    assert!(open.text().ends_with("\n# EOF\n"));
    for answer in [plain, open] {
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("vary"), Some("Accept"));
    }
    assert_eq!(
        app.get("/metrics").status,
        404,
        "nothing of it is on the public port"
    );
}

#[test]
fn requests_are_counted_by_route_method_and_status() {
    let app = app(json!({}));
    let mut connection = app.connect();
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    let bytes: usize = (0..3).map(|_| connection.send(&flags).body.len()).sum();
    connection.send(&Request::get("/api/v1//flags").key("unknown"));
    connection.send(&Request::get("/nowhere/secret-path"));
    connection.send(&Request::new("SECRET", "/api/v1/flags/"));
    let preflight = Request::new("OPTIONS", "/api/v1/identities/");
    connection.send(&preflight.header("Access-Control-Request-Method", "POST"));
    let scrape = scrape(&app);
    assert_eq!(scrape.requests("GET", "/api/v1/flags/", 200), 3.0);
    assert_eq!(scrape.requests("GET", "/api/v1/flags/", 401), 1.0);
    assert_eq!(
        scrape.value(&of_environment("environment_requests_total", "")),
        3.0
    );
    assert_eq!(scrape.requests("GET", "unmatched", 404), 1.0);
    assert_eq!(scrape.requests("OTHER", "/api/v1/flags/", 405), 1.0);
    assert_eq!(scrape.requests("OPTIONS", "/api/v1/identities/", 200), 1.0);
    let labels = r#"{route="/api/v1/flags/",method="GET",response_status="200"}"#;
    for (name, expected) in [
        ("request_duration_seconds_count", 3.0),
        ("response_size_bytes_count", 3.0),
        ("response_size_bytes_sum", bytes as f64),
    ] {
        let value = scrape.value(&format!("flagsmith_http_server_{name}{labels}"));
        assert_eq!(value, expected, "{name}");
    }
    assert!(
        scrape.value(&format!(
            "flagsmith_http_server_request_duration_seconds_sum{labels}"
        )) > 0.0
    );
    let all: Vec<_> = scrape
        .0
        .keys()
        .filter(|series| series.to_lowercase().contains("secret"))
        .collect();
    assert!(all.is_empty(), "{all:?}");
}

#[test]
fn refusals_are_counted_by_their_reason() {
    let app = spawn_app(Options {
        config: json!({"admin": {"port": 0}, "server": {"max_body_bytes": 1024}}),
        ..Options::default()
    });
    let head = |head: &[u8]| status_of_head(&app, head);
    assert_eq!(head(b"GET /api/v1/flags/ HTTP/1.1\r\n\r\n"), 400);
    assert_eq!(head(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400);
    assert_eq!(
        head(format!("GET /{} HTTP/1.1\r\nHost: p\r\n\r\n", "x".repeat(70_000)).as_bytes()),
        414
    );
    let identities = |body: Vec<u8>| Request::post("/api/v1/identities/", body).key(CLIENT_KEY);
    assert_eq!(app.send(identities(vec![b' '; 2_000])).status, 413);
    let broken = identities(b"no gzip".to_vec()).header("Content-Encoding", "gzip");
    assert_eq!(app.send(broken).status, 400);
    assert_eq!(
        app.send(Request::get("/sse/environments/unknown/stream")).status,
        404
    );
    let scrape = scrape(&app);
    for (metric, reason, expected) in [
        ("refused_requests", "bad_head", 1.0),
        ("refused_requests", "tls_to_http", 1.0),
        ("refused_requests", "url_too_long", 1.0),
        ("refused_requests", "head_timeout", 0.0),
        ("refused_requests", "body_too_large", 1.0),
        ("refused_requests", "bad_body", 1.0),
        ("refused_requests", "body_timeout", 0.0),
        ("refused_streams", "unknown_environment", 1.0),
        ("shed_requests", "connections", 0.0),
    ] {
        let series = format!(r#"flagsmith_edge_proxy_{metric}_total{{reason="{reason}"}}"#);
        assert_eq!(scrape.0.get(&series), Some(&expected), "{series}");
    }
}

/// The status of what is answered to these bytes.
fn status_of_head(app: &App, head: &[u8]) -> u16 {
    let mut connection = app.connect();
    connection.write(head);
    connection.read(false).status
}

#[test]
fn heads_that_do_not_come_in_time_are_counted() {
    let app = spawn_app(Options {
        config: json!({"admin": {"port": 0}, "server": {"request_head_timeout_seconds": 1}}),
        ..Options::default()
    });
    assert_eq!(status_of_head(&app, b"GET / HTTP/1.1\r\nHo"), 408);
    let refused = |reason: &str| {
        let series = format!(r#"flagsmith_edge_proxy_refused_requests_total{{reason="{reason}"}}"#);
        scrape(&app).value(&series)
    };
    assert_eq!((refused("head_timeout"), refused("bad_head")), (1.0, 0.0));
}

#[test]
fn what_is_shed_is_told_by_what_there_is_too_much_of() {
    let app = spawn_app(Options {
        document: None,
        config: json!({"admin": {"port": 0}, "realtime": {"max_subscribers": 0}}),
        ..Options::default()
    });
    assert_eq!(app.get("/api/v1/flags/").status, 503);
    let stream = app.send(Request::get("/sse/environments/client-key/stream"));
    assert_eq!(stream.status, 503);
    let scrape = scrape(&app);
    for (series, expected) in [
        (r#"shed_requests_total{reason="no_document"}"#, 1.0),
        (r#"refused_streams_total{reason="too_many_subscribers"}"#, 1.0),
        (
            r#"environment_status{environment_id="1",environment="",status="not updated"}"#,
            1.0,
        ),
        (
            r#"environment_status{environment_id="1",environment="",status="ok"}"#,
            0.0,
        ),
    ] {
        assert_eq!(
            scrape.value(&format!("flagsmith_edge_proxy_{series}")),
            expected,
            "{series}"
        );
    }
    assert!(!scrape.0.keys().any(|series| series.contains("document_bytes")));
}

#[test]
fn a_document_its_fetches_and_its_streams_are_told_by_the_environment_s_name() {
    let app = app(json!({}));
    let mut stream = EventStream::settled(app.address);
    let mut document: Value = serde_json::from_str(FIXTURE).unwrap();
    document["updated_at"] = json!("2030-01-01T00:00:00Z");
    document["feature_states"][0]["enabled"] =
        json!(!document["feature_states"][0]["enabled"].as_bool().unwrap());
    app.publish(&document);
    assert_eq!(stream.event(), Some(event("1893456000.0")));
    let scrape = scrape(&app);
    assert_eq!(
        scrape.value(&of_environment("environment_status", r#",status="ok""#)),
        1.0
    );
    assert_eq!(
        scrape.value(&of_environment("document_updated_at_seconds", "")),
        1_893_456_000.0
    );
    assert!(scrape.value(&of_environment("document_bytes", "")) > 1_000.0);
    assert_eq!(
        scrape.value(&of_environment("document_fetches_total", r#",outcome="changed""#)),
        2.0
    );
    assert!(scrape.value(&of_environment("document_age_seconds", "")) < 60.0);
    assert_eq!(scrape.value(&of_environment("streams", "")), 1.0);
    for (name, expected) in [
        ("document_apply_seconds_count", 2.0),
        ("streams_opened_total", 1.0),
        ("stream_delivery_seconds_count", 1.0),
    ] {
        assert_eq!(
            scrape.value(&format!("flagsmith_edge_proxy_{name}")),
            expected,
            "{name}"
        );
    }
    assert!(scrape.value("flagsmith_edge_proxy_document_publish_seconds_count") >= 2.0);
    assert_eq!(
        scrape.value(r#"flagsmith_edge_proxy_connections{protocol="http/1"}"#),
        1.0
    );

    // Another name is another series, and the old one is gone.
    document["name"] = json!("a \"b\"\\\n");
    document["updated_at"] = json!("2031-01-01T00:00:00Z");
    app.publish(&document);
    let renamed = self::scrape(&app);
    assert_eq!(
        renamed.value(r#"flagsmith_edge_proxy_streams{environment_id="1",environment="a \"b\"\\\n"}"#),
        1.0
    );
    assert!(!renamed.0.contains_key(&of_environment("streams", "")));
}

#[test]
fn a_reload_switches_counting_on_and_off_and_no_sum_falls() {
    let mut proxy = Proxy::start(ProxyOptions::default());
    let ask = |proxy: &Proxy| {
        let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        assert_eq!(proxy.connect().send(&flags).status, 200);
    };
    let scrape = |proxy: &Proxy| Scrape::of(&proxy.ask_admin(Request::get("/metrics")));
    let count = |proxy: &Proxy| scrape(proxy).requests("GET", "/api/v1/flags/", 200);
    ask(&proxy);
    proxy.reload(&json!({"admin": {"port": 0}}));
    assert_eq!(count(&proxy), 0.0, "nobody could have asked before");
    ask(&proxy);
    ask(&proxy);
    assert_eq!(count(&proxy), 2.0);
    proxy.reload(&json!({"admin": {"port": null}}));
    ask(&proxy);
    proxy.reload(&json!({"admin": {"port": 0}}));
    ask(&proxy);
    assert_eq!(count(&proxy), 3.0);
    // The change of the file may be noticed before the signal, and counts as well.
    let reloads = scrape(&proxy).value(r#"flagsmith_edge_proxy_configuration_reloads_total{outcome="ok"}"#);
    assert!(reloads >= 3.0, "{reloads}");
}
