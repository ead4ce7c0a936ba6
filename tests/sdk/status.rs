//! The status page of the admin port in Chromium, with scripts and without.
//!
//! Screenshots go to `target/sdk/screenshots`, for people to look at.
use serde_json::{Value, json};
use test_support::documents::fixture;
use test_support::http::{Request, ask};
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Browser, Edge, Flagsmith};

/// A name that would run a script, or break a table, where it was taken for more than text.
const HOSTILE: &str = "<img src=x onerror=\"window.isBroken = true\"> & <b>Production</b>";

/// One name without a place to break it.
const LONG: &str =
    "Flagsmith-environment-with-a-name-that-nobody-would-think-of-and-without-a-single-blank-in-it-at-all";

/// Whether nothing is cut off at the side.
const FITS: &str = "document.documentElement.scrollWidth <= innerWidth";

fn text_of(number: usize) -> String {
    format!("document.querySelector('#environment-{number}')?.innerText")
}

fn says(number: usize, text: &str) -> String {
    format!("{}?.includes({})", text_of(number), json!(text))
}

/// The document of an environment: each asks with the key of its number.
fn document(number: usize, updated_at: &str) -> Value {
    let mut document = fixture();
    document["id"] = json!(number);
    document["api_key"] = json!(format!("client-{number}"));
    document["updated_at"] = json!(updated_at);
    // Content that changes with its number.
    document["feature_states"][0]["feature_state_value"] = json!(updated_at);
    document["name"] = match number {
        1 => json!(HOSTILE),
        2 => json!(LONG),
        _ => json!(format!("Environment {number}")),
    };
    document
}

/// An upstream of many environments, of which some fail.
fn flagsmith(updated_at: &'static str) -> Flagsmith {
    let flagsmith = Flagsmith::answering(|_| Answer::ok("{}"));
    script(&flagsmith.upstream, updated_at);
    flagsmith
}

fn script(upstream: &ScriptedUpstream, updated_at: &'static str) {
    upstream.script(move |request| {
        let key = request.header("X-Environment-Key").unwrap_or_default();
        let number = key.trim_start_matches("ser.server-").parse().unwrap_or(0);
        match number {
            3 => Answer::refusal(403, r#"{"detail": "Invalid or missing Environment key"}"#),
            4 => Answer::refusal(502, "no"),
            _ => Answer::ok(document(number, updated_at).to_string()),
        }
    });
}

fn edge(flagsmith: &Flagsmith, environments: usize, more: Value) -> Edge {
    let pairs: Vec<_> = (1..=environments)
        .map(|number| {
            json!({"client_side_key": format!("client-{number}"), "server_side_key": format!("ser.server-{number}")})
        })
        .collect();
    let mut options = json!({
        "environment_key_pairs": pairs,
        "api_poll_frequency_seconds": 1,
        "admin": {"port": 0},
    });
    options
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    Edge::start_unserved(flagsmith, options)
}

#[test]
fn a_row_changes_while_the_page_is_open() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = flagsmith("2026-11-21T19:00:00+00:00");
    let edge = edge(&flagsmith, 6, json!({}));
    let page = edge.admin_url("status");
    browser.open("one", &page);
    browser.until("one", &says(1, "<b>Production</b>"));
    browser.until("one", &says(3, "key rejected"));
    browser.until("one", &says(4, "502"));
    browser.until(
        "one",
        "document.querySelector('#standing').textContent === 'live'",
    );
    assert_eq!(browser.evaluate("one", "window.isBroken ?? false"), false);
    browser.evaluate("one", "window.isTheSamePage = true");
    let stamp = "document.querySelector('#environment-5 time')?.dateTime";
    browser.until("one", &format!("{stamp} === '2026-11-21T19:00:00Z'"));

    script(&flagsmith.upstream, "2026-11-21T20:30:00+00:00");
    browser.until("one", &format!("{stamp} === '2026-11-21T20:30:00Z'"));
    assert_eq!(browser.evaluate("one", "window.isTheSamePage"), true);

    // What is asked is counted beside the rows.
    let rate = "document.querySelector('#environment-5 .rate').textContent";
    browser.until("one", &format!("{rate} === '0'"));
    let flags = Request::get("/api/v1/flags/").key("client-5");
    for _ in 0..100 {
        assert_eq!(ask(edge.address, &flags).unwrap().status, 200);
    }
    browser.until("one", &format!("Number({rate}) > 1"));
    assert_eq!(browser.problems("one"), json!([]), "and nothing broke the policy");
    browser.screenshot("one", "status");
}

/// When the document of an environment changed, as the page has it.
fn stamp(number: usize) -> String {
    format!("document.querySelector('#environment-{number} time')?.dateTime")
}

#[test]
fn what_a_reader_has_selected_or_has_the_focus_stays() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = flagsmith("2026-11-21T19:00:00+00:00");
    let edge = edge(&flagsmith, 6, json!({}));
    browser.open("one", &edge.admin_url("status"));
    browser.until("one", &format!("{} === '2026-11-21T19:00:00Z'", stamp(5)));
    // A failure that is over can be opened.
    flagsmith.upstream.script(|_| Answer::refusal(502, "no"));
    browser.until("one", &says(5, "502"));
    script(&flagsmith.upstream, "2026-11-21T19:00:00+00:00");
    let summary = "document.querySelector('#environment-5 summary')";
    browser.until("one", &format!("{summary} !== null"));
    browser.evaluate(
        "one",
        &format!(
            "{summary}.click(); {summary}.focus();
             getSelection().selectAllChildren(document.querySelector('#environment-6 .name'))"
        ),
    );
    script(&flagsmith.upstream, "2026-11-21T20:30:00+00:00");
    browser.until("one", &format!("{} === '2026-11-21T20:30:00Z'", stamp(5)));
    let stays = format!("document.activeElement === {summary} && {summary}.parentElement.open");
    assert_eq!(browser.evaluate("one", &stays), true);
    browser.until("one", "held.has(document.querySelector('#environment-6'))");
    assert_eq!(browser.evaluate("one", &stamp(6)), "2026-11-21T19:00:00Z");
    assert_eq!(
        browser.evaluate("one", "getSelection().toString()"),
        "Environment 6"
    );
    browser.evaluate("one", "getSelection().removeAllRanges()");
    browser.until("one", &format!("{} === '2026-11-21T20:30:00Z'", stamp(6)));
    let rate = browser.evaluate(
        "one",
        "document.querySelector('#environment-6 .rate').textContent",
    );
    assert_ne!(rate, "", "it comes beside the row");
    assert_eq!(browser.problems("one"), json!([]));
}

#[test]
fn it_is_readable_without_scripts_in_both_schemes_and_on_a_phone() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = flagsmith("2026-11-21T19:00:00+00:00");
    let edge = edge(&flagsmith, 8, json!({}));
    let page = edge.admin_url("status");
    // The script waits for what a page without one finds at once.
    browser.open("first", &page);
    browser.until("first", &says(4, "502"));
    browser.until("first", &says(8, "Environment 8"));
    for (name, width, dark) in [
        ("light", 1200, false),
        ("dark", 1200, true),
        ("light-tablet", 760, false),
        ("light-narrow", 390, false),
        ("dark-narrow", 390, true),
    ] {
        let options = json!({"url": page, "width": width, "dark": dark, "scripts": false});
        browser.ask(name, "open_tab", options);
        for (number, said) in [
            (1, "<b>Production</b>"),
            (2, LONG),
            (4, "502"),
            (8, "Environment 8"),
        ] {
            assert_eq!(
                browser.evaluate(name, &says(number, said)),
                true,
                "{name}: {said}"
            );
        }
        let standing = "document.querySelector('#standing').innerText";
        let standing = browser.evaluate(name, standing);
        assert!(standing.as_str().unwrap().starts_with("As of "), "{standing}");
        assert_eq!(browser.evaluate(name, FITS), true, "{name}");
        browser.screenshot(name, &format!("status-{name}"));
    }
    let ground = "getComputedStyle(document.body).backgroundColor";
    let grounds = ["light", "dark"].map(|name| browser.evaluate(name, ground));
    assert_ne!(grounds[0], grounds[1]);
}

#[test]
fn hundreds_of_environments_are_one_page() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = flagsmith("2026-11-21T19:00:00+00:00");
    let edge = edge(&flagsmith, 300, json!({"api_poll_frequency_seconds": 3600}));
    let page = edge.admin_url("status");
    browser.open("one", &page);
    let served = "[...document.querySelectorAll('#environments .status')].filter((word) => word.textContent === 'ok').length";
    browser.until("one", &format!("{served} === 298"));
    browser.until("one", FITS);
    let lead = browser.evaluate("one", "document.querySelector('.lead').innerText");
    assert_eq!(lead, "2 of 300 environments need attention.");
    assert_eq!(browser.problems("one"), json!([]));
    browser.screenshot("one", "status-many");
}
