//! The TLS of a check of the server beside it: no root certificate vouches for `127.0.0.1`, so the certificate that the
//! server has to show is the one in its own file.
//!
//! A server that shows another one is asked all the same, and the outcome says so: it keeps the certificate before where a
//! renewal has gone wrong, whatever the file holds then, and serves. Whoever replaces unhealthy containers would make an
//! outage of that.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// Looks whether the server shows this certificate, and that it has its key.
#[derive(Debug)]
pub(super) struct OwnCertificate {
    /// `None`: the file holds none at the moment.
    expected: Option<CertificateDer<'static>>,
    has_shown_another: AtomicBool,
    provider: CryptoProvider,
}

impl OwnCertificate {
    pub(super) fn new(expected: Option<CertificateDer<'static>>) -> Arc<Self> {
        Arc::new(Self {
            expected,
            has_shown_another: AtomicBool::new(false),
            provider: ring::default_provider(),
        })
    }

    /// The configuration of a client that looks so.
    pub(super) fn client(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let verifier: Arc<dyn ServerCertVerifier> = Arc::clone(self) as _;
        let builder = ClientConfig::builder_with_provider(Arc::new(self.provider.clone()))
            .with_safe_default_protocol_versions()?;
        let mut config = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// Whether the server has shown another certificate.
    pub(super) fn has_shown_another(&self) -> bool {
        self.has_shown_another.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for OwnCertificate {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.has_shown_another
            .store(Some(end_entity) != self.expected.as_ref(), Ordering::Relaxed);
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
