//! HEAD, OPTIONS, and methods that a resource does not know.
use crate::harness::{CLIENT_KEY, Options, Request, SERVER_KEY, spawn_app};

const READABLE: [&str; 7] = [
    "/api/v1/flags/",
    "/api/v1/identities/?identifier=bob",
    "/api/v1/environment-document/",
    "/proxy/health/",
    "/health",
    "/proxy/health/readiness",
    "/proxy/health/liveness",
];

#[test]
fn head_answers_what_get_does_without_the_body() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for path in READABLE {
        let get = connection.send(&Request::get(path).key(SERVER_KEY));
        let head = connection.send(&Request::new("HEAD", path).key(SERVER_KEY));
        assert_eq!(head.status, get.status, "{path}");
        let but_date = |headers: &[(String, String)]| {
            let mut headers: Vec<_> = headers
                .iter()
                .filter(|(name, _)| name != "date")
                .cloned()
                .collect();
            headers.sort();
            headers
        };
        assert_eq!(but_date(&head.headers), but_date(&get.headers), "{path}");
        assert_eq!(
            head.header("content-length"),
            Some(get.body.len().to_string().as_str()),
            "{path}"
        );
    }
}

#[test]
fn another_method_is_405_with_every_method_there_is() {
    let app = spawn_app(Options::default());
    let mut connection = app.connect();
    for path in READABLE {
        let expected = match path.contains("identities") {
            true => "GET, HEAD, POST, OPTIONS",
            false => "GET, HEAD, OPTIONS",
        };
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "BREW"] {
            let response = connection.send(&Request::new(method, path).key(CLIENT_KEY));
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(response.header("allow"), Some(expected), "{method} {path}");
            assert_eq!(response.json()["status"], "method_not_allowed", "{method} {path}");
        }
        let options = connection.send(&Request::new("OPTIONS", path));
        assert_eq!(
            (options.status, options.header("allow")),
            (200, Some(expected)),
            "{path}"
        );
    }
    let post = connection.send(&Request::post("/api/v1/flags/", "{}").key(CLIENT_KEY));
    assert_eq!(post.status, 405);
}
