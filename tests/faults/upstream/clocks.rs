//! Clocks of upstream that jump. Our own cannot be moved for one program; what it is used for is tested with virtual time.
use serde_json::json;
use test_support::upstream::{Answer, ReceivedRequest};

use super::{Oddity, row};
use crate::Row;
use crate::harness::environments::{Environment, good, json_answer, updated_at};

/// The document of this version, which is said to have changed then.
fn changed_at(request: &ReceivedRequest, version: u32, updated_at: &str) -> Answer {
    let mut document = Environment::of(request).document(version);
    document["updated_at"] = json!(updated_at);
    json_answer(document.to_string())
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("upstream's Date jumps ahead", |findings| {
            Oddity::answering(|request, version| {
                good(request, version).header("Date", "Thu, 31 Dec 2099 23:59:59 GMT")
            })
            .run(findings)
        }),
        row("upstream's Date jumps back", |findings| {
            Oddity::answering(|request, version| {
                good(request, version).header("Date", "Thu, 01 Jan 1970 00:00:00 GMT")
            })
            .run(findings)
        }),
        row("upstream's Date is none", |findings| {
            Oddity::answering(|request, version| good(request, version).header("Date", "yesterday"))
                .run(findings)
        }),
        row("updated_at jumps ahead, and back", |findings| {
            // What is older than before is believed when three fetches in a row give it.
            Oddity::answering(|request, version| {
                changed_at(request, version, &format!("2099-12-31T23:59:{:02}Z", version))
            })
            .within(3)
            .run(findings)
        }),
        row("updated_at jumps back, and ahead", |findings| {
            Oddity::answering(|request, version| {
                changed_at(request, version, &format!("1971-01-01T00:00:{:02}Z", version))
            })
            .within(3)
            .run(findings)
        }),
        row("updated_at stands still", |findings| {
            let still = |request: &_, version: u32| changed_at(request, version, &updated_at(version.min(2)));
            Oddity::answering(still).renumbered().run(findings)
        }),
        row("updated_at is none", |findings| {
            Oddity::answering(|request, version| changed_at(request, version, "yesterday")).run(findings)
        }),
    ]
}
