//! How often flags were evaluated, as the SDKs count it: what Flagsmith hears of it, at the latest when the proxy stops.
use std::collections::BTreeMap;

use serde_json::json;
use test_support::upstream::{Counted, ReceivedRequest, counts};

use crate::harness::{Browser, CLIENT_SIDE_KEY, Driver, Edge, Flagsmith, SERVER_SIDE_KEY, Sdk, document};

const ANALYTICS: &str = "/api/v1/analytics/flags/";

/// What upstream has heard from those whose label this is.
fn heard(counted: &Counted, is_from: impl Fn(&ReceivedRequest) -> bool) -> BTreeMap<String, u64> {
    let mut sums = BTreeMap::new();
    let requests = counted.requests();
    for (feature, count) in requests
        .iter()
        .filter(|request| is_from(request))
        .flat_map(counts)
    {
        *sums.entry(feature).or_default() += count;
    }
    sums
}

fn label(name: &str, value: &str) -> impl Fn(&ReceivedRequest) -> bool {
    move |request| request.header(name).is_some_and(|found| found.starts_with(value))
}

fn start() -> (Counted, Flagsmith, Edge) {
    let counted = Counted::default();
    let flagsmith = Flagsmith::answering(counted.script(&document().to_string(), |_| None));
    let edge = Edge::start(&flagsmith, json!({}));
    (counted, flagsmith, edge)
}

#[test]
fn what_sdks_count_arrives_with_their_labels() {
    let (counted, _flagsmith, mut edge) = start();
    let (mut sum, mut requests) = (0, 0);
    // (Outside of a browser the JavaScript SDK counts nothing.)
    for sdk in [Sdk::Python, Sdk::Node, Sdk::Rust] {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        let application = json!({"name": "shop", "version": "1.2"});
        let options = json!({"analytics": true, "application": application});
        driver.open("any", &edge, CLIENT_SIDE_KEY, options.clone());
        driver.open("server's", &edge, SERVER_SIDE_KEY, options);
        for client in ["any", "server's"] {
            for feature in ["banner", "limit", "limit"] {
                driver.ask(client, "one_flag", json!({"feature": feature}));
            }
            driver.ask(client, "send_analytics", json!({}));
            sum += 3;
            requests += 1;
        }
        // Python and Rust send from threads of their own, which end with the driver.
        edge.wait_until_answered(ANALYTICS, 200, requests);
    }
    edge.interrupt();
    assert_eq!(counted.sum(), sum);
    let expected = BTreeMap::from([("banner".to_owned(), 2), ("limit".to_owned(), 4)]);
    let labels = [
        // Neither names itself, nor its application, when it sends what it has counted.
        ("User-Agent", "python-requests/"),
        ("User-Agent", "unknown"),
        ("User-Agent", "flagsmith-rust-sdk/3.1.2"),
        ("Flagsmith-Application-Name", "shop"),
        ("Flagsmith-Application-Version", "1.2"),
    ];
    for (name, value) in labels {
        assert_eq!(heard(&counted, label(name, value)), expected, "{name}: {value}");
    }
}

#[test]
fn what_a_page_counts_arrives_and_its_console_stays_quiet() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (counted, _flagsmith, mut edge) = start();
    browser.open_react("one", &edge, "&analytics=on");
    let sent = format!("flagsmith.evaluationEvent['{CLIENT_SIDE_KEY}']");
    // Once more than the page itself did.
    browser.evaluate("one", "flagsmith.getValue('checkout')");
    let expected: BTreeMap<String, u64> = serde_json::from_value(browser.evaluate("one", &sent)).unwrap();
    assert_eq!(expected["checkout"], 1, "{expected:?}");
    browser.evaluate("one", "flagsmith.analyticsFlags().then(() => null)");
    assert_eq!(
        browser.evaluate("one", &sent),
        json!({}),
        "the SDK takes it for sent"
    );
    assert_eq!(browser.problems("one"), json!([]));
    edge.interrupt();
    for (name, value) in [
        ("Flagsmith-SDK-User-Agent", "flagsmith-js-sdk/12.4.0"),
        ("Flagsmith-Application-Name", "page"),
        ("User-Agent", "Mozilla/5.0"),
    ] {
        assert_eq!(heard(&counted, label(name, value)), expected, "{name}");
    }
}
