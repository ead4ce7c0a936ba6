//! Bodies that are no environment document.
use std::io::Write as _;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use test_support::upstream::{Answer, ReceivedRequest};

use super::{Outage, row};
use crate::Row;
use crate::harness::environments::{Environment, json_answer};

const NO_JSON: &str = "the answer is not JSON";
const NO_DOCUMENT: &str = "the answer is no environment document";
const NO_GZIP: &str = "the answer's body is not in its Content-Encoding";

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// 100 MB of zeros in 100 kB.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&vec![0; 100_000_000]));

fn document(request: &ReceivedRequest, version: u32) -> String {
    Environment::of(request).document(version).to_string()
}

fn gzip_answer(body: Vec<u8>) -> Answer {
    json_answer(body).header("Content-Encoding", "gzip")
}

pub(super) fn rows() -> Vec<Row> {
    [codings(), no_json(), no_documents()]
        .into_iter()
        .flatten()
        .collect()
}

fn codings() -> Vec<Row> {
    vec![
        row("truncated gzip", |findings| {
            let truncated = |request: &_, version| {
                let mut body = gzip(document(request, version).as_bytes());
                body.truncate(body.len() - 20);
                gzip_answer(body)
            };
            Outage::answering(truncated, &[NO_GZIP]).run(findings)
        }),
        row("gzip that is none", |findings| {
            let none = |request: &_, version| gzip_answer(document(request, version).into_bytes());
            Outage::answering(none, &[NO_GZIP]).run(findings)
        }),
        row("gzip bomb", |findings| {
            LazyLock::force(&BOMB);
            Outage::answering(
                |_, _| gzip_answer(BOMB.clone()),
                &["decodes to more than 100 times its size"],
            )
            .run(findings)
        }),
    ]
}

fn no_json() -> Vec<Row> {
    vec![
        row("wrong JSON", |findings| {
            let wrong = |request: &_, version| {
                let mut body = document(request, version);
                body.pop();
                json_answer(body)
            };
            Outage::answering(wrong, &[NO_JSON]).run(findings)
        }),
        row("an empty 200", |findings| {
            Outage::answering(|_, _| json_answer(""), &[NO_JSON]).run(findings)
        }),
        row("an HTML page with 200", |findings| {
            let page =
                |_: &_, _| Answer::ok("<!DOCTYPE html><html></html>").header("Content-Type", "text/html");
            Outage::answering(page, &[NO_JSON]).run(findings)
        }),
        row("invalid UTF-8", |findings| {
            let invalid = |request: &_, version| {
                let body = document(request, version).replace("value 99", "value \u{1}");
                let bytes: Vec<u8> = body
                    .bytes()
                    .map(|byte| if byte == 1 { 0xFF } else { byte })
                    .collect();
                json_answer(bytes)
            };
            Outage::answering(invalid, &[NO_JSON]).run(findings)
        }),
        row("UTF-16", |findings| {
            let wide = |request: &_, version| {
                let text = format!("\u{FEFF}{}", document(request, version));
                json_answer(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>())
            };
            Outage::answering(wide, &[NO_JSON]).run(findings)
        }),
        row("100,000 levels of nesting", |findings| {
            let deep = |_: &_, _| json_answer(format!("{{\"project\":{}", "[".repeat(100_000)));
            Outage::answering(deep, &[NO_JSON]).run(findings)
        }),
        row("deep nesting in a document", |findings| {
            let deep = |request: &_, version| {
                let levels = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
                json_answer(document(request, version).replacen('{', &format!("{{\"deep\":{levels},"), 1))
            };
            Outage::answering(deep, &[NO_JSON]).run(findings)
        }),
    ]
}

fn no_documents() -> Vec<Row> {
    vec![
        row("{}", |findings| {
            Outage::answering(|_, _| json_answer("{}"), &[NO_DOCUMENT]).run(findings)
        }),
        row("[]", |findings| {
            Outage::answering(|_, _| json_answer("[]"), &[NO_DOCUMENT]).run(findings)
        }),
        row("null", |findings| {
            Outage::answering(|_, _| json_answer("null"), &[NO_DOCUMENT]).run(findings)
        }),
        row("a document without features", |findings| {
            let without = |request: &_, version| {
                let mut document = Environment::of(request).document(version);
                document.as_object_mut().unwrap().remove("feature_states");
                json_answer(document.to_string())
            };
            Outage::answering(without, &[NO_DOCUMENT]).run(findings)
        }),
        row("a document of a wrong type", |findings| {
            let wrong = |request: &_, version| {
                let mut document = Environment::of(request).document(version);
                document["feature_states"] = json!({"banner": true});
                json_answer(document.to_string())
            };
            Outage::answering(wrong, &[NO_DOCUMENT]).run(findings)
        }),
    ]
}
