//! Certificates that tests make, and clients that trust them.
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

/// A certificate of `localhost` that signs itself, and its key; both as PEM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: String,
    /// Its key, PKCS#8.
    pub key: String,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes one that is valid until a year has begun.
    ///
    /// # Panics
    /// Where the system has no randomness.
    pub fn valid_until(year: i32) -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut parameters = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2020, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
            der: certificate.der().clone(),
        }
    }

    /// Makes one that is valid for longer than any test runs.
    pub fn valid() -> Self {
        Self::valid_until(2100)
    }

    /// Its bytes.
    pub fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }
}

/// Terms of a client that trusts these certificates.
///
/// # Panics
/// Where one of them is no certificate.
pub fn client<'a>(trusted: impl IntoIterator<Item = &'a Certificate>) -> ClientConfig {
    client_of(trusted, rustls::ALL_VERSIONS)
}

/// The same, for these versions alone.
///
/// # Panics
/// As [`client`].
pub fn client_of<'a>(
    trusted: impl IntoIterator<Item = &'a Certificate>,
    versions: &[&'static SupportedProtocolVersion],
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for certificate in trusted {
        roots.add(certificate.der.clone()).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// The files of a certificate and its key.
#[derive(Debug, Clone)]
pub struct Files {
    /// The certificate's.
    pub certificate: PathBuf,
    /// The key's.
    pub key: PathBuf,
}

impl Files {
    /// Writes both into a folder.
    ///
    /// # Panics
    /// Where the folder takes no file.
    pub fn write(folder: &Path, content: &Certificate) -> Self {
        let files = Self {
            certificate: folder.join("server.pem"),
            key: folder.join("server.key"),
        };
        files.replace_certificate(&content.certificate);
        files.replace_key(&content.key);
        files
    }

    /// Replaces the certificate's, at one moment.
    ///
    /// # Panics
    /// Where the folder takes no file.
    pub fn replace_certificate(&self, content: &str) {
        replace(&self.certificate, content);
    }

    /// Replaces the key's, at one moment.
    ///
    /// # Panics
    /// Where the folder takes no file.
    pub fn replace_key(&self, content: &str) {
        replace(&self.key, content);
    }
}

fn replace(path: &Path, content: &str) {
    let next = path.with_extension("next");
    fs::write(&next, content).unwrap();
    fs::rename(next, path).unwrap();
}
