//! The JavaScript SDK where it belongs: in Chromium, on pages of another origin.
//!
//! The page is that of `examples/browser`, which people open by `make demo`; React has one of its own (`node/react.html`).
//! Screenshots go to `target/sdk/screenshots`.
use serde_json::json;
use test_support::http::{Request, ask};

use crate::harness::{Browser, Demonstration, Edge, Flagsmith};

/// A flag's row has this state and value.
fn row_says(feature: &str, state: &str, value: &str) -> String {
    let row = format!("document.querySelector('[data-feature={feature}]')");
    format!("{row}?.dataset.state === '{state}' && {row}.querySelector('.value').textContent === '{value}'")
}

fn switch(feature: &str) -> String {
    format!("[data-feature={feature}] .switch")
}

const FLAGS: &str = "/api/v1/flags/";

const IDENTITIES: &str = "/api/v1/identities/";

const STREAM: &str = "/sse/environments/{client_side_key}/stream/";

const WELCOME: &str = "Hello from the edge";

#[test]
fn the_page_shows_flags_and_those_that_flip_without_a_reload() {
    let (Some(browser), Some(demonstration)) = (Browser::start(), Demonstration::start()) else {
        return;
    };
    browser.open("one", &demonstration.page);
    browser.until("one", &row_says("welcome_text", "on", WELCOME));
    browser.until("one", &row_says("maintenance_mode", "off", ""));
    browser.until("one", &row_says("fraud_score_limit", "none", "for servers only"));
    browser.until(
        "one",
        "document.querySelector('#stream').dataset.state === 'live'",
    );
    browser.evaluate("one", "window.isTheSamePage = true");
    browser.click("one", &switch("maintenance_mode"));
    browser.until("one", &row_says("maintenance_mode", "on", ""));
    browser.ask(
        "one",
        "type",
        json!({"selector": "[data-feature=welcome_text] [type=text]", "text": " ä"}),
    );
    browser.ask("one", "press", json!({"key": "Enter"}));
    browser.until("one", &row_says("welcome_text", "on", &format!("{WELCOME} ä")));
    assert_eq!(browser.evaluate("one", "window.isTheSamePage"), true);
    assert_eq!(browser.problems("one"), json!([]));
    browser.screenshot("one", "page");
    for (name, width) in [("dark", 1100), ("narrow", 400)] {
        let options = json!({"url": demonstration.page, "width": width, "dark": name == "dark"});
        browser.ask(name, "open_tab", options);
        browser.until(name, &row_says("maintenance_mode", "on", ""));
        browser.until(name, "document.documentElement.scrollWidth <= innerWidth");
        browser.screenshot(name, &format!("page-{name}"));
    }
}

#[test]
fn an_identity_sees_its_own_flags_and_why() {
    let (Some(browser), Some(demonstration)) = (Browser::start(), Demonstration::start()) else {
        return;
    };
    browser.open("one", &demonstration.page);
    browser.until("one", &row_says("max_projects", "on", "3"));
    browser.ask(
        "one",
        "type",
        json!({"selector": "[name=identifier]", "text": "ann"}),
    );
    browser.ask(
        "one",
        "choose",
        json!({"selector": "[name=plan]", "value": "pro"}),
    );
    browser.click("one", "#identity [type=submit]");
    browser.until("one", &row_says("max_projects", "on", "50"));
    let reason = "document.querySelector('[data-feature=max_projects] .reason').textContent";
    assert_eq!(
        browser.evaluate("one", reason),
        "TARGETING_MATCH; segment=pro_plan"
    );
    let traits = browser.evaluate("one", "flagsmith.getAllTraits()");
    assert_eq!(traits, json!({"plan": "pro"}));
    browser.screenshot("one", "identity");
    browser.click("one", "#forget");
    browser.until("one", &row_says("max_projects", "on", "3"));
    assert_eq!(browser.problems("one"), json!([]));
}

#[test]
fn eight_tabs_show_their_flags_and_all_hear_of_a_change() {
    let (Some(browser), Some(demonstration)) = (Browser::start(), Demonstration::start()) else {
        return;
    };
    let tabs: Vec<_> = (1..=8).map(|number| format!("tab {number}")).collect();
    for tab in &tabs {
        browser.open(tab, &demonstration.page);
        // Six streams are open before the last two: they hold no connection that flags need.
        browser.until(tab, &row_says("welcome_text", "on", WELCOME));
    }
    browser.click("tab 8", &switch("dark_mode"));
    for tab in &tabs {
        browser.until(tab, &row_says("dark_mode", "off", ""));
        assert_eq!(browser.problems(tab), json!([]), "{tab}");
    }
}

/// What a page of another origin tries is refused by the browser before it is sent, or by the page's server.
#[test]
fn nobody_but_the_page_edits_the_document() {
    let (Some(browser), Some(demonstration)) = (Browser::start(), Demonstration::start()) else {
        return;
    };
    browser.open("elsewhere", "SITE/talk.mjs");
    let edit = |options: &str| {
        let body = r#"body: '{"feature": "dark_mode", "enabled": false}'"#;
        let expression = format!(
            "fetch('{}features', {{method: 'POST', {body}, {options}}}).then(() => 'sent', () => 'refused')",
            demonstration.page
        );
        browser.evaluate("elsewhere", &expression)
    };
    assert_eq!(edit("headers: {'Content-Type': 'application/json'}"), "refused");
    // Sent without being asked for; its answer is not shown to the page that sent it.
    assert_eq!(edit("mode: 'no-cors'"), "sent");
    browser.open("one", &demonstration.page);
    browser.until("one", &row_says("dark_mode", "on", ""));
    // A name that somebody else made to resolve to this machine.
    let address = demonstration
        .page
        .trim_start_matches("http://")
        .trim_end_matches('/');
    let asked = ask(address.parse().unwrap(), &Request::get("/features")).unwrap();
    assert_eq!(asked.status, 403);
}

fn element_says(id: &str, text: &str) -> String {
    format!("document.querySelector('#{id}')?.textContent === '{text}'")
}

#[test]
fn reacts_hooks_follow_changes() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    browser.open_react("one", &edge, "");
    edge.wait_for_subscribers(1);
    flagsmith.change(1);
    edge.push(1);
    browser.until("one", &element_says("banner", "true: version 1"));
    browser.click("one", "button");
    browser.until("one", &element_says("limit", "true: 50"));
    flagsmith.change(2);
    edge.push(2);
    browser.until("one", &element_says("banner", "true: version 2"));
    browser.until("one", &element_says("limit", "true: 50"));
    assert_eq!(browser.problems("one"), json!([]));
    // One for the click, and one for the change after it.
    edge.wait_until_answered(IDENTITIES, 200, 2);
    assert_eq!(edge.answered(IDENTITIES, 200), 2);
}

#[test]
fn requests_are_allowed_compressed_and_revalidated() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    browser.open_react("one", &edge, "");
    browser.evaluate("one", "flagsmith.getFlags()");
    browser.evaluate("one", "flagsmith.identify('ann', {plan: 'pro'})");
    let exchanges = browser.exchanges("one", FLAGS, 3);
    let preflight = exchanges
        .iter()
        .find(|exchange| exchange["method"] == "OPTIONS")
        .unwrap();
    assert_eq!(preflight["status"], 200, "{preflight}");
    let allowed = preflight["received"]["access-control-allow-headers"]
        .as_str()
        .unwrap();
    assert!(
        allowed.to_ascii_lowercase().contains("x-environment-key"),
        "{preflight}"
    );
    let fetches: Vec<_> = exchanges
        .iter()
        .filter(|exchange| exchange["method"] == "GET")
        .collect();
    let statuses: Vec<_> = fetches.iter().map(|fetch| &fetch["status"]).collect();
    assert_eq!(statuses, [200, 304], "{fetches:?}");
    assert_eq!(fetches[0]["received"]["content-encoding"], "gzip");
    assert_eq!(
        fetches[1]["sent"]["if-none-match"],
        fetches[0]["received"]["etag"]
    );
    let identified = browser.exchanges("one", IDENTITIES, 2);
    let post = identified
        .iter()
        .find(|exchange| exchange["method"] == "POST")
        .unwrap();
    assert_eq!(
        (&post["status"], &post["received"]["content-encoding"]),
        (&json!(200), &json!("gzip"))
    );
    // The page sees what was compressed, and the header that it needs for realtime updates.
    assert_eq!(browser.evaluate("one", "flagsmith.getValue('limit')"), 50);
    let updated_at = browser.evaluate("one", "flagsmith.timestamp");
    assert_eq!(updated_at.as_f64().unwrap().floor(), 1_795_287_600.0);
    assert_eq!(browser.problems("one"), json!([]));
}

#[test]
fn a_page_outlives_ended_streams_and_a_restart() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let mut edge = Edge::start(&flagsmith, json!({"realtime": {"max_stream_age_seconds": 1}}));
    let before = edge.answered(FLAGS, 200);
    browser.open_react("one", &edge, "");
    flagsmith.change(1);
    edge.push(1);
    browser.until("one", &element_says("banner", "true: version 1"));
    // Streams that end are no news to the page, and neither is the event that the next ones begin with.
    edge.wait_until_answered(STREAM, 200, edge.answered(STREAM, 200) + 3);
    assert_eq!(edge.answered(FLAGS, 200) - before, 2, "{}", edge.written());
    edge.kill();
    flagsmith.change_now("changed meanwhile");
    edge.start_again();
    browser.until("one", &element_says("banner", "true: changed meanwhile"));
}
