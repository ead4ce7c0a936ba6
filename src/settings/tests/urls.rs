//! URLs that requests go to, and origins that browsers send.
use serde_json::{Value, json};

use super::super::AllowedOrigins;
use super::{error_of, load};

/// The options that hold a URL which keys go to.
fn options(url: &str) -> [(&'static str, Value); 2] {
    [
        ("api_url", json!({"api_url": url})),
        (
            "realtime.upstream_url",
            json!({"realtime": {"upstream_url": url}}),
        ),
    ]
}

#[test]
fn a_port_that_there_is_not_ends_the_start() {
    for host in ["secret", "127.0.0.1", "[::1]"] {
        for port in ["99999", "65536", "80800", "0", "8x", "-1", "+80", "8000secret"] {
            for (option, given) in options(&format!("https://{host}:{port}/api/v1")) {
                let line = error_of(given, &[]);
                let expected = format!(
                    "{option} (from config.json) names a port that there is not; give a URL as https://"
                );
                assert!(line.starts_with(&expected), "{host}:{port} {line}");
            }
        }
    }
    let line = error_of(json!({}), &[("API_URL", "http://secret:99999")]);
    assert!(
        line.starts_with("api_url (from environment variable API_URL) names a port that there is not"),
        "{line}"
    );
}

#[test]
fn a_wrong_url_is_answered_with_a_right_one_of_its_option() {
    for (url, problem) in [
        ("https://a?secret", "has a query or a fragment"),
        ("https://a/#secret", "has a query or a fragment"),
        ("http://a b", "is no URL"),
        ("wss://secret", "starts with neither http:// nor https://"),
        (
            "https://secret@a",
            "holds a user or a password, which is not supported",
        ),
        ("https://secret:99999", "names a port that there is not"),
    ] {
        let examples = [
            "https://flagsmith.example.com/api/v1",
            "https://realtime.flagsmith.com/",
        ];
        for ((option, given), example) in options(url).into_iter().zip(examples) {
            let expected = format!("{option} (from config.json) {problem}; give a URL as {example}");
            assert_eq!(error_of(given, &[]), expected, "{url}");
        }
    }
}

#[test]
fn an_origin_has_a_port_that_there_is_and_none_that_its_scheme_says() {
    let given = json!({"allow_origins": [
        "https://a.b:", "https://a.b:0443", "http://a.b:443", "https://[::1]:8443", "https://c:99999", "https://c:8x",
    ]});
    let loaded = load(given, &[]);
    let listed = ["https://a.b", "http://a.b:443", "https://[::1]:8443"].map(str::to_owned);
    assert_eq!(
        loaded.settings.allow_origins,
        AllowedOrigins::Listed(listed.to_vec())
    );
    let notices: Vec<&str> = loaded
        .notices
        .iter()
        .map(|notice| notice.message.as_str())
        .collect();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(
        notices[0].starts_with("allow_origins[4]") && notices[1].starts_with("allow_origins[5]"),
        "{notices:?}"
    );
}
