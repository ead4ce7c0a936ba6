//! Documents in pages, of which something is wrong.
use serde_json::json;
use test_support::documents::{feature_state, identity_override};
use test_support::findings::Findings;
use test_support::upstream::{Answer, ReceivedRequest};

use super::{Oddity, Outage, row};
use crate::Row;
use crate::harness::environments::{Environment, json_answer};
use crate::harness::is_full;

const PAGE: &str = "page_id=";

fn is_first(request: &ReceivedRequest) -> bool {
    !request.target.contains(PAGE)
}

/// The first page, of this version, with a link to another.
fn first(request: &ReceivedRequest, version: u32, next: &str) -> Answer {
    let document = Environment::of(request).document(version).to_string();
    json_answer(document).header("Link", format!("<{next}>; rel=\"next\""))
}

/// A later page: an override of an identity that nobody asks for.
fn later(request: &ReceivedRequest, version: u32) -> Answer {
    let environment = Environment::of(request);
    let mut document = environment.document(version);
    let overridden = [feature_state(1, "banner", "overridden")];
    let alice = identity_override(environment.client_side_key, "alice", &overridden);
    document["identity_overrides"] = json!([alice]);
    json_answer(document.to_string())
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("endless pages", endless),
        row("a later page fails", |findings| {
            let failing = |request: &ReceivedRequest, version| match is_first(request) {
                true => first(request, version, "?page_id=2"),
                false => Answer::status(500),
            };
            Outage::answering(failing, &["upstream answers 500"]).run(findings)
        }),
        row("a later page is cut", |findings| {
            let cut = |request: &ReceivedRequest, version| match is_first(request) {
                true => first(request, version, "?page_id=2"),
                false => later(request, version).truncated(),
            };
            Outage::answering(cut, &["the answer breaks off"]).run(findings)
        }),
        row("a later page is no page", |findings| {
            let none = |request: &ReceivedRequest, version| match is_first(request) {
                true => first(request, version, "?page_id=2"),
                false => json_answer("{\"identity_overrides\": 1}"),
            };
            Outage::answering(none, &["the answer is no environment document"]).run(findings)
        }),
        row("the next page is elsewhere", |findings| {
            let elsewhere = |request: &ReceivedRequest, version| {
                first(
                    request,
                    version,
                    "http://127.0.0.1:1/api/v1/environment-document/?page_id=2",
                )
            };
            Outage::answering(
                elsewhere,
                &["the next page of identity overrides is said to be at another address"],
            )
            .run(findings)
        }),
        row("pages in a circle", |findings| {
            let circle = |request: &ReceivedRequest, version| match is_first(request) {
                true => first(request, version, "?page_id=2"),
                false => later(request, version).header("Link", "<?page_id=2>; rel=\"next\""),
            };
            Oddity::answering(circle).run(findings)
        }),
        row("a page that changes between", |findings| {
            // An edit comes between the pages: the later one is of the next version.
            let between = |request: &ReceivedRequest, version| match is_first(request) {
                true => first(request, version, "?page_id=2"),
                false => later(request, version + 1),
            };
            Oddity::answering(between).run(findings)
        }),
    ]
}

/// Each page names a next one. In an ordinary run the time of a fetch is over before the 10,000 pages are that are read.
fn endless(findings: &mut Findings) -> Result<(), String> {
    // The first page is that of the version that clients may have: a fetch goes on to its end when upstream is well.
    let endless = |request: &ReceivedRequest, _| {
        if is_first(request) {
            return first(request, 1, "?page_id=2");
        }
        let page = request.target.rsplit(PAGE).next();
        let page = page.and_then(|page| page.parse::<u32>().ok());
        let next = format!("<?page_id={}>; rel=\"next\"", page.unwrap_or_default() + 1);
        json_answer("{\"identity_overrides\": []}").header("Link", next)
    };
    let late = &["no answer begins in time", "does not end in time"];
    let outage = Outage::answering(endless, late).in_ways(2).hanging();
    outage.run(findings)?;
    if is_full() {
        let too_many = &["upstream's document has more pages than this proxy reads (10,000)"];
        let outage = Outage::answering(endless, too_many).with(json!({"api_poll_timeout_seconds": 100}));
        return outage.run(findings);
    }
    Ok(())
}
