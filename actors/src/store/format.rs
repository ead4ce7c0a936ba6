//! A stored document, in bytes; pure.
//!
//! # Format
//! A line that names format and version, then what follows. Numbers are little-endian.
//!
//! | part | bytes |
//! |---|---|
//! | checksum: SHA-256 of all that follows | 32 |
//! | SHA-256 of the environment's client-side key | 32 |
//! | digest of where the document came from | 32 |
//! | the served `updated_at`, in microseconds | 8 |
//! | upstream's `updated_at`; the one that was told last: each a byte that says whether it is known, and the number | 9 each |
//! | whether the number is unsettled; whether the date is exact | 1 each |
//! | the document, as it is served, to the end of the file | |
use std::fmt;

use bytes::Bytes;
use engine::UpdatedAt;
use sha2::{Digest as _, Sha256};

use crate::keys::{EnvironmentKey, KeyDigest};

/// How every version begins.
const BEGINNING: &[u8] = b"edge-proxy document ";
/// The version that this program writes, and the only one that it reads.
pub(super) const VERSION: u32 = 1;
/// A version's digits, at most.
const VERSION_DIGITS: usize = 9;
const CHECKSUM: usize = 32;

/// A document as it was served, and what a restart must know of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) environment: KeyDigest,
    pub(crate) source: SourceDigest,
    /// The served `updated_at`.
    pub(crate) served: UpdatedAt,
    /// As upstream gave it.
    pub(crate) upstream: Option<UpdatedAt>,
    /// The newest number that subscribers were told.
    pub(crate) told: Option<UpdatedAt>,
    /// Upstream's own number for this content had not come yet.
    pub(crate) is_unsettled: bool,
    /// See [`ServedEnvironment::is_date_exact`](crate::served::ServedEnvironment::is_date_exact).
    pub(crate) is_date_exact: bool,
    /// The environment document as it is served, all pages in one.
    pub(crate) document: Bytes,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The document holds keys, identifiers and values.
        f.debug_struct("Stored")
            .field("served", &self.served)
            .field("bytes", &self.document.len())
            .finish_non_exhaustive()
    }
}

/// Tells apart where documents come from: upstream's numbers mean something to the upstream alone that gave them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SourceDigest([u8; 32]);

impl SourceDigest {
    /// Of an API that is asked with these keys.
    pub(crate) fn of(api_url: &str, server_side_keys: &[EnvironmentKey]) -> Self {
        let mut digest = Sha256::new_with_prefix(api_url);
        for key in server_side_keys {
            // Neither a URL nor a key holds one.
            digest.update(b"\n");
            digest.update(key.reveal());
        }
        Self(digest.finalize().into())
    }
}

/// Why bytes are no stored document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Something else, or that of another environment.
    Foreign,
    /// One of another version of this program.
    Version(u32),
    /// One that is torn or was changed.
    Damaged,
}

/// What a file begins with, before the document. Reads the whole document, for its checksum.
pub(super) fn head(stored: &Stored) -> Vec<u8> {
    let mut fields = Vec::with_capacity(128);
    fields.extend(stored.environment.bytes());
    fields.extend(stored.source.0);
    fields.extend(stored.served.as_micros().to_le_bytes());
    for number in [stored.upstream, stored.told] {
        fields.push(number.is_some().into());
        fields.extend(number.map_or(0, UpdatedAt::as_micros).to_le_bytes());
    }
    fields.extend([stored.is_unsettled, stored.is_date_exact].map(u8::from));
    let mut head = BEGINNING.to_vec();
    head.extend(format!("{VERSION}\n").bytes());
    head.extend(checksum(&fields, &stored.document));
    head.append(&mut fields);
    head
}

fn checksum(fields: &[u8], document: &[u8]) -> [u8; CHECKSUM] {
    Sha256::new_with_prefix(fields)
        .chain_update(document)
        .finalize()
        .into()
}

/// Reads a file.
///
/// # Errors
/// Where it is no whole stored document of this version and environment.
pub(super) fn read(file: &Bytes, environment: KeyDigest) -> Result<Stored, Unreadable> {
    let mut rest = Reader(beginning(file)?);
    let stored = rest.stored(file).ok_or(Unreadable::Damaged)?;
    // Somebody has named another one's file so.
    if stored.environment == environment {
        Ok(stored)
    } else {
        Err(Unreadable::Foreign)
    }
}

/// What follows the line that names format and version.
fn beginning(file: &[u8]) -> Result<&[u8], Unreadable> {
    let Some(rest) = file.strip_prefix(BEGINNING) else {
        // One that broke off before its first line was whole is ours.
        let is_ours = BEGINNING.starts_with(file);
        return Err(if is_ours {
            Unreadable::Damaged
        } else {
            Unreadable::Foreign
        });
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let Some((digits, rest)) = rest.split_at_checked(digits) else {
        return Err(Unreadable::Damaged);
    };
    let version = std::str::from_utf8(digits)
        .ok()
        .filter(|digits| digits.len() <= VERSION_DIGITS);
    let version: Option<u32> = version.and_then(|digits| digits.parse().ok());
    match (version, rest.strip_prefix(b"\n")) {
        (Some(VERSION), Some(rest)) => Ok(rest),
        (Some(version), Some(_)) => Err(Unreadable::Version(version)),
        _ => Err(Unreadable::Damaged),
    }
}

/// What is left to read.
struct Reader<'f>(&'f [u8]);

impl Reader<'_> {
    /// `None`: it is no whole one.
    fn stored(&mut self, file: &Bytes) -> Option<Stored> {
        let expected: [u8; CHECKSUM] = self.array()?;
        let covered = self.0;
        let environment = KeyDigest::from_bytes(self.array()?);
        let source = SourceDigest(self.array()?);
        let served = self.number()?;
        let (upstream, told) = (self.optional()?, self.optional()?);
        let (is_unsettled, is_date_exact) = (self.flag()?, self.flag()?);
        if checksum(covered, &[]) != expected {
            return None;
        }
        Some(Stored {
            environment,
            source,
            served,
            upstream,
            told,
            is_unsettled,
            is_date_exact,
            document: file.slice_ref(self.0),
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*bytes)
    }

    fn number(&mut self) -> Option<UpdatedAt> {
        Some(UpdatedAt::from_micros(i64::from_le_bytes(self.array()?)))
    }

    fn flag(&mut self) -> Option<bool> {
        match self.array()? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn optional(&mut self) -> Option<Option<UpdatedAt>> {
        let is_known = self.flag()?;
        let number = self.number()?;
        Some(is_known.then_some(number))
    }
}

/// What holds of every file: it is read as what it was written from or not at all, and by its own environment alone. The bytes are
/// also put behind a right beginning and checksum, without which few changed ones get further.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(data: &[u8]) {
    let checksum = checksum(data, &[]);
    let sealed = [BEGINNING, format!("{VERSION}\n").as_bytes(), &checksum, data].concat();
    for file in [Bytes::copy_from_slice(data), sealed.into()] {
        let own = beginning(&file)
            .ok()
            .and_then(|rest| rest.get(CHECKSUM..)?.first_chunk())
            .map_or(KeyDigest::from_bytes([0; 32]), |digest| {
                KeyDigest::from_bytes(*digest)
            });
        let Ok(stored) = read(&file, own) else { continue };
        let again = Bytes::from([head(&stored), stored.document.to_vec()].concat());
        assert_eq!(read(&again, own).as_ref(), Ok(&stored), "another document");
        let other = KeyDigest::from_bytes(own.bytes().map(|byte| !byte));
        assert_eq!(
            read(&file, other),
            Err(Unreadable::Foreign),
            "another environment's"
        );
    }
}

#[cfg(test)]
pub(super) mod tests;
