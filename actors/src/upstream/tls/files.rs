use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, InconsistentKeys, RootCertStore, crypto};

use super::noted::{Noted, Trusted};
use super::{Configurations, pem};
use crate::upstream::{Fault, RootCertificates};

/// The files that TLS with upstream is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFiles {
    /// The system's root certificates, or what the variables of the process name instead.
    pub roots: RootCertificates,
    /// `upstream.ca_file`: root certificates to trust beside those.
    pub ca_file: Option<PathBuf>,
    /// How this proxy shows upstream who it is.
    pub client: Option<ClientCertificateFiles>,
}

/// A certificate of this proxy's own and its key, in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateFiles {
    /// `upstream.client_certificate`: the certificate first, then those that lead to its root.
    pub certificate: PathBuf,
    /// `upstream.client_key`, as PKCS#8, PKCS#1 or SEC1.
    pub key: PathBuf,
}

/// An option that names a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsFile {
    /// `upstream.ca_file`.
    Ca,
    /// `upstream.client_certificate`.
    ClientCertificate,
    /// `upstream.client_key`.
    ClientKey,
}

impl TlsFile {
    /// The option's name.
    pub fn option(self) -> &'static str {
        match self {
            Self::Ca => "upstream.ca_file",
            Self::ClientCertificate => "upstream.client_certificate",
            Self::ClientKey => "upstream.client_key",
        }
    }
}

/// Why a file cannot be used. Holds neither its path, which may be a key in the wrong place, nor anything of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFileProblem {
    /// The option that names it.
    pub file: TlsFile,
    /// What is wrong and what to do; it follows the option's name.
    pub problem: String,
}

impl std::error::Error for TlsFileProblem {}

impl fmt::Display for TlsFileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.file.option(), self.problem)
    }
}

impl From<TlsFileProblem> for Fault {
    fn from(problem: TlsFileProblem) -> Self {
        Self::TlsFile(problem.to_string())
    }
}

impl TlsFiles {
    /// Reads the files that options name, and checks that they can be used, and with each other. Blocks.
    ///
    /// # Errors
    /// Which cannot, and why.
    pub fn check(&self) -> Result<(), TlsFileProblem> {
        let roots = self.with_added(RootCertStore::empty())?;
        self.with_client(builder().with_root_certificates(roots))
            .map(drop)
    }

    /// All that are read, whether they exist or not.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let mut paths = self.roots.paths();
        paths.extend(self.ca_file.clone());
        if let Some(client) = &self.client {
            paths.extend([client.certificate.clone(), client.key.clone()]);
        }
        paths
    }

    /// Reads all files; also gives a problem with the system's root certificates, of which the rest is used.
    pub(super) fn configurations(&self) -> Result<(Configurations, Option<String>), TlsFileProblem> {
        let (roots, problem) = self.roots.load();
        let roots = Arc::new(self.with_added(roots)?);
        let with_roots = || builder().with_root_certificates(Arc::clone(&roots));
        let configurations = Configurations {
            upstream: finished(self.with_client(with_roots())?),
            proxy: finished(with_roots().with_no_client_auth()),
            trusted: Trusted::Roots(roots),
        };
        Ok((configurations, problem))
    }

    /// Adds the certificates of `upstream.ca_file`.
    fn with_added(&self, mut roots: RootCertStore) -> Result<RootCertStore, TlsFileProblem> {
        let Some(path) = &self.ca_file else {
            return Ok(roots);
        };
        let problem = |problem: String| TlsFileProblem {
            file: TlsFile::Ca,
            problem,
        };
        let certificates = pem::certificates(path).map_err(problem)?;
        // A bundle may hold some that no TLS library takes any more.
        if roots.add_parsable_certificates(certificates).0 == 0 {
            return Err(problem(
                "names a file that holds no certificate which can be used; give those of authorities, in PEM"
                    .to_owned(),
            ));
        }
        Ok(roots)
    }

    fn with_client(
        &self,
        config: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, TlsFileProblem> {
        let Some(client) = &self.client else {
            return Ok(config.with_no_client_auth());
        };
        let certificates = read(TlsFile::ClientCertificate, &client.certificate, pem::certificates)?;
        let key = read(TlsFile::ClientKey, &client.key, pem::key)?;
        client_authenticated(config, certificates, key)
    }
}

fn read<T>(
    file: TlsFile,
    path: &Path,
    read: impl Fn(&Path) -> Result<T, String>,
) -> Result<T, TlsFileProblem> {
    read(path).map_err(|problem| TlsFileProblem { file, problem })
}

fn client_authenticated(
    config: ConfigBuilder<ClientConfig, WantsClientCert>,
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ClientConfig, TlsFileProblem> {
    config
        .with_client_auth_cert(certificates, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsFileProblem {
                file: TlsFile::ClientKey,
                problem: "is not the key of the first certificate in upstream.client_certificate; give the two that belong \
                          together"
                    .to_owned(),
            },
            rustls::Error::InvalidCertificate(why) => TlsFileProblem {
                file: TlsFile::ClientCertificate,
                problem: format!("begins with a certificate that cannot be used ({why}); give one in PEM"),
            },
            other => TlsFileProblem {
                file: TlsFile::ClientKey,
                problem: format!(
                    "holds a key that cannot be used ({other}); give an RSA, ECDSA or Ed25519 key, unencrypted"
                ),
            },
        })
}

fn builder() -> ConfigBuilder<ClientConfig, rustls::WantsVerifier> {
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
    match builder.with_safe_default_protocol_versions() {
        Ok(builder) => builder,
        // ring has suites for both versions, so this is never used.
        Err(_) => ClientConfig::builder(),
    }
}

/// One that takes any certificate of a peer that has its key.
pub(super) fn of_anybody() -> Arc<ClientConfig> {
    let builder = builder();
    let algorithms = builder.crypto_provider().signature_verification_algorithms;
    let verifier = Arc::new(Noted::anybody(algorithms));
    let config = builder.dangerous().with_custom_certificate_verifier(verifier);
    finished(config.with_no_client_auth())
}

fn finished(mut config: ClientConfig) -> Arc<ClientConfig> {
    // HTTP/2 gains nothing for one request at a time, and awc's pool tests only HTTP/1 connections before reuse.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Arc::new(config)
}
