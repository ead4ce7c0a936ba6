use std::time::Duration;

use awc::http::Uri;
use awc::{Client, Connector};

use super::connect::{Connect, Names};
use super::memory::DocumentMemory;
use super::roots::RootCertificates;
use super::tls::Tls;

/// What upstream sees as `User-Agent`.
const USER_AGENT: &str = concat!("edge-proxy/", env!("CARGO_PKG_VERSION"));

/// How long a connection may idle before it is not used again: under the 75 s and 60 s that proxies before Flagsmith
/// close after, above the poll period of 10 s.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// How long a connection may be used again: the next one looks the name up anew, so that a change of its addresses is followed
/// within a minute.
const CONNECTION_LIFETIME: Duration = Duration::from_secs(60);

/// How Flagsmith is reached. Made once; the poller, the stream listeners and the HTTP workers hold clones, which share one
/// TLS configuration and one way to look up names.
#[derive(Debug, Clone)]
pub struct UpstreamOptions {
    /// `api_url` without a trailing slash.
    pub api_url: String,
    /// How the addresses of hosts are found.
    pub names: Names,
    /// How old a connection may be that takes another request. A field so that tests can shorten it.
    pub connection_lifetime: Duration,
    /// What documents may take while they are fetched and applied.
    pub document_memory: DocumentMemory,
    tls: Tls,
}

impl UpstreamOptions {
    /// For the API at this `api_url`, given without a trailing slash.
    pub fn new(api_url: impl Into<String>) -> Self {
        Self {
            api_url: api_url.into(),
            names: Names::default(),
            connection_lifetime: CONNECTION_LIFETIME,
            document_memory: DocumentMemory::default(),
            tls: Tls::default(),
        }
    }

    /// The same, trusting these root certificates.
    #[must_use]
    pub fn with_roots(self, roots: RootCertificates) -> Self {
        Self {
            tls: Tls::new(roots),
            ..self
        }
    }

    /// A client for calls to `url`'s host. It belongs to the thread that makes it. It follows no redirect (awc's own
    /// redirect layer would send `X-Environment-Key` along to any host) and sets no timeout but for connecting: callers
    /// bound the whole call, body included. Where it is the first for https, it reads the root certificates' files.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self, url: &Uri, connect_timeout: Duration) -> Result<Client, rustls::Error> {
        let mut connector = Connector::new()
            .connector(Connect::new(self.names.clone()))
            .timeout(connect_timeout)
            .handshake_timeout(connect_timeout)
            .conn_keep_alive(IDLE_CONNECTION)
            .conn_lifetime(self.connection_lifetime)
            // Environments are fetched one at a time each: their number is the bound.
            .limit(0);
        if url.scheme_str() == Some("https") {
            connector = connector.rustls_0_23(self.tls.configuration()?);
        }
        Ok(Client::builder()
            .connector(connector)
            .disable_redirects()
            .disable_timeout()
            .add_default_header(("User-Agent", USER_AGENT))
            .finish())
    }
}
