//! What clients send: every route, with good and bad input, and what is no request.
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::http::ask;
use test_support::upstream::ReceivedRequest;
use test_support::wait::PATIENCE;

use super::marks::{self, IDENTIFIER, JUNK, TRAIT_VALUE, shown};
use super::upstream::{AWAY, Echo, SERVED, SERVING, client_key, server_key};
use crate::encoded_bodies::gzip;
use crate::harness::{Connection, Request, Response};

/// Between two looks: the lives of all levels share the processors, and each look costs what the processes need.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// Asserts that an answer shows no secret, save those that its own client has sent or may read.
pub(super) fn check(what: &str, answer: &Response, except: &[&str]) {
    let text = String::from_utf8_lossy(&answer.bytes()).into_owned();
    let shown = shown(&text, except);
    assert!(shown.is_empty(), "the answer to {what} shows {shown:?}: {text}");
}

/// Asks on a connection of its own; the answer may show what an answer to that may show.
fn talk_once(address: SocketAddr, request: &Request) -> Response {
    let what = String::from_utf8_lossy(&request.bytes()).into_owned();
    let answer = ask(address, request).unwrap_or_else(|error| panic!("{what}: {error}"));
    let is_ok = answer.status == 200;
    let except: &[&str] = if is_ok && what.contains("/identities/") {
        marks::OF_IDENTITIES
    } else if is_ok && what.contains("/environment-document/") {
        marks::OF_DOCUMENTS
    } else {
        &[]
    };
    check(&what, &answer, except);
    answer
}

/// Waits until each environment that has no document has the reason of a failed fetch beside it.
pub(super) fn wait_until_all_has_failed(address: SocketAddr) {
    let begun = Instant::now();
    loop {
        let health = talk_once(address, &Request::get("/proxy/health")).json();
        let environments = health["environments"].as_array().unwrap();
        let is_ok = |environment: &&Value| environment["status"] == "ok";
        let failed = environments
            .iter()
            .filter(|environment| environment.get("detail").is_some());
        let (serving, failed) = (environments.iter().filter(is_ok).count(), failed.count());
        // Both that serve are another environment's than their pairs say, which is a detail too.
        if serving >= SERVING && failed == environments.len() {
            return;
        }
        // One whose fetch came too late on a busy machine has another a period later.
        assert!(begun.elapsed() < 4 * PATIENCE, "all fail: {health:#}");
        thread::sleep(PAUSE);
    }
}

/// Waits until health says that the new configuration is refused, or says nothing of it.
pub(super) fn wait_until_configuration_is(address: SocketAddr, is_refused: bool) {
    let begun = Instant::now();
    while talk_once(address, &Request::get("/proxy/health"))
        .json()
        .get("configuration")
        .is_some()
        != is_refused
    {
        assert!(begun.elapsed() < PATIENCE, "the configuration is read");
        thread::sleep(PAUSE);
    }
}

/// All of it.
pub(super) fn talk(address: SocketAddr, upstream: &Echo) {
    let mut opened = Vec::new();
    for key in [
        client_key(SERVED),
        server_key(SERVED),
        client_key("served"),
        client_key(AWAY),
        server_key(AWAY),
        client_key("no-json"),
        marks::UNKNOWN_KEY.to_owned(),
        format!(" {} ", client_key(SERVED).to_uppercase()),
    ] {
        for request in requests_with(&key) {
            talk_once(address, &request);
        }
        forwarded(address, &key);
        opened.extend(streams(address, key.trim()));
    }
    without_a_key(address);
    pushes(address);
    what_is_no_request(address);
    what_does_not_come(address);
    // Those that are refused wait for it.
    for stream in &mut opened {
        check("a stream", &stream.read_head(), &[]);
    }
    let begun = Instant::now();
    let is_write = |request: &ReceivedRequest| request.target.contains("identities");
    while !upstream.requests().iter().any(is_write) {
        assert!(
            begun.elapsed() < 4 * PATIENCE,
            "identities are written to upstream"
        );
        // What keeps being asked shows nothing either.
        talk_once(address, &Request::get("/proxy/health"));
        thread::sleep(PAUSE);
    }
}

fn identity() -> Value {
    json!({"identifier": IDENTIFIER, "traits": [
        {"trait_key": "plan", "trait_value": TRAIT_VALUE},
        {"trait_key": "é\"\n", "trait_value": format!("{TRAIT_VALUE} \"/é\u{7}")},
    ]})
}

/// Bodies that cannot be read, and one that can.
fn bodies() -> Vec<Vec<u8>> {
    let deep = format!("{}{JUNK}", "[".repeat(10_000));
    let whole = identity().to_string();
    let (begin, _) = whole.split_at(whole.len() - 2);
    let mut invalid = whole.clone().into_bytes();
    let middle = invalid.len() / 2;
    invalid.insert(middle, 0xff);
    let of = |traits: Value| {
        json!({"identifier": IDENTIFIER, "traits": traits})
            .to_string()
            .into_bytes()
    };
    let many: Vec<Value> = (0..1_001)
        .map(|number| json!({"trait_key": format!("{JUNK}{number}"), "trait_value": TRAIT_VALUE}))
        .collect();
    vec![
        whole.clone().into_bytes(),
        Vec::new(),
        JUNK.into(),
        deep.into_bytes(),
        begin.as_bytes().to_vec(),
        invalid,
        json!(JUNK).to_string().into_bytes(),
        json!({JUNK: JUNK}).to_string().into_bytes(),
        json!({"identifier": {"of": IDENTIFIER}}).to_string().into_bytes(),
        json!({"identifier": IDENTIFIER.repeat(200)})
            .to_string()
            .into_bytes(),
        of(json!(TRAIT_VALUE)),
        of(json!([TRAIT_VALUE])),
        of(json!([{"trait_value": TRAIT_VALUE}])),
        of(json!([{"trait_key": [JUNK], "trait_value": TRAIT_VALUE}])),
        of(json!([{"trait_key": "k", "trait_value": TRAIT_VALUE.repeat(200)}])),
        of(json!([{"trait_key": "k", "trait_value": TRAIT_VALUE, "transient": JUNK}])),
        of(json!(many)),
        format!(r#"{{"identifier":"{IDENTIFIER}\ud800"}}"#).into_bytes(),
        format!(
            r#"{{"identifier":"{IDENTIFIER}","traits":[{{"trait_key":"k","trait_value":1e999{JUNK}}}]}}"#
        )
        .into_bytes(),
    ]
}

/// Requests with this key to everything that is not sent on.
fn requests_with(key: &str) -> Vec<Request> {
    let paths = [
        "/api/v1/flags/".to_owned(),
        format!("/api/v1/flags/?feature={JUNK}&{JUNK}=%{JUNK}"),
        "/api/v1/environment-document/".to_owned(),
        format!("/api/v1/identities/?identifier={IDENTIFIER}"),
        format!("/api/v1/identities/?identifier={IDENTIFIER}&feature={JUNK}"),
        format!(
            "/api/v1/identities/?identifier={}&transient={JUNK}",
            IDENTIFIER.repeat(200)
        ),
        format!("/api/v1/{JUNK}/{key}/?key={key}"),
        format!("/{key}/flags/?{key}"),
        format!("/api/v1flags/?identifier={IDENTIFIER}"),
        format!("//sse//environments/{key}/{JUNK}"),
    ];
    let get = |path: &String| Request::get(path).key(key);
    let mut requests: Vec<Request> = paths.iter().map(get).collect();
    for path in [
        "/api/v1/identities/",
        "/api/v1/analytics/flags/",
        "/api/v2/analytics/flags/",
    ] {
        requests.extend(
            bodies()
                .into_iter()
                .map(|body| Request::post(path, body).key(key)),
        );
        requests.push(
            Request::post(path, gzip(identity().to_string().as_bytes()))
                .key(key)
                .header("Content-Encoding", "gzip"),
        );
        requests.push(
            Request::post(path, JUNK)
                .key(key)
                .header("Content-Encoding", "gzip"),
        );
        requests.push(
            Request::post(path, JUNK)
                .key(key)
                .header("Content-Encoding", JUNK),
        );
    }
    let counted = json!({"evaluations": [
        {"feature_name": "banner", "identity_identifier": IDENTIFIER, "enabled_when_evaluated": true, "count": 1},
        {"feature_name": JUNK, "identity_identifier": IDENTIFIER, "enabled_when_evaluated": JUNK, "count": IDENTIFIER},
    ]});
    requests.push(Request::post("/api/v2/analytics/flags/", counted.to_string()).key(key));
    requests.push(
        Request::post(
            "/api/v1/analytics/flags/",
            json!({"banner": 1, JUNK: JUNK}).to_string(),
        )
        .key(key)
        .header("User-Agent", JUNK)
        .header("Flagsmith-Application-Name", JUNK),
    );
    for method in ["DELETE", JUNK, "HEAD", "OPTIONS"] {
        for path in &paths {
            requests.push(Request::new(method, path).key(key));
        }
    }
    requests.push(
        Request::get("/api/v1/flags/")
            .key(key)
            .header("If-None-Match", JUNK)
            .header("If-Modified-Since", JUNK)
            .header("Accept-Encoding", JUNK)
            .header("X-Forwarded-For", JUNK)
            .header("Cookie", JUNK),
    );
    requests
}

/// What is sent on to upstream, which may answer its caller whatever it likes; what is ours of it shows nothing.
fn forwarded(address: SocketAddr, key: &str) {
    let set =
        json!({"identity": {"identifier": IDENTIFIER}, "trait_key": "plan", "trait_value": TRAIT_VALUE});
    let requests = [
        Request::post("/api/v1/traits/", set.to_string()),
        Request::put("/api/v1/traits/bulk/", json!([set]).to_string()),
        Request::post("/api/v1/traits/increment-value/", set.to_string()),
        Request::post(
            "/api/v1/bulk-identities/",
            json!({"data": [identity()]}).to_string(),
        ),
        Request::post("/api/v1/traits/", JUNK),
    ];
    for request in requests.map(|request| request.key(key)) {
        let answer = ask(address, &request).unwrap();
        let is_upstreams = answer.body.starts_with(b"no /api/");
        if !is_upstreams {
            check("a write", &answer, &[]);
        }
    }
}

/// Streams with this key, whose answers are still to come.
fn streams(address: SocketAddr, key: &str) -> Vec<Connection> {
    let mut opened = Vec::new();
    for path in ["/sse/environments", "/api/v1/sse/environments"] {
        let mut stream = Connection::open(address);
        stream.write_request(&Request::get(&format!("{path}/{key}/stream?{JUNK}")));
        opened.push(stream);
        talk_once(address, &Request::new("DELETE", &format!("{path}/{key}/stream")));
        let change = Request::post(&format!("{path}/{key}/queue-change"), JUNK);
        talk_once(
            address,
            &change.header("Authorization", &format!("Token {}", marks::WRONG_TOKEN)),
        );
    }
    opened
}

/// Pushes with the right token, and with others that look like it.
fn pushes(address: SocketAddr) {
    for name in [SERVED, AWAY, "Silent", "served", "nobody"] {
        for body in [r#"{"updated_at": "2030-01-01T00:00:00+00:00"}"#, JUNK, ""] {
            let path = format!("/sse/environments/{}/queue-change", client_key(name));
            for scheme in ["Token", "Bearer", "Basic"] {
                let authorization = format!("{scheme} {}", marks::REALTIME_TOKEN);
                talk_once(
                    address,
                    &Request::post(&path, body).header("Authorization", &authorization),
                );
            }
        }
    }
}

fn without_a_key(address: SocketAddr) {
    for path in [
        "/",
        "/health",
        "/proxy/health",
        "/proxy/health/readiness",
        "/proxy/health/liveness",
        "/sse/health",
        "/api/v1/flags/",
        "/metrics",
        "/api/v1/",
    ] {
        for method in ["GET", "HEAD", "OPTIONS", "POST"] {
            talk_once(
                address,
                &Request::new(method, &format!("{path}?{JUNK}={IDENTIFIER}")),
            );
        }
    }
    let preflight = Request::new("OPTIONS", "/api/v1/flags/")
        .header("Origin", "https://www.example.com")
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "x-environment-key");
    talk_once(address, &preflight);
}

/// Whatever comes back to bytes until the connection ends.
fn raw(address: SocketAddr, bytes: &[u8]) {
    let mut connection = Connection::open(address);
    connection.try_write(bytes);
    connection.try_finish();
    let answer = connection.rest();
    let text = String::from_utf8_lossy(&answer);
    let shown = shown(&text, &[]);
    assert!(shown.is_empty(), "an answer shows {shown:?}: {text}");
}

fn what_is_no_request(address: SocketAddr) {
    let head = format!("Host: p\r\nX-Environment-Key: {}\r\n", client_key(SERVED));
    let long = JUNK.repeat(10_000);
    for request in [
        format!("{JUNK}\r\n\r\n"),
        format!("GET /{JUNK}?{} HTTP/1.1\r\n\r\n", client_key(SERVED)),
        format!("GET /{JUNK} HTTP/1.1\r\n{head}no field {JUNK}\r\n\r\n"),
        format!("GET /{JUNK}\u{7f} HTTP/1.1\r\n{head}\r\n"),
        format!("GET /{long} HTTP/1.1\r\n{head}\r\n"),
        format!("GET / HTTP/1.1\r\n{head}X: {long}\r\n\r\n"),
        format!("GET /{JUNK} HTTP/{JUNK}\r\n{head}\r\n"),
        format!("POST /api/v1/identities/ HTTP/1.1\r\n{head}Content-Length: {JUNK}\r\n\r\n{JUNK}"),
        format!("POST /api/v1/identities/ HTTP/1.1\r\n{head}Transfer-Encoding: {JUNK}\r\n\r\n{JUNK}"),
        format!("POST /api/v1/identities/ HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n{JUNK}\r\n"),
        format!(
            "POST /api/v1/identities/ HTTP/1.1\r\n{head}Content-Length: 1000\r\n\r\n{{\"identifier\":\"{IDENTIFIER}"
        ),
        format!("GET /api/v1/flags/ HTTP/1.1\r\n{head}Upgrade: {JUNK}\r\nConnection: upgrade\r\n\r\n"),
        format!("PROXY TCP4 {JUNK}\r\nGET / HTTP/1.1\r\nHost: p\r\n\r\n"),
        format!("PROXY {JUNK}"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{JUNK}"),
        format!("\u{16}\u{3}\u{1}{JUNK}"),
    ] {
        raw(address, request.as_bytes());
    }
    // What is refused before it has come need not be read to its end.
    for path in ["identities/", "analytics/flags/", "traits/", "nowhere/"] {
        let body = JUNK.repeat(70_000);
        let length = body.len();
        raw(
            address,
            format!("POST /api/v1/{path} HTTP/1.1\r\n{head}Content-Length: {length}\r\n\r\n{body}")
                .as_bytes(),
        );
    }
}

/// Heads and bodies that do not come in time, on new and on kept connections.
fn what_does_not_come(address: SocketAddr) {
    let key = client_key(SERVED);
    let begin = format!("GET /{JUNK}?identifier={IDENTIFIER} HTTP/1.1\r\nX-Environment-Key: {key}\r\n");
    let body = format!(
        "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: {key}\r\nContent-Length: 1000\r\n\r\n\
         {{\"identifier\":\"{IDENTIFIER}"
    );
    let mut late: Vec<Connection> = Vec::new();
    for bytes in [begin, body, format!("PROXY TCP4 {JUNK}")] {
        let mut connection = Connection::open(address);
        connection.write(bytes.as_bytes());
        late.push(connection);
        let mut kept = Connection::open(address);
        assert_eq!(kept.send(&Request::get("/proxy/health/liveness")).status, 200);
        kept.write(bytes.as_bytes());
        late.push(kept);
    }
    for mut connection in late {
        let answer = connection.rest();
        let text = String::from_utf8_lossy(&answer);
        let shown = shown(&text, &[]);
        assert!(shown.is_empty(), "an answer shows {shown:?}: {text}");
    }
}
