//! TLS in process: 1.2 and 1.3, by rustls with ring.
//!
//! # Layout
//! - `files`: the certificate and its key, read and matched; `fault`: why they cannot be used.
//! - `served`: the pair that new connections get, and how long it is valid; `renewal`: another one where the files change.
//! - `terms`: what is agreed with clients.
//! - `handshake`: from an accepted socket to a connection.
//! - `stream`: the connection's byte stream; `socket`: what is below it, and where records end.
mod fault;
mod files;
mod handshake;
mod renewal;
mod served;
mod socket;
mod stream;
mod terms;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::settings::TlsSettings;

pub use fault::TlsError;
pub(crate) use files::leaf_certificate;
pub(super) use handshake::Secure;
pub(crate) use renewal::{Renewal, RunningRenewal};
pub(crate) use served::{CertificateState, ServedCertificate};
pub(crate) use terms::TlsTerms;

/// Checks that the files hold a certificate and its key.
///
/// # Errors
/// Where they do not, or cannot be read.
pub fn check(settings: &TlsSettings) -> Result<(), TlsError> {
    files::PairFiles::read(settings)?.parse().map(drop)
}

/// When the certificate expires that the files hold, or the first of its chain.
///
/// # Errors
/// As those of [`check`].
pub(crate) fn expires(settings: &TlsSettings) -> Result<SystemTime, TlsError> {
    Ok(files::PairFiles::read(settings)?.parse()?.expires)
}

/// TLS of one server.
pub(crate) struct Tls {
    /// What is agreed with clients.
    pub terms: TlsTerms,
    /// The certificate that they get.
    pub served: Arc<ServedCertificate>,
    /// What looks for changed files, once it is started.
    pub renewal: Renewal,
}

impl Tls {
    /// Reads the files and makes everything ready; the files are followed at this period once the renewal is started.
    ///
    /// # Errors
    /// Where the files do not hold a certificate and its key.
    pub(crate) fn load(settings: &TlsSettings, period: Duration) -> Result<Self, TlsError> {
        let files = files::PairFiles::read(settings)?;
        let served = Arc::new(ServedCertificate::new(files.parse()?));
        Ok(Self {
            terms: TlsTerms::new(&served).map_err(|error| TlsError::library(settings, &error))?,
            renewal: Renewal::of(settings.clone(), &files, Arc::clone(&served), period),
            served,
        })
    }
}
