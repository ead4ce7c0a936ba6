use std::time::Duration;

use awc::http::Uri;

use super::client::UpstreamClient;
use super::connect::{ByteStream, Connect, Names, ProxyAdmissions};
use super::memory::DocumentMemory;
use super::roots::RootCertificates;
use super::tls::Tls;
use super::{ExtraHeaders, Fault, Journal, OutgoingProxies, OutgoingProxy, TlsFiles};

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
    /// What stands between this network and Flagsmith.
    pub proxies: OutgoingProxies,
    /// Whether these take the credentials that they are given.
    pub admissions: ProxyAdmissions,
    /// What every request carries.
    pub headers: ExtraHeaders,
    /// How old a connection may be that takes another request. A field so that tests can shorten it.
    pub connection_lifetime: Duration,
    /// What documents may take while they are fetched and applied.
    pub document_memory: DocumentMemory,
    /// What every connection to the server begins with, before TLS.
    pub preface: &'static [u8],
    /// What calls meet is noted there.
    pub journal: Journal,
    pub(super) tls: Tls,
}

impl UpstreamOptions {
    /// For the API at this `api_url`, given without a trailing slash.
    pub fn new(api_url: impl Into<String>) -> Self {
        Self {
            api_url: api_url.into(),
            names: Names::default(),
            proxies: OutgoingProxies::default(),
            admissions: ProxyAdmissions::default(),
            headers: ExtraHeaders::default(),
            connection_lifetime: CONNECTION_LIFETIME,
            document_memory: DocumentMemory::default(),
            preface: b"",
            journal: Journal::default(),
            tls: Tls::default(),
        }
    }

    /// The same, trusting these root certificates.
    #[must_use]
    pub fn with_roots(self, roots: RootCertificates) -> Self {
        self.with_tls_files(TlsFiles {
            roots,
            ..TlsFiles::default()
        })
    }

    /// The same, with TLS made of these files.
    #[must_use]
    pub fn with_tls_files(self, files: TlsFiles) -> Self {
        Self {
            tls: Tls::new(files),
            ..self
        }
    }

    /// The same, with TLS that takes whatever certificate a server shows which has its key: for whoever looks at what the journal
    /// notes of it. Nothing confidential is to be sent so.
    #[must_use]
    pub fn trusting_anybody(self) -> Self {
        Self {
            tls: Tls::of_anybody(),
            ..self
        }
    }

    /// Whether a connection to this URL reads the files of certificates.
    pub fn needs_certificates(&self, url: &Uri) -> bool {
        let proxy = self.proxies.of_url(url);
        url.scheme_str() == Some("https") || proxy.is_some_and(OutgoingProxy::is_tls)
    }

    /// Reads the files of certificates. Connections do so by themselves; this blocks, for ever where a file system hangs, and may do
    /// it on another thread beforehand. Gives what is wrong with the system's root certificates, of which the rest is used; where
    /// others cannot be used, connections say so.
    pub fn read_certificates(&self) -> Option<String> {
        self.tls.roots_problem()
    }

    /// What requests to the API go through; `None`: they are sent directly.
    pub fn proxy(&self) -> Option<&OutgoingProxy> {
        self.proxies.of_url(&self.api_url.parse().ok()?)
    }

    /// Opens a connection to `url`'s origin as calls do, with TLS where it is https, and closes it: the server gets no request.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn try_connection(&self, url: &Uri, timeout: Duration) -> Result<(), Fault> {
        Connect::new(self, url, timeout).try_once(url).await
    }

    /// A connection to `url`'s server for another protocol than HTTP/1.1, within this time; `protocols`: what the handshake
    /// of TLS offers to speak (ALPN).
    ///
    /// # Errors
    /// Why there is none.
    pub async fn open(
        &self,
        url: &Uri,
        timeout: Duration,
        protocols: &'static [&'static [u8]],
    ) -> Result<ByteStream, Fault> {
        let connect = Connect::new(self, url, timeout);
        connect.open_for(url, protocols).await.map(ByteStream)
    }

    /// A client for calls to `url`'s origin. Where it is the first that needs TLS, it reads the files of certificates: where
    /// one cannot be used, each connection tries again and says so. Connecting, with TLS, may take `connect_timeout`.
    pub fn client(&self, url: &Uri, connect_timeout: Duration) -> UpstreamClient {
        let client = UpstreamClient::new(self, url, connect_timeout);
        if client.needs_tls() {
            // Connections give the failure, which is no reason to have no client.
            let _ = self.tls.make();
        }
        client
    }
}
