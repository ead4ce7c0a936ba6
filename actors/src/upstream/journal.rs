//! What calls to upstream meet on their way, for those who look for a fault: the calls are those that the proxy itself makes, so
//! what is found is what the proxy meets.
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use awc::http::Uri;
use awc::http::header::{self, HeaderMap, HeaderName};

/// Notes the steps of calls, in their order; clones note in the same place. The default notes nothing.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    steps: Option<Arc<Mutex<Vec<Step>>>>,
}

/// Who is at the other end of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// The server that the URL names.
    Server,
    /// The proxy that leads to it.
    Proxy,
}

/// A step that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The addresses of the peer's host were found; of an address, it alone.
    Addresses(Peer, Vec<IpAddr>),
    /// There is a connection to the peer, at this address.
    Connected(Peer, SocketAddr),
    /// The proxy has opened the way to the server.
    Tunnel,
    /// The peer has shown these certificates in DER, its own first. They may be such as are not trusted.
    Certificates(Peer, Vec<Vec<u8>>),
    /// TLS is spoken with the peer, in this version.
    Tls(Peer, &'static str),
    /// The head of an answer has come.
    Answer(AnswerHead),
    /// It refuses, in Flagsmith's form, with words that may not be fit to be told.
    Refusal,
}

/// What the head of an answer says, without a word of it that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerHead {
    /// Its status.
    pub status: u16,
    /// What its body is.
    pub content: Content,
    /// What it says to have come through, by the marks that these leave.
    pub gateway: Option<&'static str>,
    /// Where a redirect leads to.
    pub redirect: Option<Redirect>,
    /// The server's clock; `None` also where the answer was kept somewhere for a while.
    pub date: Option<SystemTime>,
    /// This machine's clock when it came.
    pub received: SystemTime,
}

/// What a body is, as `Content-Type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// JSON.
    Json,
    /// A page for people.
    Html,
    /// Something else, or it is not said.
    Other,
}

/// Where a redirect leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// Another path of the same origin.
    SameOrigin,
    /// Another scheme, host and port, as in a URL.
    Origin(String),
    /// Nowhere, or to what may repeat a secret.
    Untold,
}

/// What stands between, by a field that it adds to answers and what that holds in lower case; the more telling ones first.
const GATEWAYS: [(&str, &str, &str); 17] = [
    ("cf-ray", "", "Cloudflare"),
    ("server", "cloudflare", "Cloudflare"),
    ("x-iinfo", "", "Imperva"),
    ("x-sucuri-id", "", "Sucuri"),
    ("x-azure-ref", "", "Azure Front Door"),
    ("x-amzn-waf-action", "", "AWS WAF"),
    ("x-amz-cf-id", "", "Amazon CloudFront"),
    ("server", "akamai", "Akamai"),
    ("server", "awselb", "AWS Elastic Load Balancing"),
    ("server", "big-ip", "F5 BIG-IP"),
    ("server", "bigip", "F5 BIG-IP"),
    ("server", "fortiweb", "FortiWeb"),
    ("server", "squid", "Squid"),
    ("x-squid-error", "", "Squid"),
    ("server", "envoy", "Envoy"),
    ("server", "nginx", "nginx"),
    ("server", "apache", "Apache"),
];

impl Journal {
    /// Notes what is met from now on.
    pub fn kept() -> Self {
        Self {
            steps: Some(Arc::default()),
        }
    }

    /// What was noted so far.
    pub fn steps(&self) -> Vec<Step> {
        let steps = self.steps.as_ref();
        steps.map_or_else(Vec::new, |steps| {
            steps.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }

    pub(super) fn is_kept(&self) -> bool {
        self.steps.is_some()
    }

    pub(super) fn note(&self, step: impl FnOnce() -> Step) {
        if let Some(steps) = &self.steps {
            steps.lock().unwrap_or_else(PoisonError::into_inner).push(step());
        }
    }
}

impl AnswerHead {
    /// Of the answer to a request for `url`; `is_secret`: whether a text repeats what the request carried in confidence.
    pub(super) fn of(
        url: &Uri,
        (status, headers): (u16, &HeaderMap),
        is_secret: impl Fn(&str) -> bool,
    ) -> Self {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let is_kept = text(header::AGE).is_some_and(|age| age.trim() != "0");
        let date = text(header::DATE).filter(|_| !is_kept);
        Self {
            status,
            content: Content::of(text(header::CONTENT_TYPE).unwrap_or_default()),
            gateway: gateway(headers),
            redirect: (300..400)
                .contains(&status)
                .then(|| text(header::LOCATION))
                .flatten()
                .map(|location| Redirect::of(url, location, is_secret)),
            date: date.and_then(|date| httpdate::parse_http_date(date).ok()),
            received: SystemTime::now(),
        }
    }
}

impl Content {
    fn of(media_type: &str) -> Self {
        let media_type = media_type.to_ascii_lowercase();
        if media_type.contains("json") {
            Self::Json
        } else if media_type.contains("html") {
            Self::Html
        } else {
            Self::Other
        }
    }
}

impl Redirect {
    fn of(url: &Uri, location: &str, is_secret: impl Fn(&str) -> bool) -> Self {
        let Some(target) = super::link::resolve(url, location) else {
            return Self::Untold;
        };
        if super::link::is_same_origin(url, &target) {
            return Self::SameOrigin;
        }
        let scheme = target.scheme_str().unwrap_or_default();
        let port = target
            .port_u16()
            .map_or_else(String::new, |port| format!(":{port}"));
        let origin = format!("{scheme}://{}{port}", target.host().unwrap_or_default());
        if is_secret(&origin) {
            Self::Untold
        } else {
            Self::Origin(origin)
        }
    }
}

fn gateway(headers: &HeaderMap) -> Option<&'static str> {
    let found = GATEWAYS.iter().find(|(name, holds, _)| {
        let value = headers.get(*name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().contains(holds))
    });
    found.map(|(_, _, gateway)| *gateway)
}

#[cfg(test)]
mod tests {
    use awc::http::header::HeaderValue;

    use super::*;

    fn head(status: u16, fields: &[(&'static str, &'static str)]) -> AnswerHead {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let url = "https://flagsmith.test/api/v1/environment-document/"
            .parse()
            .unwrap();
        AnswerHead::of(&url, (status, &headers), |text| text.contains("s3cret"))
    }

    #[test]
    fn a_head_tells_whence_it_came_and_no_secret() {
        let refusal = head(
            403,
            &[
                ("content-type", "text/html; charset=utf-8"),
                ("server", "CloudFlare"),
            ],
        );
        assert_eq!(
            (refusal.content, refusal.gateway),
            (Content::Html, Some("Cloudflare"))
        );
        assert_eq!(head(403, &[("server", "ser.s3cret")]).gateway, None);
        for (location, expected) in [
            ("/flags/", Redirect::SameOrigin),
            ("https://Flagsmith.test:443/x", Redirect::SameOrigin),
            (
                "https://login.test/?k=ser.s3cret",
                Redirect::Origin("https://login.test".to_owned()),
            ),
            (
                "http://flagsmith.test:81/",
                Redirect::Origin("http://flagsmith.test:81".to_owned()),
            ),
            ("https://s3cret.test/", Redirect::Untold),
            ("ftp://x", Redirect::Untold),
        ] {
            assert_eq!(
                head(302, &[("location", location)]).redirect,
                Some(expected),
                "{location}"
            );
        }
        assert_eq!(head(200, &[("location", "/")]).redirect, None);
    }

    #[test]
    fn the_clock_of_an_answer_that_was_kept_says_nothing() {
        const DATE: (&str, &str) = ("date", "Thu, 26 Nov 2026 10:00:00 GMT");
        assert!(head(200, &[DATE]).date.is_some());
        assert!(head(200, &[DATE, ("age", "0")]).date.is_some());
        assert_eq!(head(200, &[DATE, ("age", "40")]).date, None);
        assert_eq!(head(200, &[("date", "today")]).date, None);
    }

    #[test]
    fn nothing_is_noted_unless_it_is_asked_for() {
        let (none, kept) = (Journal::default(), Journal::kept());
        for journal in [&none, &kept.clone()] {
            journal.note(|| Step::Tunnel);
        }
        assert_eq!(none.steps(), []);
        assert_eq!(kept.steps(), [Step::Tunnel]);
    }
}
