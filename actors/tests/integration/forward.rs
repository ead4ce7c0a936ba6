//! Requests that are sent on: what upstream is asked, what is made of its answer, and what is sent twice.
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use actors::keys::EnvironmentKey;
use actors::upstream::{
    Fault, ForwardAnswer, ForwardFailure, ForwardRequest, Forwarder, Stage, UpstreamOptions,
};
use awc::http::Method;
use awc::http::header::{CONTENT_TYPE, HeaderValue};
use bytes::Bytes;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::answers::gzip;

const TIMEOUT: Duration = Duration::from_secs(20);

fn forwarder(api_url: String, timeout: Duration) -> Forwarder {
    Forwarder::new(&UpstreamOptions::new(api_url), timeout).unwrap()
}

fn request(is_repeatable: bool) -> ForwardRequest {
    ForwardRequest {
        method: Method::POST,
        path: "traits/",
        key: EnvironmentKey::new("client-key"),
        headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body: Bytes::from_static(br#"{"trait_key":"plan"}"#),
        is_repeatable,
    }
}

async fn forward(upstream: &ScriptedUpstream) -> Result<ForwardAnswer, ForwardFailure> {
    forwarder(upstream.api_url(), TIMEOUT)
        .forward(&request(true))
        .await
}

async fn failure(upstream: &ScriptedUpstream) -> ForwardFailure {
    forward(upstream).await.expect_err("a failure")
}

#[actix_rt::test]
async fn what_was_sent_arrives_and_what_was_answered_comes_back() {
    let upstream = ScriptedUpstream::start(|_| {
        Answer::refusal(422, "odd")
            .header("Content-Type", "text/plain")
            .header("Retry-After", "7")
            .header("Set-Cookie", "session=secret")
    });
    let forwarder = forwarder(upstream.api_url(), TIMEOUT);
    let mut sent = request(true);
    sent.method = Method::PUT;
    sent.path = "traits/bulk/";
    let answer = forwarder.forward(&sent).await.unwrap();
    assert_eq!(
        (answer.status.as_u16(), answer.body.as_ref()),
        (422, b"odd".as_slice())
    );
    assert_eq!(answer.content_type.unwrap(), "text/plain");
    assert_eq!(answer.retry_after.unwrap(), "7");

    let received = upstream.requests().remove(0);
    assert_eq!(
        (received.method.as_str(), received.target.as_str()),
        ("PUT", "/api/v1/traits/bulk/")
    );
    assert_eq!(received.body, br#"{"trait_key":"plan"}"#);
    assert_eq!(received.header("X-Environment-Key"), Some("client-key"));
    assert_eq!(received.header("Content-Type"), Some("application/json"));

    sent.path = "../v2/analytics/flags/";
    upstream.script(|_| Answer::status(204));
    let answer = forwarder.forward(&sent).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    assert_eq!(upstream.requests()[1].target, "/api/v2/analytics/flags/");
    assert_eq!(upstream.accepted(), 1, "the connection is kept");
}

#[actix_rt::test]
async fn each_body_is_read_within_its_bound() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    // Text that compresses as answers do.
    let mut large: String = (0..400_000).map(|number| format!("{number},")).collect();
    large.truncate(2 * 1024 * 1024);
    for (answer, length) in [
        (Answer::ok(large.clone()), Ok(large.len())),
        (
            Answer::ok(gzip(large.as_bytes())).header("Content-Encoding", "gzip"),
            Ok(large.len()),
        ),
        (Answer::ok(format!("{large}x")), Err(ForwardFailure::TooLarge)),
        (
            Answer::ok(gzip(format!("{large}x").as_bytes())).header("Content-Encoding", "gzip"),
            Err(ForwardFailure::TooLarge),
        ),
        (
            Answer::ok("x").header("Content-Encoding", "br"),
            Err(ForwardFailure::NoAnswer(Fault::ContentCoding)),
        ),
        (
            Answer::ok("[0,1,2,3]").truncated(),
            Err(ForwardFailure::NoAnswer(Fault::Cut)),
        ),
    ] {
        upstream.script(move |_| answer.clone());
        let answered = forward(&upstream).await.map(|answer| answer.body.len());
        assert_eq!(answered, length);
    }
}

#[actix_rt::test]
async fn where_the_status_counts_no_body_makes_it_a_failure() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    let forwarder = forwarder(upstream.api_url(), TIMEOUT);
    let status = async || {
        let answer = forwarder.status(&request(true)).await.unwrap();
        assert!(answer.body.is_empty());
        (answer.status.as_u16(), answer.retry_after)
    };
    assert_eq!((status().await, status().await), ((200, None), (200, None)));
    assert_eq!(upstream.accepted(), 1, "a body that ends keeps the connection");
    for answer in [
        Answer::ok("x").header("Content-Encoding", "br"),
        Answer::ok("no gzip").header("Content-Encoding", "gzip"),
        Answer::ok("[0,1,2,3]").truncated(),
        Answer::ok("[0,1,2,3]").stalling(),
        Answer::ok("x".repeat(3 * 1024 * 1024)),
    ] {
        upstream.script(move |_| answer.clone());
        assert_eq!(status().await, (200, None));
    }
    upstream.script(|_| Answer::status(429).header("Retry-After", "7"));
    assert_eq!(status().await, (429, Some(HeaderValue::from_static("7"))));

    upstream.script(|_| Answer::raw("").closing());
    let failure = forwarder.status(&request(false)).await.unwrap_err();
    assert_eq!(failure, ForwardFailure::NoAnswer(Fault::Closed));
}

#[actix_rt::test]
async fn redirects_within_the_origin_are_followed_with_the_same_request() {
    let other = ScriptedUpstream::start(|_| Answer::ok("{}"));
    let elsewhere = other.api_url();
    let upstream = ScriptedUpstream::start(|request| match request.target.as_str() {
        "/api/v1/traits/" => Answer::status(301).header("Location", "/moved/"),
        "/moved/" => Answer::status(308).header("Location", "here/"),
        _ => Answer::ok("found"),
    });
    assert_eq!(forward(&upstream).await.unwrap().body, "found");
    let last = upstream.requests().remove(2);
    assert_eq!(
        (last.method.as_str(), last.target.as_str()),
        ("POST", "/moved/here/")
    );
    assert_eq!(last.body, br#"{"trait_key":"plan"}"#);
    for answer in [
        Answer::status(307).header("Location", &elsewhere),
        Answer::status(307).header("Location", "/api/v1/traits/"),
        Answer::status(303).header("Location", "/done/"),
        Answer::status(302),
    ] {
        upstream.script(move |_| answer.clone());
        assert_eq!(failure(&upstream).await, ForwardFailure::Redirect);
    }
    assert!(other.requests().is_empty(), "no key leaves the origin");
}

#[actix_rt::test]
async fn a_call_ends_in_time_wherever_it_hangs() {
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    let forwarder = forwarder(upstream.api_url(), Duration::from_secs(2));
    for (answer, stage) in [
        (Answer::hang(), Stage::Head),
        (Answer::ok("[0,1,2,3]").stalling(), Stage::Body),
    ] {
        upstream.script(move |_| answer.clone());
        let failure = forwarder.forward(&request(true)).await.unwrap_err();
        assert_eq!(failure, ForwardFailure::NoAnswer(Fault::Late(stage)));
        assert!(failure.may_be_done());
    }
}

#[actix_rt::test]
async fn an_upstream_that_is_away_has_done_nothing() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    upstream.go_down();
    let failure = failure(&upstream).await;
    assert_eq!(failure, ForwardFailure::NoAnswer(Fault::Refused));
    assert!(!failure.may_be_done());
    for api_url in ["no url", "ftp://host/api/v1", "/api/v1"] {
        let made = Forwarder::new(&UpstreamOptions::new(api_url), TIMEOUT);
        assert_eq!(made.err(), Some(ForwardFailure::Unusable), "{api_url}");
    }
}

/// A server that answers the first request of a connection, and ends the connection when the next one has come whole: what
/// it then has done nobody knows. Tells of each request.
fn closing_after_each_second_request() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api_url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    let (told, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, told) = (stream.unwrap(), told.clone());
            thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                for number in 0..2 {
                    let (mut head, mut length) = (String::new(), 0);
                    while !head.ends_with("\r\n\r\n") {
                        let from = head.len();
                        if reader.read_line(&mut head).unwrap_or(0) == 0 {
                            return;
                        }
                        let line = head[from..].to_ascii_lowercase();
                        if let Some(value) = line.strip_prefix("content-length:") {
                            length = value.trim().parse().unwrap();
                        }
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    told.send(head).unwrap();
                    if number == 0 {
                        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
                        (&stream).write_all(answer).unwrap();
                    }
                }
                let _ = stream.shutdown(Shutdown::Both);
            });
        }
    });
    (api_url, requests)
}

#[actix_rt::test]
async fn what_may_be_done_twice_is_sent_again_when_its_kept_connection_ends() {
    let (api_url, requests) = closing_after_each_second_request();
    let forwarder = forwarder(api_url, TIMEOUT);
    for _ in 0..2 {
        assert_eq!(forwarder.forward(&request(true)).await.unwrap().body, "{}");
    }
    assert_eq!(requests.try_iter().count(), 3, "the second one twice");
}

#[actix_rt::test]
async fn what_may_not_be_done_twice_has_a_connection_of_its_own() {
    let (api_url, requests) = closing_after_each_second_request();
    let forwarder = forwarder(api_url, TIMEOUT);
    for _ in 0..4 {
        assert_eq!(forwarder.forward(&request(false)).await.unwrap().body, "{}");
        assert_eq!(forwarder.forward(&request(true)).await.unwrap().body, "{}");
    }
    let (once, again): (Vec<_>, Vec<_>) = requests
        .try_iter()
        .partition(|head| head.to_ascii_lowercase().contains("connection: close"));
    assert_eq!(once.len(), 4, "none was sent on a kept connection, or twice");
    assert!(again.len() > 4);
}

#[actix_rt::test]
async fn what_may_not_be_done_twice_is_not_when_upstream_hangs_up() {
    let upstream = ScriptedUpstream::start(|_| Answer::raw("").closing());
    let forwarder = forwarder(upstream.api_url(), TIMEOUT);
    let failure = forwarder.forward(&request(false)).await.unwrap_err();
    assert_eq!(failure, ForwardFailure::NoAnswer(Fault::Closed));
    assert!(failure.may_be_done());
    assert_eq!(upstream.requests().len(), 1);
}
