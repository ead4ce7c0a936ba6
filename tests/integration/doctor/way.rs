//! Names, connections and proxies on the way to upstream.
use test_support::reserved_port::ReservedPort;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{at, document, examine, examine_with};

#[test]
fn a_name_that_is_not_found() {
    let diagnosis = examine(&at("http://flagsmith.invalid/api/v1"));
    diagnosis.assert_fails(("upstream", "name"), "");
    assert_eq!(
        diagnosis.of_verdict("skipped"),
        [
            ("upstream http://flagsmith.invalid", "connect"),
            ("key pair 1", "http"),
            ("key pair 1", "key"),
            ("key pair 1", "document"),
            ("key pair 1", "overrides")
        ]
    );
}

#[test]
fn a_connection_that_is_refused() {
    let nobody = ReservedPort::any();
    let diagnosis = examine(&at(&format!("http://{}/api/v1", nobody.address())));
    diagnosis.assert_fails(("upstream", "connect"), "refused");
    diagnosis.says(("upstream", "name"));
}

#[test]
fn a_proxy_that_is_not_there() {
    let nobody = ReservedPort::any();
    let proxy = format!("http://{}", nobody.address());
    let diagnosis = examine_with(&at("http://flagsmith.test/api/v1"), &[("HTTP_PROXY", &proxy)]);
    diagnosis.assert_fails(("upstream", "connect"), "the proxy before it is not reached");
}

#[test]
fn a_proxy_that_refuses_says_why() {
    for (status, says) in [
        (407, "wants credentials"),
        (403, "refuses the way"),
        (502, "finds no way"),
    ] {
        let way_out = ScriptedUpstream::start(move |_| Answer::status(status));
        let diagnosis = examine_with(
            &at("http://flagsmith.test/api/v1"),
            &[("http_proxy", &way_out.origin())],
        );
        diagnosis.assert_fails(("upstream", "tunnel"), says);
        assert!(diagnosis.says(("upstream", "proxy")).contains("HTTP_PROXY"));
    }
}

#[test]
fn credentials_of_a_proxy_that_are_wrong_are_not_repeated() {
    let way_out = ScriptedUpstream::start(|_| Answer::status(407));
    let proxy = format!("http://corp:s3cret@{}", way_out.address());
    let diagnosis = examine_with(&at("http://flagsmith.test/api/v1"), &[("HTTP_PROXY", &proxy)]);
    diagnosis.assert_fails(("upstream", "tunnel"), "does not take the credentials");
    assert!(
        !diagnosis.report.to_string().contains("s3cret"),
        "{:#}",
        diagnosis.report
    );
}

#[test]
fn why_no_proxy_is_used_is_told() {
    let upstream = ScriptedUpstream::serving(&document());
    let nobody = ReservedPort::any();
    let proxy = format!("http://{}", nobody.address());
    let variables = [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1")];
    let diagnosis = examine_with(&at(&upstream.api_url()), &variables);
    diagnosis.assert_is_sound();
    assert!(
        diagnosis
            .says(("upstream", "proxy"))
            .contains("HTTP_PROXY is set, and NO_PROXY")
    );
}

#[test]
fn a_proxy_that_is_asked_for_this_machine() {
    let upstream = ScriptedUpstream::serving(&document());
    let to = upstream.address();
    let way_out = ScriptedUpstream::start(move |_| Answer::tunnel(to));
    let diagnosis = examine_with(&at(&upstream.api_url()), &[("ALL_PROXY", &way_out.origin())]);
    diagnosis.assert_warns(("upstream", "proxy"), "its own machine");
}
