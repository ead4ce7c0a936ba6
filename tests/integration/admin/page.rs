//! The status as a page for people.
use serde_json::{Value, json};
use test_support::upstream::{Answer, ScriptedUpstream};

use super::app;
use super::status::{environment, page, status};
use crate::harness::{Options, Request, fixture, spawn_app};

#[test]
fn a_page_shows_the_beginning_of_a_long_name_and_the_json_all_of_it() {
    let mut named = fixture();
    named["name"] = json!("ö".repeat(10_000));
    let app = spawn_app(Options {
        document: Some(named.to_string()),
        config: json!({"admin": {"port": 0}}),
        ..Options::default()
    });
    let page = page(&app);
    assert!(page.contains(&format!("{}…", "ö".repeat(200))), "{page}");
    assert!(!page.contains(&"ö".repeat(201)));
    assert_eq!(status(&app)["environments"][0]["name"], named["name"]);
}

#[test]
fn programs_that_accept_json_alone_get_it_and_people_a_page() {
    let app = app(json!({}));
    for (accept, is_json) in [
        (Some("application/json"), true),
        (Some("application/json, */*;q=0.1"), true),
        (
            Some("text/html,application/xhtml+xml,application/json;q=0.9"),
            false,
        ),
        (Some("*/*"), false),
        (None, false),
    ] {
        let request = Request::get("/status");
        let request = accept
            .iter()
            .fold(request, |request, accept| request.header("Accept", accept));
        let answer = app.ask_admin(request);
        let expected = if is_json {
            "application/json"
        } else {
            "text/html; charset=utf-8"
        };
        assert_eq!(answer.header("content-type"), Some(expected), "{accept:?}");
        assert_eq!(answer.header("vary"), Some("Accept"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
    }
}

#[test]
fn the_page_says_all_without_scripts_and_loads_nothing_of_others() {
    let mut named = fixture();
    let name = "<script>alert('x')</script> & \"production\" <img src=x onerror=alert(1)>";
    named["name"] = json!(name);
    let app = spawn_app(Options {
        document: Some(named.to_string()),
        config: json!({"admin": {"port": 0}}),
        ..Options::default()
    });
    let answer = app.ask_admin(Request::get("/status"));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for weak in ["unsafe", "*", "http:", "https:", "data:"] {
        assert!(!policy.contains(weak), "{policy}");
    }
    let page = page(&app);
    assert_eq!(page.matches("<script").count(), 1, "its own file alone: {page}");
    for inline in [
        "<style",
        " style=",
        "onerror=alert(1)>",
        "<img",
        "javascript:",
        "//",
    ] {
        assert!(!page.contains(inline), "{inline}: {page}");
    }
    for said in ["production", ">ok<", "2 workers", "Memory"].map(|said| said.replace("2 workers", "Workers"))
    {
        assert!(page.contains(&said), "{said}: {page}");
    }
    for (path, kind) in [
        ("/status/page.css", "text/css; charset=utf-8"),
        ("/status/page.js", "text/javascript; charset=utf-8"),
        ("/status/icon.svg", "image/svg+xml"),
    ] {
        assert!(page.contains(path), "{path}");
        let file = app.ask_admin(Request::get(path));
        assert_eq!(
            (file.status, file.header("content-type")),
            (200, Some(kind)),
            "{path}"
        );
        assert!(!file.text().contains("https://"), "{path}");
    }
    assert_eq!(status(&app)["environments"][0]["name"], name);
}

/// A proxy in front may have the port below a path of its own, which it takes off.
#[test]
fn the_page_finds_its_files_below_any_path() {
    let app = app(json!({}));
    for (path, root) in [("/status", "./"), ("/status/", "../")] {
        let answer = app.ask_admin(Request::get(path));
        let page = answer.text();
        assert!(!page.contains("=\"/"), "{page}");
        for file in [
            "status/page.css",
            "status/page.js",
            "status/icon.svg",
            "status.json",
            "",
        ] {
            assert!(page.contains(&format!("=\"{root}{file}\"")), "{path}: {file}");
        }
    }
    let script = app.ask_admin(Request::get("/status/page.js"));
    assert!(!script.text().contains("\"/"), "{}", script.text());
}

#[test]
fn an_environment_without_a_document_has_a_name_for_people_too() {
    let app = spawn_app(Options {
        document: None,
        config: json!({"admin": {"port": 0}}),
        ..Options::default()
    });
    let environment = environment(&app, |environment| !environment["last_failure"].is_null());
    assert_eq!(
        (&environment["name"], &environment["status"]),
        (&Value::Null, &json!("not updated"))
    );
    let page = page(&app);
    assert!(page.contains("environment 1"), "{page}");
    assert!(page.contains("The environment needs attention."), "{page}");
}

#[test]
fn a_summary_names_a_dozen_and_the_table_has_all_of_them() {
    let pairs: Vec<_> = (1..=14)
        .map(|number| {
            json!({"client_side_key": format!("client-{number}"), "server_side_key": format!("ser.{number}")})
        })
        .collect();
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let app = spawn_app(Options {
        document: None,
        config: json!({"environment_key_pairs": pairs, "api_url": upstream.api_url(), "admin": {"port": 0}}),
        ..Options::default()
    });
    let page = page(&app);
    assert!(page.contains("14 of 14 environments need attention."), "{page}");
    assert_eq!(page.matches("<li><a href=\"#environment-").count(), 12);
    assert!(page.contains("and 2 more"), "{page}");
    assert_eq!(page.matches("<tbody").count(), 14);
}
