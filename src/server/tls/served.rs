//! The certificate that new connections get.
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::files::Pair;

/// How long before its end a certificate is warned of: what renews certificates has failed for two weeks by then, or is
/// not there.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);

/// The certificate and its key, which the renewal replaces. Connections that are open keep theirs.
pub(crate) struct ServedCertificate {
    pair: RwLock<Pair>,
    /// Whether the files have changed into something that cannot be served.
    has_refused: AtomicBool,
}

/// How it is with the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CertificateState {
    /// It is valid for a while.
    Valid,
    /// It expires within two weeks.
    ExpiresSoon,
    /// It has expired.
    Expired,
}

impl ServedCertificate {
    pub(super) fn new(pair: Pair) -> Self {
        Self {
            pair: RwLock::new(pair),
            has_refused: AtomicBool::new(false),
        }
    }

    /// Serves this one from now on.
    pub(super) fn replace(&self, pair: Pair) {
        *self.pair.write().unwrap_or_else(PoisonError::into_inner) = pair;
        self.note_refused(false);
    }

    /// Notes whether the files hold something that cannot be served.
    pub(super) fn note_refused(&self, has_refused: bool) {
        self.has_refused.store(has_refused, Ordering::Relaxed);
    }

    /// Whether the files hold something that cannot be served, so that an older certificate still is.
    pub(crate) fn has_refused(&self) -> bool {
        self.has_refused.load(Ordering::Relaxed)
    }

    /// When it expires, or the first of its chain does.
    pub(crate) fn expires(&self) -> SystemTime {
        self.pair.read().unwrap_or_else(PoisonError::into_inner).expires
    }

    /// The same, as `2026-11-21T19:14:06Z`.
    pub(crate) fn expires_text(&self) -> String {
        jiff::Timestamp::try_from(self.expires())
            .map(|expires| expires.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
            // A year beyond all of ours.
            .unwrap_or_else(|_| "9999-12-31T23:59:59Z".to_owned())
    }

    /// How it is with it at this time.
    pub(crate) fn state_at(&self, now: SystemTime) -> CertificateState {
        let expires = self.expires();
        if now >= expires {
            CertificateState::Expired
        } else if now + SOON >= expires {
            CertificateState::ExpiresSoon
        } else {
            CertificateState::Valid
        }
    }

    fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.pair.read().unwrap_or_else(PoisonError::into_inner).certified)
    }
}

/// The key is not shown.
impl fmt::Debug for ServedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedCertificate")
            .field("expires", &self.expires())
            .finish_non_exhaustive()
    }
}

impl ResolvesServerCert for ServedCertificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certified())
    }
}
