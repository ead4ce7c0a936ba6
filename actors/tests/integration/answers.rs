//! Answers as gateways between write them, byte by byte.
use std::io::Read as _;
use std::time::Duration;

use actors::keys::EnvironmentKey;
use actors::upstream::{Fault, FetchOutcome, Upstream, UpstreamOptions};
use flate2::Compression;
use flate2::read::GzEncoder;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::failures::fail_and_recover;
use crate::fetch::{failure, fetch, no_answer, pages};

const T2: &str = "2024-12-26T16:18:20+00:00";

pub(crate) fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    GzEncoder::new(plain, Compression::fast())
        .read_to_end(&mut compressed)
        .unwrap();
    compressed
}

/// A head of these lines, and what follows it.
fn answer(lines: &str, body: &[u8]) -> Answer {
    let head = format!("{lines}\n\n").replace('\n', "\r\n");
    Answer::raw([head.as_bytes(), body].concat())
}

#[actix_rt::test]
async fn a_body_that_ends_with_the_connection_is_read_to_its_end() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    let numbers: String = (0..200_000).map(|number| format!("{number},")).collect();
    let plain = format!("[{numbers}0]");
    let compressed = gzip(plain.as_bytes());
    let members = [gzip(&plain.as_bytes()[..7]), gzip(&plain.as_bytes()[7..])].concat();
    for (lines, body) in [
        ("HTTP/1.1 200 OK", plain.clone().into_bytes()),
        (
            "HTTP/1.1 200 OK\nConnection: keep-alive",
            plain.clone().into_bytes(),
        ),
        (
            "HTTP/1.1 200 OK\nTransfer-Encoding: identity",
            plain.clone().into_bytes(),
        ),
        ("HTTP/1.0 200 OK", plain.clone().into_bytes()),
        ("HTTP/1.1 200 OK\nContent-Encoding: gzip", compressed.clone()),
        ("HTTP/1.1 200 OK\nContent-Encoding: x-gzip", compressed),
        ("HTTP/1.1 200 OK\nContent-Encoding: gzip", members),
    ] {
        upstream.script(move |_| answer(lines, &body).closing());
        assert!(pages(fetch(&upstream).await)[0] == plain, "{lines}");
    }
}

#[actix_rt::test]
async fn a_body_that_breaks_off_is_told_from_one_that_ends() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    let compressed = gzip(b"[1,2,3]");
    let without = |bytes: usize| compressed[..compressed.len() - bytes].to_vec();
    let chunked = "HTTP/1.1 200 OK\nTransfer-Encoding: chunked";
    let mut cases = vec![
        // Between two chunks, within one, before and within the last.
        (answer(chunked, b"4\r\n[1,2\r\n"), Fault::Cut),
        (answer(chunked, b"4\r\n[1"), Fault::Cut),
        (answer(chunked, b"7\r\n[1,2,3]\r\n"), Fault::Cut),
        (answer(chunked, b"7\r\n[1,2,3]\r\n0\r\n"), Fault::Cut),
        (answer(chunked, b""), Fault::Cut),
        (answer(chunked, b"7\r\n[1,2,3]!!0\r\n\r\n"), Fault::Chunks),
        (
            answer("HTTP/1.1 200 OK\nContent-Length: 8", b"[1,2,3]"),
            Fault::Cut,
        ),
        (answer("HTTP/1.1 200 OK\nContent-Length: 8", b""), Fault::Cut),
        // Within the head.
        (Answer::raw("HTTP/1.1 200 OK\r\nContent-Len"), Fault::Cut),
        (Answer::raw("HT"), Fault::Cut),
        (Answer::raw(""), Fault::Closed),
    ];
    // All that is missing is a part of the trailer, with the checksum and the length.
    let gzip_to_the_end = "HTTP/1.1 200 OK\nContent-Encoding: gzip";
    cases.extend((1..=8).map(|bytes| (answer(gzip_to_the_end, &without(bytes)), Fault::ContentCoding)));
    for (number, (answer, fault)) in cases.into_iter().enumerate() {
        upstream.script(move |_| answer.clone().closing());
        assert_eq!(failure(fetch(&upstream).await), no_answer(fault), "{number}");
    }
}

#[actix_rt::test]
async fn a_document_without_length_that_breaks_off_keeps_the_last_good_one() {
    let whole = document("two", T2);
    let half = answer("HTTP/1.1 200 OK", &whole.as_bytes()[..whole.len() / 2]);
    fail_and_recover("half of a document", half.closing(), "ok").await;
}

#[actix_rt::test]
async fn interim_answers_are_skipped_and_their_connection_is_kept() {
    let interim = "HTTP/1.1 103 Early Hints\nLink: </next>; rel=next\n\n";
    let upstream = ScriptedUpstream::start(move |request| {
        let last = match request.header("If-Modified-Since") {
            Some(_) => "HTTP/1.1 304 Not Modified\nContent-Length: 2",
            None => "HTTP/1.1 200 OK\nContent-Length: 2",
        };
        let lines = format!("HTTP/1.1 100 Continue\n\n{}{last}", interim.repeat(20));
        let body: &[u8] = if last.contains("304") { b"" } else { b"[]" };
        answer(&lines, body)
    });
    let client = Upstream::new(&UpstreamOptions::new(upstream.api_url()), Duration::from_secs(10)).unwrap();
    let key = EnvironmentKey::new("ser.secret");
    for _ in 0..3 {
        assert_eq!(pages(client.fetch(&key, None).await), ["[]"]);
        let since = engine::UpdatedAt::parse(T2);
        let outcome = client.fetch(&key, since).await;
        assert!(matches!(outcome, FetchOutcome::NotModified { .. }), "{outcome:?}");
    }
    assert_eq!(upstream.accepted(), 1);
}

#[actix_rt::test]
async fn what_gateways_add_to_a_head_keeps_no_document_away() {
    let many = "\nX-Policy: some words".repeat(400);
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    for lines in [
        "HTTP/1.1 203 Non-Authoritative Information".to_owned(),
        format!("HTTP/1.1 200 OK{many}\nDate: Thu, 26 Dec 2024 16:18:08 GMT"),
        "HTTP/1.1 200 OK\nContent-Length: 2".to_owned(),
        "HTTP/1.1 200 OK\nX-Folded: one\n two".to_owned(),
        "HTTP/1.1 200 OK\nConnection: Upgrade\nUpgrade: h2,h2c\nHost: a\nHost: b".to_owned(),
    ] {
        let given = format!("{lines}\nContent-Length: 2");
        upstream.script(move |_| answer(&given, b"[]"));
        assert_eq!(pages(fetch(&upstream).await), ["[]"], "{lines}");
    }
    // A link after so many fields still leads to the next page.
    upstream.script(move |request| match request.target.as_str() {
        "/api/v1/environment-document/" => answer(
            &format!("HTTP/1.1 200 OK{many}\nLink: <?p>; rel=next\nContent-Length: 1"),
            b"1",
        ),
        _ => Answer::ok("2"),
    });
    assert_eq!(pages(fetch(&upstream).await), ["1", "2"]);
}

#[actix_rt::test]
async fn heads_that_are_not_read_are_refused_by_name() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    let fields = "\nX-Field: 1".repeat(600);
    let long = "x".repeat(100_000);
    for (lines, fault) in [
        (format!("HTTP/1.1 200 OK{fields}"), Fault::TooManyFields),
        (format!("HTTP/1.1 200 OK\nX-Long: {long}"), Fault::HeadTooLarge),
        (
            "HTTP/1.1 200 OK\nContent-Length: 2\nContent-Length: 3".to_owned(),
            Fault::UnreadableLength,
        ),
        (
            "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked".to_owned(),
            Fault::TransferCoding,
        ),
        ("SSH-2.0-OpenSSH_9.2".to_owned(), Fault::NotHttp),
    ] {
        let given = lines.clone();
        upstream.script(move |_| answer(&given, b"[]"));
        let expected = no_answer(fault);
        assert_eq!(
            failure(fetch(&upstream).await),
            expected,
            "{}",
            &lines[..30.min(lines.len())]
        );
    }
}

#[actix_rt::test]
async fn a_byte_order_mark_is_no_part_of_a_document() {
    use crate::harness::{Harness, polled, quick};

    let marked = format!("\u{FEFF}{}", document("marked", T2));
    let upstream = ScriptedUpstream::start(move |_| Answer::ok(marked.clone()));
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.wait_for_value("marked").await;
    let marked = gzip(format!("\u{FEFF}{}", document("compressed", "2024-12-26T16:19:00+00:00")).as_bytes());
    upstream.script(move |_| answer("HTTP/1.1 200 OK\nContent-Encoding: gzip", &marked).closing());
    harness.wait_for_value("compressed").await;
}
