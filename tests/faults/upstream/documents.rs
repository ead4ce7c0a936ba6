//! Strange documents, and strange ways to give one.
use std::sync::OnceLock;

use serde_json::{Value, json};
use test_support::documents::{feature_state, identity_override};
use test_support::findings::Findings;
use test_support::upstream::{Answer, ReceivedRequest};

use super::{Oddity, row};
use crate::Row;
use crate::harness::environments::{ENVIRONMENTS, Environment, json_answer};
use crate::harness::volume;

/// The document of this version, changed.
fn changed(request: &ReceivedRequest, version: u32, change: fn(&mut Value)) -> Answer {
    let mut document = Environment::of(request).document(version);
    change(&mut document);
    json_answer(document.to_string())
}

fn text(request: &ReceivedRequest, version: u32) -> String {
    Environment::of(request).document(version).to_string()
}

pub(super) fn rows() -> Vec<Row> {
    [contents(), ways()].into_iter().flatten().collect()
}

fn contents() -> Vec<Row> {
    vec![
        row("one broken segment", |findings| {
            let broken = |request: &_, version| {
                changed(request, version, |document| {
                    let rules = json!([{"type": "ALL", "conditions": 7}]);
                    document["project"]["segments"] =
                        json!([{"id": 7, "name": "broken", "rules": rules, "feature_states": []}]);
                })
            };
            Oddity::answering(broken).told(&["segment"], 2).run(findings)
        }),
        row("one broken feature", |findings| {
            let broken = |request: &_, version| {
                changed(request, version, |document| {
                    let features = document["feature_states"].as_array_mut().unwrap();
                    features.push(json!({"feature": "none", "enabled": "perhaps"}));
                })
            };
            Oddity::answering(broken).told(&["feature"], 2).run(findings)
        }),
        row("60 MB", large),
        row("names that come twice", |findings| {
            // The last one counts, as in every reader of JSON that core has.
            let twice = |request: &_, version| {
                let overridden = "{\"feature_states\":[],\"feature_states\":";
                json_answer(text(request, version).replacen("{\"feature_states\":", overridden, 1))
            };
            Oddity::answering(twice).run(findings)
        }),
        row("another environment's document", |findings| {
            let another = |request: &ReceivedRequest, version| {
                let mut document = ENVIRONMENTS[1].document(version);
                document["name"] = json!(Environment::of(request).name);
                json_answer(document.to_string())
            };
            Oddity::answering(another)
                .told(&["its document is that of environment 2"], 1)
                .run(findings)
        }),
    ]
}

fn ways() -> Vec<Row> {
    vec![
        row("a byte order mark", |findings| {
            let marked = |request: &_, version| json_answer(format!("\u{FEFF}{}", text(request, version)));
            Oddity::answering(marked).run(findings)
        }),
        row("a body that ends with its connection", |findings| {
            let open = |request: &_, version| {
                Answer::raw(format!("HTTP/1.1 200 OK\r\n\r\n{}", text(request, version))).closing()
            };
            Oddity::answering(open).run(findings)
        }),
        row("103 before the answer", |findings| {
            let hinted = |request: &_, version| {
                let body = text(request, version);
                let length = body.len();
                Answer::raw(format!(
                    "HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=\"next\"\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
                ))
            };
            Oddity::answering(hinted).run(findings)
        }),
        row("connections that close after each answer", |findings| {
            let closing = |request: &_, version| json_answer(text(request, version)).closing();
            Oddity::answering(closing).run(findings)
        }),
        row("HTTP/1.0", |findings| {
            let old = |request: &_, version| {
                Answer::raw(format!("HTTP/1.0 200 OK\r\n\r\n{}", text(request, version))).closing()
            };
            Oddity::answering(old).run(findings)
        }),
    ]
}

/// A document of 60 MB, by overrides of identities that nobody asks for; 6 MB in an ordinary run. It is made once a version.
fn large(findings: &mut Findings) -> Result<(), String> {
    static LARGE: [OnceLock<Vec<u8>>; 2] = [OnceLock::new(), OnceLock::new()];
    let large = |request: &ReceivedRequest, version: u32| {
        if Environment::of(request) != ENVIRONMENTS[0] {
            return json_answer(text(request, version));
        }
        let document = LARGE[usize::from(version > 1)].get_or_init(|| large_document(version));
        json_answer(document.clone())
    };
    Oddity::answering(large)
        .with(json!({"api_poll_timeout_seconds": 60}))
        .within(volume(10, 120))
        .run(findings)
}

fn large_document(version: u32) -> Vec<u8> {
    let bytes = volume(6_000_000, 60_000_000);
    let environment = &ENVIRONMENTS[0];
    let feature = [feature_state(1, "banner", "overridden")];
    let one = identity_override(environment.client_side_key, "identity-0000000", &feature).to_string();
    let overrides = (0..bytes / one.len())
        .map(|number| one.replace("identity-0000000", &format!("identity-{number:07}")));
    let overrides = overrides.collect::<Vec<_>>().join(",");
    let document = environment.document(version).to_string();
    document
        .replace(
            "\"identity_overrides\":[]",
            &format!("\"identity_overrides\":[{overrides}]"),
        )
        .into_bytes()
}
