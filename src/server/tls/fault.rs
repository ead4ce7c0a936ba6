//! Why a certificate and its key cannot be used.
use std::fmt;
use std::path::PathBuf;

use actors::in_line::in_line;

use crate::settings::TlsSettings;

/// The files of `server.tls` cannot be used. Displays as one line that begins with the option, and holds nothing of the
/// files' content.
#[derive(Clone, PartialEq, Eq)]
pub struct TlsError {
    option: &'static str,
    path: PathBuf,
    problem: Problem,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// The system does not give it; what it said.
    Unreadable(String),
    /// It is longer than a chain of certificates can be.
    TooLong,
    /// It has no section that is a certificate.
    NoCertificate,
    /// It has no section that is a private key.
    NoKey,
    /// Its private key is encrypted.
    EncryptedKey,
    /// A section is no PEM, or what is in it cannot be used; the library's words.
    Broken(String),
    /// The key is that of another certificate.
    OtherKey,
}

impl TlsError {
    pub(super) fn certificate(settings: &TlsSettings, problem: Problem) -> Self {
        Self {
            option: "server.tls.certificate",
            path: settings.certificate.clone(),
            problem,
        }
    }

    pub(super) fn key(settings: &TlsSettings, problem: Problem) -> Self {
        Self {
            option: "server.tls.key",
            path: settings.key.clone(),
            problem,
        }
    }

    /// The library refuses what it was given.
    pub(super) fn library(settings: &TlsSettings, error: &rustls::Error) -> Self {
        Self::certificate(settings, Problem::Broken(error.to_string()))
    }
}

impl std::error::Error for TlsError {}

impl fmt::Debug for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsError({self})")
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.option)?;
        match &self.problem {
            // The key itself may be there in the place of its path, so that is shown where there is such a file alone.
            Problem::Unreadable(_) => f.write_str(" ")?,
            _ => write!(f, " ({}) ", in_line(self.path.display()))?,
        }
        match &self.problem {
            Problem::Unreadable(problem) => write!(
                f,
                "cannot be read ({problem}); give the path of a file in PEM, which may be relative to the configuration \
                 file"
            ),
            Problem::TooLong => f.write_str("is too long to be a file of certificates or a key"),
            Problem::NoCertificate => {
                f.write_str("holds no certificate; give a PEM file, the server's own certificate first")
            }
            Problem::NoKey => {
                f.write_str("holds no private key; give a PEM file with a PKCS#8, PKCS#1 or SEC1 key")
            }
            Problem::EncryptedKey => f.write_str(
                "holds an encrypted private key, and nobody is there to give its password; decrypt it",
            ),
            Problem::Broken(problem) => write!(f, "cannot be used: {problem}"),
            Problem::OtherKey => {
                f.write_str("does not match the first certificate of server.tls.certificate")
            }
        }
    }
}
