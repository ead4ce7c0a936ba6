//! Bodies from upstream: codings, and bounds on what they decode to and on what they take together.
use std::io::Read;
use std::time::Duration;

use actors::environment::{ActorOptions, PollingOptions};
use actors::upstream::{DocumentMemory, Fault, FetchFailure, UpstreamOptions};
use flate2::Compression;
use flate2::read::GzEncoder;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::fetch::{failure, fetch, fetch_within, no_answer, pages};
use crate::harness::{Harness, polled, quick};

const T1: &str = "2024-12-26T16:18:08+00:00";

fn compressed(plain: impl Read) -> Vec<u8> {
    let mut compressed = Vec::new();
    GzEncoder::new(plain, Compression::fast())
        .read_to_end(&mut compressed)
        .unwrap();
    compressed
}

fn gzip(body: Vec<u8>) -> Answer {
    Answer::ok(body).header("Content-Encoding", "gzip")
}

/// Some megabytes that compress as documents do.
fn large() -> String {
    (0..500_000).map(|number| format!("{number},")).collect()
}

/// A value of so many bytes that compresses to a tenth or so.
fn value(bytes: usize) -> String {
    large()[..bytes].to_owned()
}

#[actix_rt::test]
async fn gzip_is_read_in_each_spelling_and_in_several_members() {
    let large = large();
    let (first, second) = large.split_at(large.len() / 2);
    let whole = compressed(large.as_bytes());
    let members = [compressed(first.as_bytes()), compressed(second.as_bytes())].concat();
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    for (body, coding) in [
        (whole.clone(), "gzip"),
        (whole.clone(), " GZIP "),
        (whole, "x-gzip"),
        (members, "gzip"),
        (large.clone().into_bytes(), "identity"),
    ] {
        upstream.script(move |_| Answer::ok(body.clone()).header("Content-Encoding", coding));
        assert!(pages(fetch(&upstream).await)[0] == large, "{coding}");
    }
}

#[actix_rt::test]
async fn a_coding_that_was_not_asked_for_is_named() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    for coding in ["br", "zstd", "deflate", "gzip, gzip", "gzip, br"] {
        upstream.script(move |_| Answer::ok("[]").header("Content-Encoding", coding));
        assert_eq!(
            failure(fetch(&upstream).await),
            FetchFailure::UnknownCoding,
            "{coding}"
        );
    }
}

#[actix_rt::test]
async fn a_body_that_ends_early_or_is_no_gzip_is_named() {
    let whole = compressed(large().as_bytes());
    let cut = whole[..whole.len() / 2].to_vec();
    let mut flipped = whole.clone();
    flipped[1_000] ^= 0xff;
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    let answers = [
        gzip(whole).truncated(),
        gzip(cut),
        gzip(flipped),
        gzip(b"no gzip".to_vec()),
    ];
    for (number, answer) in answers.into_iter().enumerate() {
        upstream.script(move |_| answer.clone());
        let expected = if number == 0 {
            Fault::Cut
        } else {
            Fault::ContentCoding
        };
        assert_eq!(failure(fetch(&upstream).await), no_answer(expected), "{number}");
    }
}

#[actix_rt::test]
async fn a_bomb_is_refused_by_name_before_it_has_taken_its_memory() {
    let bomb = compressed(std::io::repeat(b' ').take(300 << 20));
    assert!(bomb.len() < 4 << 20);
    let chunked = format!("{:x}\r\n", bomb.len()).into_bytes();
    let chunked = [chunked, bomb.clone(), b"\r\n0\r\n\r\n".to_vec()].concat();
    // With its length declared or not.
    let answers = [gzip(bomb), gzip(chunked).header("Transfer-Encoding", "chunked")];
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    for (number, answer) in answers.into_iter().enumerate() {
        upstream.script(move |_| answer.clone());
        let outcome = fetch_within(&upstream, Duration::from_secs(60), None).await;
        assert_eq!(failure(outcome), FetchFailure::Inflated, "{number}");
    }
}

#[actix_rt::test]
async fn a_declared_length_beyond_the_bound_is_not_waited_for() {
    let upstream =
        ScriptedUpstream::start(|_| Answer::ok("[]").header("Content-Length", 300 << 20).stalling());
    assert_eq!(failure(fetch(&upstream).await), FetchFailure::TooLarge);
}

/// So many environments, whose documents may take so much together.
fn start(upstream: &ScriptedUpstream, environments: usize, memory: usize) -> Harness {
    let polling = PollingOptions {
        timeout: Duration::from_secs(20),
        ..quick()
    };
    let mut upstream = UpstreamOptions::new(upstream.api_url());
    upstream.document_memory = DocumentMemory::new(memory);
    let environments = (0..environments).map(polled).collect();
    Harness::start_with(environments, ActorOptions::new(polling, upstream))
}

#[actix_rt::test]
async fn a_document_that_takes_more_than_one_may_is_named_and_the_last_good_one_stays() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("small", T1)));
    let harness = start(&upstream, 1, 1 << 20);
    harness.wait_for_value("small").await;
    // 2.5 times its size is more than half of a mebibyte.
    upstream.script(|_| Answer::ok(document(&value(300_000), "2025-01-01T00:00:00+00:00")));
    upstream.wait_for_more(3).await;
    harness.wait_for_value("small").await;
    upstream.script(|_| Answer::ok(document("again", "2025-01-02T00:00:00+00:00")));
    harness.wait_for_value("again").await;
}

#[actix_rt::test]
async fn documents_that_take_more_together_than_there_is_follow_one_another() {
    let expected = value(150_000);
    let given = expected.clone();
    let upstream = ScriptedUpstream::start(move |_| gzip(compressed(document(&given, T1).as_bytes())));
    // Each takes 375 kB, and one may take 524 kB.
    let harness = start(&upstream, 10, 1 << 20);
    for place in 0..10 {
        harness.wait_for_value_of(place, &expected).await;
    }
}
