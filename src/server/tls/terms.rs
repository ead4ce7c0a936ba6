//! What is agreed with clients.
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring::{self, Ticketer};
use rustls::server::ResolvesServerCert;
use tokio_rustls::TlsAcceptor;

use super::served::ServedCertificate;

/// HTTP/2 over TLS (RFC 9113 §3.2).
pub(super) const HTTP2: &[u8] = b"h2";

/// The protocols that are offered (RFC 7301), the preferred one first.
const PROTOCOLS: &[&[u8]] = &[HTTP2, b"http/1.1"];

/// TLS 1.2 and 1.3 with ring, and tickets by which clients resume their sessions: every worker takes those of the others,
/// and the keys that seal them change every six hours. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct TlsTerms(Arc<ServerConfig>);

impl TlsTerms {
    /// Gives clients this certificate, or what it is replaced with.
    pub(super) fn new(served: &Arc<ServedCertificate>) -> Result<Self, rustls::Error> {
        let served: Arc<dyn ResolvesServerCert> = Arc::clone(served) as _;
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(served);
        config.alpn_protocols = PROTOCOLS.iter().map(|protocol| protocol.to_vec()).collect();
        config.ticketer = Ticketer::new()?;
        Ok(Self(Arc::new(config)))
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.0).into()
    }
}
