//! Which way requests to a URL take, and why; pure.
use actix_web::http::Uri;
use actors::upstream::{OutgoingProxies, OutgoingProxy};

use super::finding::{Finding, Subject};

/// The way of requests to one URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way<'p> {
    /// Directly: no variable names a proxy for the scheme.
    Direct,
    /// Directly, for `NO_PROXY` covers the host; this variable names the proxy.
    Exempt(&'static str),
    /// Through this one, which this variable names.
    Through(&'static str, &'p OutgoingProxy),
}

impl<'p> Way<'p> {
    pub(super) fn to(url: &Uri, proxies: &'p OutgoingProxies) -> Self {
        let (variable, own) = match url.scheme_str() {
            Some("https") => ("HTTPS_PROXY", &proxies.https),
            _ => ("HTTP_PROXY", &proxies.http),
        };
        let variable = match (own, &proxies.all) {
            (Some(_), _) => variable,
            (None, Some(_)) => "ALL_PROXY",
            (None, None) => return Self::Direct,
        };
        proxies
            .of_url(url)
            .map_or(Self::Exempt(variable), |proxy| Self::Through(variable, proxy))
    }

    /// What is to be said of it.
    pub(super) fn finding(self, subject: &Subject, url: &Uri) -> Finding {
        let variables = match url.scheme_str() {
            Some("https") => "HTTPS_PROXY and ALL_PROXY are",
            _ => "HTTP_PROXY and ALL_PROXY are",
        };
        match self {
            Self::Direct => subject.ok("proxy", format!("none: {variables} not set")),
            Self::Exempt(variable) => subject.ok(
                "proxy",
                format!("none: {variable} is set, and NO_PROXY names this host"),
            ),
            Self::Through(variable, proxy) if is_of_this_machine(url) => subject.warning(
                "proxy",
                format!("{proxy} ({variable}) is asked for an address that is its own machine there"),
                "name the host in NO_PROXY: no address is exempt by itself, localhost neither",
            ),
            Self::Through(variable, proxy) => subject.ok(
                "proxy",
                format!("{proxy} ({variable}), which looks the host's name up itself"),
            ),
        }
    }
}

fn is_of_this_machine(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address: Option<std::net::IpAddr> = bare.parse().ok();
    address.is_some_and(|address| address.is_loopback()) || bare.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use actors::upstream::ExemptHosts;

    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_way_is_told_with_its_reason() {
        let proxy = |text: &str| OutgoingProxy::parse(text).ok();
        let proxies = OutgoingProxies {
            http: None,
            https: proxy("http://corp:s3cret@proxy.test:3128"),
            all: proxy("http://other.test:1"),
            exempt: ExemptHosts::parse("direct.test").0,
        };
        for (url, verdict, says) in [
            (
                "https://flagsmith.test/api/v1",
                Verdict::Ok,
                "http://****@proxy.test:3128 (HTTPS_PROXY)",
            ),
            (
                "http://flagsmith.test/api/v1",
                Verdict::Ok,
                "http://other.test:1 (ALL_PROXY)",
            ),
            (
                "https://direct.test/api/v1",
                Verdict::Ok,
                "HTTPS_PROXY is set, and NO_PROXY",
            ),
            ("https://127.0.0.1:1/api/v1", Verdict::Warning, "its own machine"),
        ] {
            let url: Uri = url.parse().unwrap();
            let finding = Way::to(&url, &proxies).finding(&Subject::new("upstream"), &url);
            assert_eq!(finding.verdict, verdict, "{url}");
            assert!(finding.detail.contains(says), "{}", finding.detail);
            assert!(!finding.detail.contains("s3cret"), "{}", finding.detail);
        }
        let none = OutgoingProxies::default();
        let url: Uri = "https://flagsmith.test".parse().unwrap();
        assert_eq!(Way::to(&url, &none), Way::Direct);
    }
}
