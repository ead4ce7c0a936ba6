//! Heads that cannot be read, or that lie about what follows.
use test_support::upstream::{Answer, ReceivedRequest};

use super::{Outage, row};
use crate::Row;
use crate::harness::environments::{Environment, json_answer};

const NO_HTTP: &str = "what answers does not speak HTTP/1.1";
const CHUNKS: &str = "the answer's chunks are malformed";
const CUT: &str = "the answer breaks off";

/// 200 with these fields and this body, as they are.
fn raw(fields: &str, body: &str) -> Answer {
    Answer::raw(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{fields}\r\n\r\n{body}"
    ))
}

fn document(request: &ReceivedRequest, version: u32) -> String {
    Environment::of(request).document(version).to_string()
}

pub(super) fn rows() -> Vec<Row> {
    [heads(), lengths(), chunks()].into_iter().flatten().collect()
}

fn heads() -> Vec<Row> {
    vec![
        row("another protocol", |findings| {
            Outage::answering(
                |_, _| Answer::raw("SSH-2.0-OpenSSH_9.6\r\n\r\n").closing(),
                &[NO_HTTP],
            )
            .run(findings)
        }),
        row("a head without an end", |findings| {
            let endless = |_: &_, _| raw(&format!("X: {}", "x".repeat(200_000)), "").closing();
            Outage::answering(endless, &["the answer's head is longer than this proxy reads"]).run(findings)
        }),
        row("1,000 header fields", |findings| {
            let many =
                |request: &_, version| raw(&"X: y\r\n".repeat(1000), &document(request, version)).closing();
            Outage::answering(many, &["the answer has more header fields than this proxy reads"])
                .run(findings)
        }),
        row("an unknown transfer coding", |findings| {
            let coded =
                |request: &_, version| raw("Transfer-Encoding: gzip", &document(request, version)).closing();
            Outage::answering(coded, &["the answer's Transfer-Encoding is not known"]).run(findings)
        }),
    ]
}

fn lengths() -> Vec<Row> {
    vec![
        row("a length that is short", |findings| {
            // What is left over is no answer to the next request.
            let short = |request: &_, version| raw("Content-Length: 40", &document(request, version));
            Outage::answering(short, &["the answer is not JSON"]).run(findings)
        }),
        row("a length that is long", |findings| {
            let long =
                |request: &_, version| raw("Content-Length: 100000", &document(request, version)).closing();
            Outage::answering(long, &[CUT]).run(findings)
        }),
        row("two lengths", |findings| {
            let two = |request: &_, version| {
                raw(
                    "Content-Length: 40\r\nContent-Length: 41",
                    &document(request, version),
                )
                .closing()
            };
            Outage::answering(two, &["the answer's Content-Length cannot be read"]).run(findings)
        }),
        row("a length of 300 MB", |findings| {
            let large = |request: &_, version| raw("Content-Length: 300000000", &document(request, version));
            Outage::answering(large, &["larger than this proxy reads (256 MiB)"]).run(findings)
        }),
        row("a negative length", |findings| {
            let negative =
                |request: &_, version| raw("Content-Length: -1", &document(request, version)).closing();
            Outage::answering(negative, &["the answer's Content-Length cannot be read"]).run(findings)
        }),
    ]
}

fn chunks() -> Vec<Row> {
    vec![
        row("garbage in place of chunks", |findings| {
            let garbage = |request: &_, version| {
                raw("Transfer-Encoding: chunked", &document(request, version)).closing()
            };
            Outage::answering(garbage, &[CHUNKS]).run(findings)
        }),
        row("chunks without the last one", |findings| {
            let open = |request: &_, version| {
                let document = document(request, version);
                raw(
                    "Transfer-Encoding: chunked",
                    &format!("{:x}\r\n{document}\r\n", document.len()),
                )
                .closing()
            };
            Outage::answering(open, &[CUT]).run(findings)
        }),
        row("a chunk of 2^64 bytes", |findings| {
            let huge = |request: &_, version| {
                let document = document(request, version);
                raw(
                    "Transfer-Encoding: chunked",
                    &format!("FFFFFFFFFFFFFFFFF\r\n{document}\r\n0\r\n\r\n"),
                )
                .closing()
            };
            Outage::answering(huge, &[CHUNKS]).run(findings)
        }),
        row("a content coding that was not asked for", |findings| {
            let coded = |request: &_, version| {
                json_answer(document(request, version)).header("Content-Encoding", "br")
            };
            Outage::answering(coded, &["a content coding that was not asked for"]).run(findings)
        }),
    ]
}
