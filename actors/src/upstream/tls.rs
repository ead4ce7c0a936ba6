use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, crypto};

use super::roots::RootCertificates;

/// The TLS configuration for upstream, made when the first https connection needs it; clones share it.
#[derive(Clone, Default)]
pub(super) struct Tls {
    roots: RootCertificates,
    configuration: Arc<OnceLock<Result<Arc<ClientConfig>, rustls::Error>>>,
}

impl Tls {
    /// Trusts these roots.
    pub(super) fn new(roots: RootCertificates) -> Self {
        Self {
            roots,
            configuration: Arc::default(),
        }
    }

    /// Uses this configuration.
    pub(super) fn of(configuration: ClientConfig) -> Self {
        Self {
            roots: RootCertificates::default(),
            configuration: Arc::new(OnceLock::from(Ok(Arc::new(configuration)))),
        }
    }

    /// The one configuration: ring, and the roots that are there. Made by the first call, which reads files: not for a
    /// request's thread.
    pub(super) fn configuration(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        self.configuration
            .get_or_init(|| configuration(&self.roots))
            .clone()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_made = self.configuration.get().is_some();
        f.debug_struct("Tls").field("is_made", &is_made).finish()
    }
}

fn configuration(roots: &RootCertificates) -> Result<Arc<ClientConfig>, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots.load())
        .with_no_client_auth();
    // HTTP/2 gains nothing for one request at a time, and awc's pool tests only HTTP/1 connections before reuse.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
