//! TLS as ever, and a note of the certificates that were shown: a handshake that fails tells nothing of them.
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::upstream::journal::{Journal, Peer, Step};

/// The verifier that trusts the same root certificates, with a journal.
#[derive(Debug)]
struct Noted {
    verifier: Arc<WebPkiServerVerifier>,
    journal: Journal,
    peer: Peer,
}

/// The same configuration, whose verdicts are the same, and which notes the certificates of this peer. It is the configuration
/// itself where the journal notes nothing.
pub(in crate::upstream) fn noted(
    config: Arc<ClientConfig>,
    roots: Option<&Arc<RootCertStore>>,
    journal: &Journal,
    peer: Peer,
) -> Arc<ClientConfig> {
    let Some(roots) = roots.filter(|_| journal.is_kept()) else {
        return config;
    };
    let provider = Arc::clone(config.crypto_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::clone(roots), provider).build();
    let Ok(verifier) = verifier else {
        return config;
    };
    let mut config = ClientConfig::clone(&config);
    config.dangerous().set_certificate_verifier(Arc::new(Noted {
        verifier,
        journal: journal.clone(),
        peer,
    }));
    Arc::new(config)
}

impl ServerCertVerifier for Noted {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.journal.note(|| {
            let chain = std::iter::once(end_entity).chain(intermediates);
            Step::Certificates(self.peer, chain.map(|one| one.to_vec()).collect())
        });
        self.verifier
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verifier
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.supported_verify_schemes()
    }
}
