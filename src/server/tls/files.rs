//! The files of a certificate and its key.
use std::fmt;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actors::no_pipe;
use actors::upstream::malformed_pem;
use rustls::crypto::ring;
use rustls::pki_types::pem::{Error as PemError, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::fault::{Problem, TlsError};
use crate::settings::TlsSettings;

/// More than any chain takes: a path to something endless is no file of certificates.
const LONGEST: u64 = 1024 * 1024;

/// The label of a key that needs a password (RFC 7468 §11), and OpenSSL's older way to say so.
const ENCRYPTED: [&[u8]; 2] = [b"ENCRYPTED PRIVATE KEY", b"Proc-Type: 4,ENCRYPTED"];

/// What the two files hold at one moment.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PairFiles {
    settings: TlsSettings,
    certificate: Vec<u8>,
    key: Vec<u8>,
}

/// The key is not shown.
impl fmt::Debug for PairFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PairFiles")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A certificate, its chain and its key, which match.
#[derive(Clone)]
pub(super) struct Pair {
    pub certified: Arc<CertifiedKey>,
    /// When the first certificate of the chain to do so expires.
    pub expires: SystemTime,
}

impl PairFiles {
    /// Reads both. A path that is a symbolic link is followed anew each time.
    pub(super) fn read(settings: &TlsSettings) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: read(&settings.certificate)
                .map_err(|problem| TlsError::certificate(settings, problem))?,
            key: read(&settings.key).map_err(|problem| TlsError::key(settings, problem))?,
            settings: settings.clone(),
        })
    }

    /// Makes a pair of them.
    pub(super) fn parse(&self) -> Result<Pair, TlsError> {
        let of_certificate = |problem| TlsError::certificate(&self.settings, problem);
        let of_key = |problem| TlsError::key(&self.settings, problem);
        let chain = chain(&self.certificate).map_err(of_certificate)?;
        let expires = earliest_end(&chain).map_err(of_certificate)?;
        let key = ring::default_provider()
            .key_provider
            .load_private_key(key(&self.key).map_err(of_key)?)
            .map_err(|error| of_key(Problem::Broken(error.to_string())))?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(Error::InconsistentKeys(_)) => return Err(of_key(Problem::OtherKey)),
            Err(error) => return Err(of_certificate(Problem::Broken(error.to_string()))),
        }
        Ok(Pair {
            certified: Arc::new(certified),
            expires,
        })
    }
}

/// The server's own certificate as its file has it now; `None`: it holds none, or cannot be read.
pub(crate) fn leaf_certificate(path: &Path) -> Option<CertificateDer<'static>> {
    let file = read(path).ok()?;
    chain(&file).ok()?.into_iter().next()
}

fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let unreadable = |error: io::Error| Problem::Unreadable(error.to_string());
    let mut content = Vec::new();
    let file = no_pipe::open(path).map_err(unreadable)?;
    let read = file
        .take(LONGEST + 1)
        .read_to_end(&mut content)
        .map_err(unreadable)?;
    if read as u64 > LONGEST {
        return Err(Problem::TooLong);
    }
    Ok(content)
}

fn chain(file: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let chain: Result<Vec<_>, PemError> = CertificateDer::pem_slice_iter(file).collect();
    let chain = chain.map_err(|error| malformed(&error))?;
    if chain.is_empty() {
        return Err(Problem::NoCertificate);
    }
    Ok(chain)
}

fn key(file: &[u8]) -> Result<PrivateKeyDer<'static>, Problem> {
    let is_encrypted = ENCRYPTED
        .iter()
        .any(|mark| memchr::memmem::find(file, mark).is_some());
    PrivateKeyDer::from_pem_slice(file).map_err(|error| match error {
        _ if is_encrypted => Problem::EncryptedKey,
        PemError::NoItemsFound => Problem::NoKey,
        error => malformed(&error),
    })
}

fn malformed(error: &PemError) -> Problem {
    Problem::Broken(format!("it is no right PEM ({})", malformed_pem(error)))
}

/// When the first certificate of a chain expires.
fn earliest_end(chain: &[CertificateDer<'_>]) -> Result<SystemTime, Problem> {
    let ends: Result<Vec<SystemTime>, Problem> = chain
        .iter()
        .map(|certificate| {
            let (_, certificate) = x509_parser::parse_x509_certificate(certificate)
                .map_err(|_| Problem::Broken("a certificate in it cannot be read".to_owned()))?;
            let seconds = certificate.validity().not_after.timestamp();
            // A time before 1970 is as good as that.
            Ok(UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or_default()))
        })
        .collect();
    ends?.into_iter().min().ok_or(Problem::NoCertificate)
}

#[cfg(test)]
mod tests {
    use test_support::pem::{assert_holds_nothing_of, broken};
    use test_support::tls::{Certificate, Files};

    use super::super::check;
    use super::*;

    #[test]
    fn a_problem_holds_nothing_of_the_files() {
        let folder = tempfile::tempdir().unwrap();
        let own = Certificate::valid();
        let files = Files::write(folder.path(), &own);
        let settings = TlsSettings {
            certificate: files.certificate.clone(),
            key: files.key.clone(),
        };
        let mut problems = 0;
        for content in broken(&own.certificate, &own.key) {
            for [certificate, key] in [
                [&content, &own.key],
                [&own.certificate, &content],
                [&content, &content],
            ] {
                files.replace_certificate(certificate);
                files.replace_key(key);
                if let Err(error) = check(&settings) {
                    problems += 1;
                    assert_holds_nothing_of(&format!("{error} {error:?}"), &own.key);
                }
            }
        }
        assert!(problems > 30, "{problems}");
    }

    #[test]
    fn content_in_the_place_of_a_path_is_not_told() {
        let own = Certificate::valid();
        // As PEM, and its base64 alone, which some systems keep instead.
        let base64: String = own.key.lines().filter(|line| !line.starts_with('-')).collect();
        for content in [&own.key, &base64] {
            for settings in [
                TlsSettings {
                    certificate: content.into(),
                    key: content.into(),
                },
                TlsSettings {
                    certificate: "/etc".into(),
                    key: content.into(),
                },
            ] {
                let error = check(&settings).unwrap_err();
                assert_holds_nothing_of(&format!("{error} {error:?}"), &own.key);
                assert!(
                    error.to_string().ends_with(
                        "give the path of a file in PEM, which may be relative to the configuration file"
                    ),
                    "{error}"
                );
            }
        }
    }
}
