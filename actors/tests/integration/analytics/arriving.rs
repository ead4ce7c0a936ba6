//! What upstream gets, and when.
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use actors::analytics::{AnalyticsOptions, EvaluationRef, LabelsRef};
use serde_json::json;
use test_support::upstream::{Answer, ReceivedRequest, counts};

use super::{Analytics, document, often, sent, upstream};
use crate::harness::polled;

#[actix_rt::test]
async fn counts_arrive_with_key_and_labels_in_a_request_for_each_set() {
    let (upstream, counted) = upstream(2, |_| None);
    let analytics = Analytics::start(&upstream, often()).await;
    let shop = [
        ("flagsmith-application-name", "shop"),
        ("flagsmith-application-version", "1.2"),
        ("flagsmith-sdk-user-agent", "flagsmith-js-sdk/12.4.0"),
        ("user-agent", "Mozilla/5.0"),
    ];
    let till = [("user-agent", "flagsmith-python-sdk/6.3.0")];
    for _ in 0..3 {
        analytics.count_as(&shop, "feature_0", 1);
        analytics.count_as(&shop, "feature_1", 2);
        analytics.count_as(&till, "feature_0", 4);
    }
    analytics.count("feature_0", 8);
    counted.wait_for_sum(29).await;
    assert_eq!(counted.sum(), 29);
    let mut by_agent: BTreeMap<String, u64> = BTreeMap::new();
    for request in counted.requests() {
        assert_eq!(request.target, "/api/v1/analytics/flags/");
        assert_eq!(request.header("x-environment-key"), Some("client0"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        let agent = request.header("user-agent").unwrap();
        let name = request.header("flagsmith-application-name");
        assert_eq!(name, (agent == "Mozilla/5.0").then_some("shop"), "{agent}");
        let sdk = request.header("flagsmith-sdk-user-agent");
        assert_eq!(sdk.is_some(), name.is_some(), "{agent}");
        let sum: u64 = counts(&request).iter().map(|(_, count)| count).sum();
        *by_agent
            .entry(agent.split('/').next().unwrap().to_owned())
            .or_default() += sum;
    }
    let expected = [("Mozilla", 9), ("edge-proxy", 8), ("flagsmith-python-sdk", 12)];
    assert_eq!(
        by_agent,
        BTreeMap::from(expected.map(|(agent, sum)| (agent.to_owned(), sum)))
    );
}

#[actix_rt::test]
async fn evaluations_go_to_version_2_where_api_url_has_one_beside_it() {
    let (upstream, counted) = upstream(1, |_| None);
    let evaluation = EvaluationRef {
        feature: "feature_0",
        identity: Some("bob"),
        enabled: true,
    };
    let analytics = Analytics::start(&upstream, often()).await;
    let count = |analytics: &Analytics| {
        analytics
            .worker
            .count(analytics.id(), LabelsRef::default(), |counting| {
                counting.evaluation(evaluation, 3, |_| true);
            });
    };
    count(&analytics);
    counted.wait_for_sum(3).await;
    let request = counted.requests().pop().unwrap();
    assert_eq!(request.target, "/api/v2/analytics/flags/");
    assert_eq!(
        request.json(),
        json!({"evaluations": [{"feature_name": "feature_0", "identity_identifier": "bob",
            "enabled_when_evaluated": true, "count": 3}]})
    );

    let api_url = format!("{}/flagsmith", upstream.origin());
    let elsewhere = Analytics::start_with(vec![polled(0)], api_url, often(), None);
    elsewhere.wait_for_document().await;
    count(&elsewhere);
    counted.wait_for_sum(6).await;
    let request = counted.requests().pop().unwrap();
    assert_eq!(
        (request.target.as_str(), request.json()),
        ("/flagsmith/analytics/flags/", json!({"feature_0": 3}))
    );
}

#[actix_rt::test]
async fn nothing_is_lost_while_upstream_is_away_or_refuses() {
    let (upstream, counted) = upstream(1, |_| None);
    let analytics = Analytics::start(&upstream, often()).await;
    upstream.go_down();
    for _ in 0..10 {
        analytics.count("feature_0", 5);
    }
    analytics.wait_for(|totals| totals.waiting == 50).await;
    let script = |status| counted.script(&document(1), move |_| Some(Answer::status(status)));
    upstream.script(script(503));
    upstream.come_up();
    let before = sent(&upstream).len();
    while sent(&upstream).len() == before {
        upstream.wait_for_more(1).await;
    }
    assert_eq!(analytics.totals().await.waiting, 50);
    upstream.script(counted.script(&document(1), |_| None));
    analytics.count("feature_0", 1);
    let totals = analytics.wait_for(|totals| totals.forwarded == 51).await;
    assert_eq!((totals.waiting, totals.lost.sum()), (0, 0));
    assert_eq!(counted.sum(), 51);
}

#[actix_rt::test]
async fn a_batch_that_is_too_large_is_split() {
    let too_large = |request: &ReceivedRequest| (counts(request).len() > 10).then(|| Answer::status(413));
    let (upstream, counted) = upstream(100, too_large);
    let analytics = Analytics::start(&upstream, often()).await;
    for number in 0..100 {
        analytics.count(&format!("feature_{number}"), number + 1);
    }
    counted.wait_for_sum(5_050).await;
    let expected = (0..100).map(|number| (format!("feature_{number}"), number + 1));
    assert_eq!(counted.by_feature(), expected.collect());
    assert_eq!(
        analytics.wait_for(|totals| totals.waiting == 0).await.forwarded,
        5_050
    );
}

#[actix_rt::test]
async fn retry_after_is_waited_for() {
    let is_first = Mutex::new(true);
    let (upstream, counted) = upstream(1, move |_| {
        let is_first = std::mem::take(&mut *is_first.lock().unwrap());
        is_first.then(|| Answer::status(429).header("Retry-After", 2))
    });
    let analytics = Analytics::start(&upstream, often()).await;
    analytics.count("feature_0", 1);
    counted.wait_for_sum(1).await;
    let requests = sent(&upstream);
    assert_eq!(requests.len(), 2);
    assert!(requests[1].at - requests[0].at >= Duration::from_secs(2));
}

#[actix_rt::test]
async fn what_upstream_refuses_for_good_is_dropped_and_counted() {
    let (upstream, counted) = upstream(1, |_| Some(Answer::status(404)));
    let analytics = Analytics::start(&upstream, often()).await;
    analytics.count("feature_0", 7);
    let totals = analytics.wait_for(|totals| totals.lost.refused == 7).await;
    assert_eq!((totals.waiting, totals.forwarded, counted.sum()), (0, 0, 0));
}

#[actix_rt::test]
async fn one_user_agent_that_upstream_does_not_take_holds_up_no_other() {
    const AGENTS: [&str; 4] = ["one", "two", "three", "four"];
    for status in [403, 500] {
        let (upstream, counted) = upstream(1, move |request| {
            (request.header("user-agent") == Some("evil")).then(|| Answer::status(status))
        });
        let analytics = Analytics::start(&upstream, often()).await;
        analytics.count_as(&[("user-agent", "evil")], "feature_0", 1_000);
        // It has failed, and waits.
        while sent(&upstream).is_empty() {
            upstream.wait_for_more(1).await;
        }
        // Not what is forwarded in all: what it has counted is, without its name, once it has failed beside others.
        let of_others = || -> u64 {
            let requests = counted.requests();
            let by_agents = requests.iter().filter(|request| {
                let agent = request.header("user-agent");
                agent.is_some_and(|agent| AGENTS.contains(&agent))
            });
            by_agents.flat_map(counts).map(|(_, count)| count).sum()
        };
        for round in 1..=5 {
            for agent in AGENTS {
                analytics.count_as(&[("user-agent", agent)], "feature_0", 1);
            }
            analytics.wait_for(|_| of_others() >= 4 * round).await;
        }
        assert_eq!(of_others(), 20, "{status}");
        assert_eq!(analytics.totals().await.lost.sum(), 0);
    }
}

#[actix_rt::test]
async fn where_upstream_has_no_version_2_evaluations_arrive_by_feature() {
    let (upstream, counted) = upstream(1, |request| {
        request
            .target
            .starts_with("/api/v2/")
            .then(|| Answer::status(404))
    });
    let analytics = Analytics::start(&upstream, often()).await;
    let evaluation = EvaluationRef {
        feature: "feature_0",
        identity: Some("bob"),
        enabled: true,
    };
    analytics
        .worker
        .count(analytics.id(), LabelsRef::default(), |counting| {
            counting.evaluation(evaluation, 3, |_| true);
        });
    analytics.count("feature_0", 4);
    let totals = analytics.wait_for(|totals| totals.forwarded == 7).await;
    assert_eq!((totals.lost.sum(), counted.by_feature()["feature_0"]), (0, 7));
}

#[actix_rt::test]
async fn counts_are_taken_once_a_head_says_so_whatever_the_body_is() {
    let taken = || Answer::status(200).header("Content-Encoding", "br");
    let (upstream, _counted) = upstream(1, move |_| Some(taken()));
    let analytics = Analytics::start(&upstream, often()).await;
    analytics.count("feature_0", 5);
    let totals = analytics.wait_for(|totals| totals.forwarded == 5).await;
    assert_eq!((totals.waiting, sent(&upstream).len()), (0, 1));
}

#[actix_rt::test]
async fn an_upstream_that_does_not_answer_is_asked_with_a_single_count() {
    let (upstream, counted) = upstream(2, |_| Some(Answer::hang()));
    let options = AnalyticsOptions {
        // Later answers count twice, and later requests come in another order.
        timeout: Duration::from_secs(2),
        ..often()
    };
    let analytics = Analytics::start(&upstream, options).await;
    analytics.count("feature_0", 1_000);
    analytics.count("feature_1", 1_000);
    while sent(&upstream).len() < 2 {
        upstream.wait_for_more(1).await;
    }
    let sums: Vec<u64> = sent(&upstream)
        .iter()
        .map(|request| counts(request).iter().map(|(_, count)| count).sum())
        .collect();
    assert_eq!(sums[1..], vec![1; sums.len() - 1]);
    upstream.script(counted.script(&document(2), |_| None));
    let totals = analytics.wait_for(|totals| totals.forwarded == 2_000).await;
    assert_eq!((totals.lost.sum(), counted.sum()), (0, 2_000));
}
