use std::time::Duration;

use awc::http::Uri;
use rustls::ClientConfig;

use super::client::UpstreamClient;
use super::connect::Names;
use super::memory::DocumentMemory;
use super::roots::RootCertificates;
use super::tls::Tls;

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

    /// The same, with this TLS configuration in place of one that trusts root certificates.
    #[must_use]
    pub fn with_tls(self, configuration: ClientConfig) -> Self {
        Self {
            tls: Tls::of(configuration),
            ..self
        }
    }

    /// A client for calls to `url`'s origin. Where it is the first for https, it reads the root certificates' files.
    /// Connecting, with TLS, may take `connect_timeout`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn client(&self, url: &Uri, connect_timeout: Duration) -> Result<UpstreamClient, rustls::Error> {
        let is_tls = url.scheme_str() == Some("https");
        let tls = is_tls.then(|| self.tls.configuration()).transpose()?;
        Ok(UpstreamClient::new(self, tls, connect_timeout))
    }
}
