use awc::http::Method;
use bytes::Bytes;
use futures::future::{join, join_all};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::{PATIENCE, in_time};

use super::*;
use crate::keys::EnvironmentKey;
use crate::upstream::{Fault, Stage};

fn start(api_url: String, options: ForwardingOptions, lifelines: &Lifelines) -> ForwardingHandle {
    ForwardingHandle::start(options, UpstreamOptions::new(api_url), lifelines).unwrap()
}

fn request() -> ForwardRequest {
    ForwardRequest {
        method: Method::POST,
        path: "traits/",
        key: EnvironmentKey::new("client-key"),
        headers: Vec::new(),
        body: Bytes::from_static(b"{}"),
        is_repeatable: true,
    }
}

/// Options of calls that do not end by themselves within a test.
fn patient(at_once: usize) -> ForwardingOptions {
    ForwardingOptions {
        at_once,
        timeout: PATIENCE,
    }
}

#[actix_rt::test]
async fn no_more_calls_are_under_way_than_may_be() {
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    let forwarding = start(upstream.api_url(), patient(3), &Lifelines::new());
    let calls = join_all((0..10).map(|_| forwarding.forward(request())));
    let end = async {
        upstream.wait_for(3).await;
        upstream.go_down();
    };
    let (outcomes, ()) = in_time(join(calls, end)).await;
    let (busy, failed): (Vec<_>, Vec<_>) = outcomes
        .into_iter()
        .map(Result::unwrap_err)
        .partition(|refused| *refused == NotForwarded::Busy);
    assert_eq!(busy.len(), 7);
    let closed = NotForwarded::Failed(ForwardFailure::NoAnswer(Fault::Closed));
    assert_eq!(failed, vec![closed; 3]);
    assert_eq!(upstream.requests().len(), 3);
    upstream.script(|_| Answer::ok("{}"));
    upstream.come_up();
    assert!(
        in_time(forwarding.forward(request())).await.is_ok(),
        "places are given back"
    );
    assert!(forwarding.has_place());
}

#[actix_rt::test]
async fn a_call_ends_in_time() {
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    let options = ForwardingOptions {
        timeout: Duration::from_secs(2),
        ..ForwardingOptions::default()
    };
    let forwarding = start(upstream.api_url(), options, &Lifelines::new());
    let late = NotForwarded::Failed(ForwardFailure::NoAnswer(Fault::Late(Stage::Head)));
    let ended = async {
        loop {
            match forwarding.forward(request()).await.unwrap_err() {
                // On a slow machine the call may begin so late that the actor counts as dead.
                NotForwarded::Unavailable => {}
                ended => return ended,
            }
        }
    };
    assert_eq!(in_time(ended).await, late);
}

#[actix_rt::test]
async fn a_call_that_nobody_waits_for_keeps_its_place_to_its_end() {
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    let forwarding = start(upstream.api_url(), patient(1), &Lifelines::new());
    {
        let mut call = Box::pin(forwarding.forward(request()));
        tokio::select! {
            biased;
            () = upstream.wait_for(1) => {}
            _ = &mut call => panic!("it hangs"),
        }
    }
    assert!(!forwarding.has_place());
    upstream.go_down();
    let placed = async {
        while !forwarding.has_place() {
            tokio::task::yield_now().await;
        }
    };
    in_time(placed).await;
}

#[actix_rt::test]
async fn a_dead_actor_is_noticed_and_an_orderly_stop_is_no_death() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("{}"));
    let lifelines = Lifelines::new();
    let stopped = start(upstream.api_url(), ForwardingOptions::default(), &lifelines);
    assert!(stopped.forward(request()).await.is_ok());
    assert!(stopped.stop(Duration::from_secs(20)).await);
    let gone = stopped.forward(request()).await;
    assert_eq!(gone.unwrap_err(), NotForwarded::Unavailable);
    assert!(lifelines.is_alive());

    let dead = start(upstream.api_url(), ForwardingOptions::default(), &lifelines);
    assert!(dead.address.send(crate::fault::Panic).await.is_err());
    assert_eq!(in_time(lifelines.first_death()).await, "Forwarding");
    let gone = dead.forward(request()).await;
    assert_eq!(gone.unwrap_err(), NotForwarded::Unavailable);
}
