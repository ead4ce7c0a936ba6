//! What polling makes of upstream's documents.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use actors::environment::{EnvironmentEvent, PollingOptions};
use actors::keys::EnvironmentKey;
use engine::{KeyKind, UpdatedAt};
use test_support::documents::{document, later_page, page};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::in_time;

use crate::harness::{Harness, NEVER, polled, quick};

const T1: &str = "2024-12-26T16:18:08.760000+00:00";
const T2: &str = "2024-12-26T16:18:20.000000+00:00";
/// A `Date` that is more than a second after the changes above.
const LATER: &str = "Thu, 26 Dec 2024 17:00:00 GMT";

fn at(text: &str) -> UpdatedAt {
    UpdatedAt::parse(text).unwrap()
}

fn answer(value: &str, updated_at: &str) -> Answer {
    Answer::ok(document(value, updated_at)).header("Date", LATER)
}

#[actix_rt::test]
async fn the_first_document_is_served_and_told() {
    let upstream = ScriptedUpstream::start(|_| answer("one", T1));
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    let served = harness.wait_for_value("one").await;
    assert_eq!(served.updated_at, at(T1));
    assert_eq!(served.updated_at_header, "1735229888.76");
    assert_eq!(served.last_modified, "Thu, 26 Dec 2024 16:18:08 GMT");
    assert_eq!(
        served.flags(KeyKind::Client).plain,
        served.flags(KeyKind::Server).plain
    );
    assert!(String::from_utf8_lossy(&served.document.plain).contains(T1));
    let id = harness.id(0);
    assert_eq!(harness.event().await, EnvironmentEvent::Added(id));
    assert_eq!(harness.event().await, EnvironmentEvent::Updated(id, at(T1)));

    let status = harness.status(0).await;
    assert_eq!(
        (status.status, status.name.as_deref(), status.id.as_deref()),
        ("ok", Some("Test"), Some("1"))
    );
    assert!(status.is_served && status.is_fresh && status.last_successful_update.is_some());
}

#[actix_rt::test]
async fn polls_ask_since_the_documents_own_number() {
    let upstream = ScriptedUpstream::start(|request| {
        if request.header("If-Modified-Since").is_some() {
            Answer::status(304).header("Date", LATER)
        } else {
            // core's document cache lets the header run ahead of the body.
            answer("one", T1).header("Last-Modified", LATER)
        }
    });
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    upstream.wait_for(4).await;
    for request in &upstream.requests()[1..] {
        assert_eq!(
            request.header("If-Modified-Since"),
            Some("Thu, 26 Dec 2024 16:18:08 GMT")
        );
        assert_eq!(request.header("If-None-Match"), None);
    }
    harness.update().await;
    assert_eq!(harness.pending_updates(), 0);
    assert_eq!(harness.handle.newest().version, 1);
}

#[actix_rt::test]
async fn content_before_its_number_is_served_at_once_and_told_with_the_number() {
    let upstream = ScriptedUpstream::start(|_| answer("one", T1));
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.update().await;

    upstream.script(|_| answer("two", T1));
    let served = harness.wait_for_value("two").await;
    assert_eq!(
        served.updated_at,
        at(T1),
        "upstream's own number is not known yet"
    );
    assert_eq!(harness.pending_updates(), 0);

    upstream.script(|_| answer("two", T2));
    assert_eq!(harness.update().await, at(T2));
    let restamped = harness.wait_for_value("two").await;
    assert_eq!(restamped.updated_at_header, at(T2).to_string().as_str());
    assert!(String::from_utf8_lossy(&restamped.document.plain).contains(T2));
    assert!(
        Arc::ptr_eq(&restamped.environment, &served.environment),
        "compiled once"
    );
    assert_eq!(
        restamped.flags(KeyKind::Client).etag,
        served.flags(KeyKind::Client).etag
    );
    assert_ne!(restamped.document.etag, served.document.etag);
}

#[actix_rt::test]
async fn content_whose_number_never_comes_is_told_within_seconds() {
    let upstream = ScriptedUpstream::start(|_| answer("one", T1));
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.update().await;

    let (began, before) = (Instant::now(), UpdatedAt::now());
    upstream.script(|_| answer("two", T1));
    harness.wait_for_value("two").await;
    let update = harness.update().await;
    assert!(began.elapsed() >= Duration::from_secs(1), "upstream had its time");
    assert!(update >= before);
    let served = harness.wait_for_value("two").await;
    assert_eq!(served.updated_at, update);
    assert!(String::from_utf8_lossy(&served.document.plain).contains(&update.to_rfc3339()));

    // Now the number moves alone: that is no news.
    upstream.script(|_| answer("two", T2));
    upstream.wait_for_more(3).await;
    assert_eq!(harness.pending_updates(), 0);
    assert_eq!(harness.wait_for_value("two").await.updated_at, update);
}

#[actix_rt::test]
async fn a_second_change_within_one_second_is_not_lost() {
    // An upstream as core's: whole seconds decide about 304.
    let same_second = "Thu, 26 Dec 2024 16:18:08 GMT";
    let fetches = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&fetches);
    let upstream = ScriptedUpstream::start(move |request| {
        let number = counter.fetch_add(1, Ordering::SeqCst);
        match request.header("If-Modified-Since") {
            Some(_) => Answer::status(304).header("Date", LATER),
            None if number == 0 => Answer::ok(document("one", T1)).header("Date", same_second),
            None => Answer::ok(document("two", "2024-12-26T16:18:08.900000+00:00")).header("Date", LATER),
        }
    });
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.wait_for_value("two").await;
    upstream.wait_for(4).await;
    let conditional: Vec<_> = upstream
        .requests()
        .iter()
        .map(|request| request.header("If-Modified-Since").is_some())
        .collect();
    assert_eq!(conditional[..4], [false, false, true, true]);
}

#[actix_rt::test]
async fn identity_overrides_of_all_pages_are_served() {
    let upstream = ScriptedUpstream::start(|request| match request.target.as_str() {
        "/api/v1/environment-document/" => {
            Answer::ok(page("one", T1, &["first"])).header("Link", r#"<?page_id=2>; rel="next""#)
        }
        "/api/v1/environment-document/?page_id=2" => {
            Answer::ok(later_page(&["second", "third"])).header("Link", r#"<?page_id=3>; rel="next""#)
        }
        _ => Answer::ok(later_page(&["fourth"])),
    });
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    let served = harness.wait_for_value("one").await;
    let text = String::from_utf8_lossy(&served.document.plain).into_owned();
    for identifier in ["first", "second", "third", "fourth"] {
        assert_eq!(
            text.matches(&format!(r#""identifier":"{identifier}""#)).count(),
            1,
            "{identifier}"
        );
    }
}

#[actix_rt::test]
async fn a_lagging_worker_is_not_believed_before_the_third_time() {
    let upstream = ScriptedUpstream::start(|_| answer("new", T2));
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.update().await;

    let fetches = AtomicUsize::new(0);
    upstream.script(move |_| {
        let is_lagging = fetches.fetch_add(1, Ordering::SeqCst) % 3 < 2;
        if is_lagging {
            answer("old", T1)
        } else {
            answer("new", T2)
        }
    });
    upstream.wait_for_more(9).await;
    assert_eq!(harness.handle.newest().version, 1);

    upstream.script(|_| answer("old", T1));
    let served = harness.wait_for_value("old").await;
    assert!(served.updated_at > at(T2), "the served number never falls");
    assert_eq!(harness.update().await, served.updated_at);
}

#[actix_rt::test]
async fn all_environments_are_fetched_first_and_none_waits_for_another() {
    const ENVIRONMENTS: usize = 20;
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some("ser.0") => Answer::hang(),
        _ => answer("one", T1),
    });
    // Nothing but the first poll comes within the test.
    let polling = PollingOptions {
        period: NEVER,
        timeout: NEVER,
        ..quick()
    };
    let environments = (0..ENVIRONMENTS).map(polled).collect();
    let harness = Harness::start(environments, upstream.api_url(), polling);
    for number in 1..ENVIRONMENTS {
        harness.wait_for_value_of(number, "one").await;
    }
    // The one that hangs may be read after the others are answered.
    upstream.wait_for(ENVIRONMENTS).await;
    assert_eq!(upstream.requests().len(), ENVIRONMENTS);
}

#[actix_rt::test]
async fn a_failing_environment_delays_no_other() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some("ser.0") => Answer::hang(),
        Some("ser.1") => Answer::status(403),
        _ => answer("one", T1),
    });
    let polling = PollingOptions {
        timeout: NEVER,
        ..quick()
    };
    let environments = vec![polled(0), polled(1), polled(2)];
    let harness = Harness::start(environments, upstream.api_url(), polling);
    harness.wait_for_value_of(2, "one").await;
    harness.wait_for_status(1, "key rejected").await;
    let of = |key: &str| {
        let requests = upstream.requests();
        let of_key = requests
            .iter()
            .filter(|r| r.header("X-Environment-Key") == Some(key));
        of_key.count()
    };
    let mut count = upstream.count();
    in_time(count.wait_for(|_| of("ser.0") > 0)).await.unwrap();
    let before = of("ser.2");
    in_time(count.wait_for(|_| of("ser.2") > before + 3))
        .await
        .unwrap();
    assert_eq!(of("ser.0"), 1, "one fetch at a time");
    let statuses: Vec<_> = harness.statuses().await.iter().map(|s| s.status).collect();
    assert_eq!(statuses, ["not updated", "key rejected", "ok"]);
}

#[actix_rt::test]
async fn the_next_key_polls_when_one_is_rejected() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some("ser.new") => answer("one", T1),
        _ => Answer::status(403),
    });
    let mut environment = polled(0);
    environment.server_side_keys.push(EnvironmentKey::new("ser.new"));
    // A rejected key would wait a period, were there no other.
    let polling = PollingOptions {
        period: Duration::from_secs(1000),
        ..quick()
    };
    let harness = Harness::start(vec![environment], upstream.api_url(), polling);
    harness.wait_for_value("one").await;
    let keys: Vec<_> = upstream
        .requests()
        .iter()
        .map(|request| request.header("X-Environment-Key").map(str::to_owned))
        .collect();
    assert_eq!(keys, [Some("ser.0".to_owned()), Some("ser.new".to_owned())]);
}

#[actix_rt::test]
async fn a_fetch_that_hangs_does_not_keep_content_untold() {
    let upstream = ScriptedUpstream::start(|_| answer("one", T1));
    let polling = PollingOptions {
        timeout: NEVER,
        ..quick()
    };
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    harness.update().await;
    // New content under the old number: it is served, and told when its number is known or waited for in vain.
    upstream.script(|_| answer("two", T1));
    harness.wait_for_value("two").await;
    upstream.script(|_| Answer::hang());
    assert!(harness.update().await > at(T1));
}
