//! Whom TLS trusts, and a note of the certificates that were shown: a handshake that fails tells nothing of them.
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::upstream::journal::{Journal, Peer, Step};

/// Whom a configuration trusts.
#[derive(Clone)]
pub(in crate::upstream) enum Trusted {
    /// Whose certificate leads to one of these.
    Roots(Arc<RootCertStore>),
    /// Whoever has the key of the certificate that it shows.
    Anybody,
}

/// Verifies as it would be without it, with a journal.
#[derive(Debug)]
pub(super) struct Noted {
    /// `None`: any certificate will do.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    /// By which a peer shows that it has the certificate's key.
    algorithms: WebPkiSupportedAlgorithms,
    journal: Journal,
    peer: Peer,
}

/// The same configuration, whose verdicts are the same, and which notes the certificates of this peer. It is the configuration
/// itself where the journal notes nothing.
pub(in crate::upstream) fn noted(
    config: Arc<ClientConfig>,
    trusted: &Trusted,
    journal: &Journal,
    peer: Peer,
) -> Arc<ClientConfig> {
    if !journal.is_kept() {
        return config;
    }
    let provider = Arc::clone(config.crypto_provider());
    let algorithms = provider.signature_verification_algorithms;
    let verifier = match trusted {
        Trusted::Anybody => None,
        Trusted::Roots(roots) => {
            let roots = Arc::clone(roots);
            match WebPkiServerVerifier::builder_with_provider(roots, provider).build() {
                Ok(verifier) => Some(verifier),
                Err(_) => return config,
            }
        }
    };
    let mut config = ClientConfig::clone(&config);
    config.dangerous().set_certificate_verifier(Arc::new(Noted {
        verifier,
        algorithms,
        journal: journal.clone(),
        peer,
    }));
    Arc::new(config)
}

impl Noted {
    /// What trusts anybody, and notes nothing.
    pub(super) fn anybody(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            verifier: None,
            algorithms,
            journal: Journal::default(),
            peer: Peer::Server,
        }
    }
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
        match &self.verifier {
            Some(verifier) => {
                verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
