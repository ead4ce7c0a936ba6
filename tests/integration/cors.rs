//! Browsers may read every answer, errors included.
use serde_json::json;

use crate::harness::{App, CLIENT_KEY, Options, Request, Response, spawn_app};

const EXPOSED: &str = "X-Flagsmith-Document-Updated-At, ETag, Retry-After, Link";
const SITE: &str = "https://www.example.com";

fn answers(app: &App, origin: &str) -> Vec<(&'static str, Response)> {
    let get = |path: &str| Request::get(path).key(CLIENT_KEY).header("Origin", origin);
    vec![
        ("flags", app.send(get("/api/v1/flags/"))),
        (
            "304",
            app.send(get("/api/v1/flags/").header("If-None-Match", "*")),
        ),
        (
            "401",
            app.send(Request::get("/api/v1/flags/").header("Origin", origin)),
        ),
        ("404", app.send(get("/nowhere"))),
        (
            "405",
            app.send(Request::new("DELETE", "/api/v1/flags/").header("Origin", origin)),
        ),
        (
            "400",
            app.send(
                Request::post("/api/v1/identities/", "[")
                    .key(CLIENT_KEY)
                    .header("Origin", origin),
            ),
        ),
        ("health", app.send(get("/health"))),
    ]
}

fn preflight(app: &App, origin: &str) -> Response {
    app.send(
        Request::new("OPTIONS", "/api/v1/identities/")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header(
                "Access-Control-Request-Headers",
                "content-type,x-environment-key,x-unheard-of",
            ),
    )
}

#[test]
fn any_origin_may_read_every_answer() {
    let app = spawn_app(Options::default());
    for (name, response) in answers(&app, SITE) {
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some("*"),
            "{name}"
        );
        assert_eq!(
            response.header("access-control-expose-headers"),
            Some(EXPOSED),
            "{name}"
        );
        assert!(
            !response.header("vary").unwrap_or_default().contains("Origin"),
            "{name}"
        );
    }
}

#[test]
fn a_preflight_needs_no_key_and_mirrors_the_headers() {
    let app = spawn_app(Options::default());
    let response = preflight(&app, SITE);
    assert_eq!(response.status, 200);
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    assert_eq!(
        response.header("access-control-allow-headers"),
        Some("content-type,x-environment-key,x-unheard-of")
    );
    let methods: Vec<_> = response
        .header("access-control-allow-methods")
        .unwrap()
        .split(", ")
        .collect();
    for method in ["GET", "HEAD", "POST", "PUT"] {
        assert!(methods.contains(&method), "{method}");
    }
    assert!(
        response
            .header("access-control-max-age")
            .unwrap()
            .parse::<u32>()
            .unwrap()
            >= 600
    );
}

#[test]
fn listed_origins_alone_where_they_are_listed() {
    let app = spawn_app(Options {
        config: json!({"allow_origins": [SITE, "https://app.example.com"]}),
        ..Options::default()
    });
    for (name, response) in answers(&app, SITE) {
        assert_eq!(
            response.header("access-control-allow-origin"),
            Some(SITE),
            "{name}"
        );
        assert!(
            response
                .header("vary")
                .unwrap()
                .split(", ")
                .any(|by| by == "Origin"),
            "{name}"
        );
    }
    for (name, response) in answers(&app, "https://evil.example.com") {
        assert_eq!(response.header("access-control-allow-origin"), None, "{name}");
        assert!(
            response
                .header("vary")
                .unwrap()
                .split(", ")
                .any(|by| by == "Origin"),
            "{name}"
        );
    }
    let flags = app.send(
        Request::get("/api/v1/flags/")
            .key(CLIENT_KEY)
            .header("Origin", SITE),
    );
    assert_eq!(
        flags.header("vary"),
        Some("X-Environment-Key, Accept-Encoding, Origin")
    );
    assert_eq!(
        preflight(&app, SITE).header("access-control-allow-origin"),
        Some(SITE)
    );
    assert_eq!(
        preflight(&app, "https://evil.example.com").header("access-control-allow-origin"),
        None
    );
}
