use std::fmt;
use std::sync::{Arc, OnceLock};

use rustls::{ClientConfig, RootCertStore, crypto};

/// The TLS configuration for upstream, made when the first https connection needs it; clones share it.
#[derive(Clone, Default)]
pub(super) struct Tls {
    configuration: Arc<OnceLock<Result<Arc<ClientConfig>, rustls::Error>>>,
}

impl Tls {
    /// The one configuration: ring, and the roots that are there. Made by the first call, which reads files: not for a
    /// request's thread.
    pub(super) fn configuration(&self) -> Result<Arc<ClientConfig>, rustls::Error> {
        self.configuration.get_or_init(configuration).clone()
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_made = self.configuration.get().is_some();
        f.debug_struct("Tls").field("is_made", &is_made).finish()
    }
}

fn configuration() -> Result<Arc<ClientConfig>, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
    let mut config = builder
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots())
        .with_no_client_auth();
    // HTTP/2 gains nothing for one request at a time, and awc's pool tests only HTTP/1 connections before reuse.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The roots of `SSL_CERT_FILE`/`SSL_CERT_DIR` where set, else the system's, else Mozilla's as compiled in: slim images
/// have none of their own.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    roots.add_parsable_certificates(found.certs);
    if let Some(error) = found.errors.first() {
        log::warn!(
            "some root certificates could not be read ({error}); check SSL_CERT_FILE and SSL_CERT_DIR"
        );
    }
    if roots.is_empty() {
        log::info!("no root certificates on this system: Mozilla's, as compiled in, are used");
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
