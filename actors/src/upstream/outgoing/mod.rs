//! The proxies by which requests leave the network, as `HTTP_PROXY` and its relatives name them; pure.
//!
//! # Layout
//! - [`OutgoingProxies`]: which of them a URL goes through.
//! - [`OutgoingProxy`] (`proxy`): one of them; [`NotAProxy`]: why a text names none.
//! - [`ExemptHosts`] (`exempt`): what is reached directly.
use awc::http::Uri;

use super::port::port;

mod exempt;
mod proxy;

pub use exempt::ExemptHosts;
pub use proxy::{NotAProxy, OutgoingProxy};

/// The proxies that requests to upstream go through. Its debug format shows no credentials. `P`: one of them, or what was read
/// in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingProxies<P = OutgoingProxy> {
    /// `HTTP_PROXY`: for `http://` URLs.
    pub http: Option<P>,
    /// `HTTPS_PROXY`: for `https://` URLs.
    pub https: Option<P>,
    /// `ALL_PROXY`: where the one above is not set.
    pub all: Option<P>,
    /// `NO_PROXY`: what is reached directly.
    pub exempt: ExemptHosts,
}

impl<P> Default for OutgoingProxies<P> {
    fn default() -> Self {
        Self {
            http: None,
            https: None,
            all: None,
            exempt: ExemptHosts::default(),
        }
    }
}

impl<P> OutgoingProxies<P> {
    /// What requests to this URL go through; `None`: they are sent directly.
    pub fn of_url(&self, url: &Uri) -> Option<&P> {
        let own = match url.scheme_str()? {
            "http" => &self.http,
            "https" => &self.https,
            _ => return None,
        };
        let proxy = own.as_ref().or(self.all.as_ref())?;
        (!self.exempt.covers(url.host()?, port(url)?)).then_some(proxy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemes_own_proxy_goes_before_the_one_for_all() {
        let proxy = |host: &str| OutgoingProxy::parse(host).ok();
        let proxies = OutgoingProxies {
            http: proxy("plain"),
            https: None,
            all: proxy("all"),
            exempt: ExemptHosts::parse("direct.test,other.test:444").0,
        };
        for (url, through) in [
            ("http://a.test/api/v1", Some("plain")),
            ("https://a.test", Some("all")),
            ("https://direct.test", None),
            ("http://direct.test:8000", None),
            ("https://other.test", Some("all")),
            ("https://other.test:444", None),
        ] {
            let url: Uri = url.parse().unwrap();
            assert_eq!(proxies.of_url(&url).map(OutgoingProxy::host), through, "{url}");
        }
        let none = OutgoingProxies::<OutgoingProxy>::default();
        assert_eq!(none.of_url(&"http://a.test".parse().unwrap()), None);
    }
}
