//! One fetch: what is sent, and what is made of each answer.
use std::time::Duration;

use actors::keys::EnvironmentKey;
use actors::upstream::{Fault, FetchFailure, FetchOutcome, Stage, Upstream, UpstreamOptions};
use engine::UpdatedAt;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use crate::answers::gzip;

const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) async fn fetch_within(
    upstream: &ScriptedUpstream,
    timeout: Duration,
    since: Option<UpdatedAt>,
) -> FetchOutcome {
    let client = Upstream::new(&UpstreamOptions::new(upstream.api_url()), timeout).unwrap();
    client.fetch(&EnvironmentKey::new("ser.secret"), since).await
}

pub(crate) async fn fetch(upstream: &ScriptedUpstream) -> FetchOutcome {
    fetch_within(upstream, TIMEOUT, None).await
}

pub(crate) fn pages(outcome: FetchOutcome) -> Vec<String> {
    match outcome {
        FetchOutcome::Document { pages, .. } => pages
            .iter()
            .map(|page| String::from_utf8(page.to_vec()).unwrap())
            .collect(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn failure(outcome: FetchOutcome) -> FetchFailure {
    match outcome {
        FetchOutcome::Failure(failure) => failure,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn no_answer(fault: Fault) -> FetchFailure {
    FetchFailure::NoAnswer(fault)
}

#[actix_rt::test]
async fn asks_as_flagsmith_expects() {
    let upstream =
        ScriptedUpstream::start(|_| Answer::ok("{}").header("Date", "Thu, 26 Dec 2024 16:18:08 GMT"));
    let FetchOutcome::Document { date, .. } = fetch(&upstream).await else {
        panic!("no document")
    };
    assert_eq!(
        httpdate::fmt_http_date(date.unwrap()),
        "Thu, 26 Dec 2024 16:18:08 GMT"
    );
    let request = upstream.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("GET", "/api/v1/environment-document/")
    );
    assert_eq!(request.header("X-Environment-Key"), Some("ser.secret"));
    assert_eq!(
        request.header("User-Agent"),
        Some(concat!("edge-proxy/", env!("CARGO_PKG_VERSION")))
    );
    assert!(request.header("Accept-Encoding").unwrap().contains("gzip"));
    assert_eq!(request.header("If-Modified-Since"), None);
    assert_eq!(
        request.header("If-None-Match"),
        None,
        "it switches upstream's 304 off"
    );
}

#[actix_rt::test]
async fn asks_conditionally_by_date() {
    let upstream = ScriptedUpstream::start(|request| {
        if request.header("If-Modified-Since").is_some() {
            Answer::status(304)
        } else {
            Answer::ok("{}")
        }
    });
    let since = UpdatedAt::parse("2024-12-26T16:18:08.76+00:00");
    assert!(matches!(
        fetch_within(&upstream, TIMEOUT, since).await,
        FetchOutcome::NotModified { date: None }
    ));
    assert_eq!(
        upstream.requests()[0].header("If-Modified-Since"),
        Some("Thu, 26 Dec 2024 16:18:08 GMT")
    );
    upstream.script(|_| Answer::status(304));
    assert_eq!(
        failure(fetch(&upstream).await),
        FetchFailure::Status(304),
        "nobody asked conditionally"
    );
}

#[actix_rt::test]
async fn reads_all_pages_with_their_ids_untouched() {
    let upstream = ScriptedUpstream::start(|request| {
        let host = request.header("Host").unwrap();
        match request.target.as_str() {
            "/api/v1/environment-document/" => Answer::ok("1").header(
                "Link",
                r#"</api/v1/environment-document/?page_id=identity_override%3A1%2B2:a>; rel="next""#,
            ),
            "/api/v1/environment-document/?page_id=identity_override%3A1%2B2:a" => Answer::ok("2").header(
                "Link",
                format!(r#"<http://{host}/x>; rel="prev", <http://{host}/api/v1/p3?a=b>; rel="next""#),
            ),
            "/api/v1/p3?a=b" => Answer::ok("3").header("Link", "<?a=b>; rel=next"),
            other => panic!("{other}"),
        }
    });
    assert_eq!(pages(fetch(&upstream).await), ["1", "2", "3"]);
    assert!(
        upstream
            .requests()
            .iter()
            .all(|request| request.header("X-Environment-Key") == Some("ser.secret"))
    );
}

#[actix_rt::test]
async fn a_failed_page_fails_the_fetch() {
    for (answer, expected) in [
        (
            Answer::refusal(403, gzip(br#"{"detail":"no"}"#)).header("Content-Encoding", "identity, gzip"),
            FetchFailure::KeyRejected(403, Some("no".to_owned())),
        ),
        (Answer::status(500), FetchFailure::Status(500)),
        (Answer::status(403), FetchFailure::KeyRejected(403, None)),
        (Answer::ok("2222").truncated(), no_answer(Fault::Cut)),
    ] {
        let upstream = ScriptedUpstream::start(move |request| {
            if request.target.ends_with('/') {
                Answer::ok("1").header("Link", "<?p>; rel=next")
            } else {
                answer.clone()
            }
        });
        assert_eq!(failure(fetch(&upstream).await), expected);
    }
}

#[actix_rt::test]
async fn follows_redirects_within_the_origin() {
    let upstream = ScriptedUpstream::start(|request| match request.target.as_str() {
        "/api/v1/environment-document/" => Answer::status(301).header("Location", "/moved/"),
        "/moved/" => Answer::status(307).header("Location", "here?x=1"),
        "/moved/here?x=1" => Answer::ok("found"),
        other => panic!("{other}"),
    });
    assert_eq!(pages(fetch(&upstream).await), ["found"]);
    assert_eq!(
        upstream.requests()[2].header("X-Environment-Key"),
        Some("ser.secret")
    );
}

#[actix_rt::test]
async fn no_key_leaves_the_origin() {
    let other = ScriptedUpstream::start(|_| Answer::ok("{}"));
    let elsewhere = format!("{}/api/v1/environment-document/", other.origin());
    let redirecting = elsewhere.clone();
    let upstream = ScriptedUpstream::start(move |_| Answer::status(302).header("Location", &redirecting));
    assert_eq!(failure(fetch(&upstream).await), FetchFailure::Redirect);
    upstream.script(move |_| Answer::ok("1").header("Link", format!("<{elsewhere}>; rel=next")));
    assert_eq!(failure(fetch(&upstream).await), FetchFailure::PageElsewhere);
    upstream.script(|request: &ReceivedRequest| Answer::status(302).header("Location", &request.target));
    assert_eq!(
        failure(fetch(&upstream).await),
        FetchFailure::Redirect,
        "a circle"
    );
    assert!(other.requests().is_empty());
}

#[test]
fn an_api_whose_port_there_is_not_is_asked_nothing() {
    for (port, is_usable) in [
        (":99999", false),
        (":8x", false),
        (":0", false),
        (":", true),
        ("", true),
    ] {
        let options = UpstreamOptions::new(format!("http://127.0.0.1{port}/api/v1"));
        let upstream = Upstream::new(&options, TIMEOUT);
        assert_eq!(upstream.is_ok(), is_usable, "{port}");
    }
}

#[actix_rt::test]
async fn each_failure_has_its_name() {
    for (answer, expected) in [
        (Answer::status(401), FetchFailure::KeyRejected(401, None)),
        (Answer::status(403), FetchFailure::KeyRejected(403, None)),
        (
            Answer::refusal(
                403,
                r#"{"detail":"Organisation is disabled from serving flags."}"#,
            ),
            FetchFailure::KeyRejected(
                403,
                Some("Organisation is disabled from serving flags.".to_owned()),
            ),
        ),
        (Answer::status(500), FetchFailure::Status(500)),
        (Answer::status(404), FetchFailure::Status(404)),
        (Answer::status(429), FetchFailure::RateLimited(None)),
        (
            Answer::status(429).header("Retry-After", "7"),
            FetchFailure::RateLimited(Some(Duration::from_secs(7))),
        ),
        (
            Answer::status(429)
                .header("Date", "Thu, 26 Dec 2024 16:18:08 GMT")
                .header("Retry-After", "Thu, 26 Dec 2024 16:18:18 GMT"),
            FetchFailure::RateLimited(Some(Duration::from_secs(10))),
        ),
        (
            Answer::status(429).header("Retry-After", "18446744073709551616"),
            FetchFailure::RateLimited(None),
        ),
        (Answer::ok("[0,1,2,3]").truncated(), no_answer(Fault::Cut)),
        (
            Answer::ok("no gzip").header("Content-Encoding", "gzip"),
            no_answer(Fault::ContentCoding),
        ),
        (Answer::status(302), FetchFailure::Redirect),
    ] {
        let given = answer.clone();
        let upstream = ScriptedUpstream::start(move |_| given.clone());
        assert_eq!(failure(fetch(&upstream).await), expected, "{answer:?}");
    }
}

#[actix_rt::test]
async fn the_timeout_covers_the_head_and_the_body() {
    // Long enough to connect on a slow machine.
    let timeout = Duration::from_secs(2);
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    assert_eq!(
        failure(fetch_within(&upstream, timeout, None).await),
        no_answer(Fault::Late(Stage::Head))
    );
    upstream.script(|_| Answer::ok("[0,1,2,3]").stalling());
    assert_eq!(
        failure(fetch_within(&upstream, timeout, None).await),
        no_answer(Fault::Late(Stage::Body))
    );
}

#[actix_rt::test]
async fn an_upstream_that_is_down_gives_no_connection() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    upstream.go_down();
    assert_eq!(failure(fetch(&upstream).await), no_answer(Fault::Refused));
    upstream.come_up();
    assert_eq!(pages(fetch(&upstream).await), ["{}"]);
}

#[actix_rt::test]
async fn a_kept_connection_that_was_closed_costs_nothing() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}").closing());
    let client = Upstream::new(&UpstreamOptions::new(upstream.api_url()), TIMEOUT).unwrap();
    for _ in 0..20 {
        assert_eq!(
            pages(client.fetch(&EnvironmentKey::new("ser.secret"), None).await),
            ["{}"]
        );
    }
}

#[actix_rt::test]
async fn unusable_urls_and_keys_are_named() {
    for api_url in ["", "host/api/v1", "ftp://host/api/v1", "http://", "http://a b/"] {
        assert!(
            matches!(
                Upstream::new(&UpstreamOptions::new(api_url), TIMEOUT),
                Err(FetchFailure::Unusable)
            ),
            "{api_url}"
        );
    }
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    let client = Upstream::new(&UpstreamOptions::new(upstream.api_url()), TIMEOUT).unwrap();
    assert_eq!(
        failure(client.fetch(&EnvironmentKey::new("ser.\n"), None).await),
        FetchFailure::UnusableKey
    );
    assert!(upstream.requests().is_empty());
}
