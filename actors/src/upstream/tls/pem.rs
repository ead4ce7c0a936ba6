//! Certificates and keys from files in PEM. Problems follow an option's name, and hold neither a path nor a part of a file.
use std::io::{self, Read as _};
use std::path::Path;

use rustls::pki_types::pem::{Error, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::no_pipe;

/// Bytes of a file: a bundle of all public authorities comes to some 250 kB.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// The certificates of a file, in their order; at least one.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(
            "names a file that holds no certificate in PEM (-----BEGIN CERTIFICATE-----); convert it, or name another"
                .to_owned(),
        ),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(malformed(&error)),
    }
}

/// The first key of a file, as PKCS#8, PKCS#1 or SEC1.
///
/// # Errors
/// What is wrong with the file.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let bytes = read(path)?;
    match PrivateKeyDer::from_pem_slice(&bytes) {
        Ok(key) => Ok(key),
        Err(Error::NoItemsFound) if is_encrypted(&bytes) => Err(
            "names a file whose key is encrypted, and there is nobody to ask for its password; decrypt it (openssl pkey)"
                .to_owned(),
        ),
        Err(Error::NoItemsFound) => Err(
            "names a file that holds no private key in PEM (-----BEGIN PRIVATE KEY-----); convert it, or name another"
                .to_owned(),
        ),
        Err(error) => Err(malformed(&error)),
    }
}

fn is_encrypted(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"-----BEGIN ENCRYPTED PRIVATE KEY-----").is_some()
}

/// Why a file is no right PEM, in words that hold nothing of it. The library's own hold a whole line, which is a whole private
/// key where the line breaks are lost.
pub fn malformed_pem(error: &Error) -> &'static str {
    match error {
        Error::MissingSectionEnd { .. } => "a section has no end",
        Error::IllegalSectionStart { .. } => "a section begins with no right line",
        Error::Base64Decode(_) => "a section is no base64",
        _ => "it cannot be read",
    }
}

fn malformed(error: &Error) -> String {
    let why = malformed_pem(error);
    format!("names a file that is no right PEM ({why}); correct it")
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| {
        format!(
            "names a file that cannot be read ({error}); give the path of a file in PEM, which may be relative to the \
             configuration file"
        )
    };
    let mut bytes = Vec::new();
    let file = no_pipe::open(path).map_err(unreadable)?;
    // One more byte tells a file that is too large.
    let read = file.take(MOST_BYTES + 1).read_to_end(&mut bytes);
    if read.map_err(unreadable)? as u64 > MOST_BYTES {
        return Err("names a file of more than 8 MiB; name one of certificates or a key in PEM".to_owned());
    }
    if bytes.trim_ascii().is_empty() {
        return Err("names a file that is empty; give one of certificates or a key in PEM".to_owned());
    }
    Ok(bytes)
}
