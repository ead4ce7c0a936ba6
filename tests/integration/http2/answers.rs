//! Every answer is that of HTTP/1: its status, its fields without those of the connection, and its body.
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join_all;
use serde_json::json;

use super::client::{Client, get, keyed};
use super::{spawn, with};
use crate::harness::{App, CLIENT_KEY, Request, Response, SERVER_KEY, spawn_app, with_many_features};

/// Fields that are of the connection, or of the moment.
const NOT_COMPARED: [&str; 4] = ["connection", "transfer-encoding", "date", "retry-after"];

const IDENTITY: &str = r#"{"identifier":"an identity","traits":[{"trait_key":"age","trait_value":20}]}"#;

/// A request over both.
struct Case {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Vec<u8>>,
}

impl Case {
    fn new(method: &'static str, path: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            headers: vec![("x-environment-key", CLIENT_KEY.to_owned())],
            body: None,
        }
    }

    fn key(mut self, key: &str) -> Self {
        self.headers[0].1 = key.to_owned();
        self
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    fn http_1(&self, app: &App) -> Response {
        let mut request = match &self.body {
            Some(body) if self.method == "POST" => Request::post(&self.path, body.clone()),
            _ => Request::new(self.method, &self.path),
        };
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        app.send(request)
    }

    fn http_2(&self) -> http::Request<()> {
        let mut request = http::Request::builder()
            .method(self.method)
            .uri(format!("http://proxy{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if let Some(body) = &self.body {
            request = request.header("content-length", body.len());
        }
        request.body(()).unwrap()
    }
}

fn compared(headers: &[(String, String)]) -> Vec<(String, String)> {
    let mut headers: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !NOT_COMPARED.contains(&name.as_str()))
        .cloned()
        .collect();
    headers.sort();
    headers
}

async fn compare(app: &App, cases: Vec<Case>) {
    let client = Client::open(app.address).await;
    for case in cases {
        let asked = format!("{} {} {:?}", case.method, case.path, case.headers);
        let expected = case.http_1(app);
        let answer = client.send(case.http_2(), case.body.as_deref()).await;
        assert_eq!(answer.status, expected.status, "{asked}");
        assert_eq!(compared(&answer.headers), compared(&expected.headers), "{asked}");
        assert_eq!(answer.body, expected.body, "{asked}");
        assert!(answer.header("date").is_some(), "{asked}");
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn each_resource_answers_as_over_http_1() {
    let app = spawn();
    let etag = app.get("/api/v1/flags/").header("etag").unwrap().to_owned();
    let paths = [
        "/",
        "/api/v1/flags/",
        "/api/v1/flags",
        "//api//v1//flags/",
        "/api/v1/flags/?feature=nothing",
        "/api/v1/identities/?identifier=an%20identity",
        "/api/v1/identities/?identifier=\u{e9}",
        "/api/v1/environment-document/",
        "/proxy/health/readiness",
        "/proxy/health/liveness",
        "/sse/health",
        "/flags/",
        "/nowhere",
    ];
    let mut cases: Vec<_> = ["GET", "HEAD", "OPTIONS", "DELETE"]
        .into_iter()
        .flat_map(|method| paths.map(|path| Case::new(method, path)))
        .collect();
    cases.extend([
        Case::new("GET", "/api/v1/environment-document/").key(SERVER_KEY),
        Case::new("HEAD", "/api/v1/environment-document/").key(SERVER_KEY),
        Case::new("GET", "/api/v1/flags/").key("unknown"),
        Case::new("GET", "/api/v1/flags/").key(""),
        Case::new("GET", "/api/v1/flags/").header("if-none-match", &etag),
        Case::new("HEAD", "/api/v1/flags/").header("if-none-match", &etag),
        Case::new("GET", "/api/v1/flags/").header("origin", "https://app.example"),
        Case::new("OPTIONS", "/api/v1/flags/")
            .header("origin", "https://app.example")
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "x-environment-key"),
        Case::new("HEAD", "/sse/environments/client-key/stream"),
    ]);
    compare(&app, cases).await;
}

#[tokio::test]
async fn bodies_are_read_and_refused_as_over_http_1() {
    let app = spawn();
    let identities = || Case::new("POST", "/api/v1/identities/").header("content-type", "application/json");
    let gzipped = || identities().header("content-encoding", "gzip");
    let large = format!(
        r#"{{"identifier":"x","traits":[],"more":"{}"}}"#,
        "x".repeat(500_000)
    );
    compare(
        &app,
        vec![
            identities().body(IDENTITY),
            identities().body("{"),
            identities().body(r#"{"traits":[{"trait_key":"age","trait_value":20}]}"#),
            identities().body(IDENTITY).key("unknown"),
            identities().body(large),
            gzipped().body(gzip(IDENTITY)),
            gzipped().body(IDENTITY),
            identities().header("content-encoding", "br").body(IDENTITY),
            Case::new("POST", "/api/v1/analytics/flags/").body(r#"{"feature":1}"#),
            Case::new("POST", "/api/v2/analytics/flags/").body(r#"{"evaluations":[]}"#),
            Case::new("POST", "/nowhere").body(IDENTITY),
            Case::new("PUT", "/api/v1/flags/"),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_and_the_connection_goes_on() {
    let app = spawn();
    let client = Client::open(app.address).await;
    for has_length in [true, false] {
        let mut request = keyed("POST", "/api/v1/identities/", CLIENT_KEY);
        let body = vec![b'x'; 2 * 1024 * 1024];
        if has_length {
            request.headers_mut().insert("content-length", body.len().into());
        }
        // Its answer may come before all of it is sent, and then its rest is not.
        let (response, mut sending) = client.begin(request, true).await.unwrap();
        let sent = async {
            let _ = sending.send_data(body.into(), true);
        };
        let (answer, ()) = tokio::join!(super::client::read(response), sent);
        assert_eq!(answer.unwrap().status, 413);
    }
    assert_eq!(client.send(get("/api/v1/flags/"), None).await.status, 200);
}

#[tokio::test]
async fn large_answers_come_whole_in_each_encoding() {
    let app = spawn_app(crate::harness::Options {
        document: Some(with_many_features(2_000).to_string()),
        ..with(json!({}))
    });
    let encoded = |encoding| Case::new("GET", "/api/v1/flags/").header("accept-encoding", encoding);
    let document = Case::new("GET", "/api/v1/environment-document/").key(SERVER_KEY);
    let cases = vec![
        encoded("gzip"),
        encoded("br"),
        encoded("zstd"),
        encoded("identity"),
        Case::new("HEAD", "/api/v1/flags/"),
        document,
        Case::new("POST", "/api/v1/identities/").body(IDENTITY),
    ];
    compare(&app, cases).await;
}

#[tokio::test]
async fn a_hundred_requests_at_a_time_are_answered_each_with_its_own() {
    let app = spawn();
    let client = Client::open(app.address).await;
    for _ in 0..5 {
        let asked = (0..100).map(|number| {
            let client = &client;
            async move {
                let path = format!("/api/v1/identities/?identifier=identity-{number}");
                let answer = client.send(get(&path), None).await;
                assert_eq!(answer.status, 200);
                let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                assert_eq!(body["identifier"], format!("identity-{number}"));
            }
        });
        join_all(asked).await;
    }
}

#[tokio::test]
async fn more_requests_than_that_wait_for_each_other_and_none_is_lost() {
    let app = spawn();
    let client = Client::open(app.address).await;
    // The client knows the limit once it has the server's settings.
    assert_eq!(client.send(get("/"), None).await.status, 200);
    let asked = (0..500).map(|_| client.send(get("/api/v1/flags/"), None));
    let answers = join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
}
