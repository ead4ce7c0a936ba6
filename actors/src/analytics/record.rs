//! What is unsent, in bytes that outlive the process; pure.
//!
//! # Format
//! A line that names format and version, then records, one behind another. Numbers are little-endian.
//!
//! | part of a record | bytes |
//! |---|---|
//! | length of the content | 4 |
//! | checksum: the beginning of the content's SHA-256 | 8 |
//! | content: SHA-256 of the environment's client-side key | 32 |
//! | the four labels, each a text that may be missing | 4 + its length each |
//! | number of features; each a text and a count | 4; 4 + its length + 8 |
//! | number of evaluations; each feature, identity (may be missing), enabled, count | 4; … |
//!
//! A text is its length and its bytes; the length 2³² - 1 is a missing one. Counts of the same thing in several records are
//! summed, so records can be appended, and a file that breaks off, or is damaged, holds all up to there.
use std::collections::HashMap;

use sha2::{Digest as _, Sha256};

use super::counts::Counts;
use super::evaluation::Evaluation;
use super::labels::{LABELS, Labels, LabelsRef};
use super::room::Room;
use super::sheet::Sheet;
use crate::keys::KeyDigest;

/// How it begins.
const BEGINNING: &[u8] = b"edge-proxy analytics 1\n";
/// The entries of a record at most: so many are lost where it is damaged.
const ENTRIES: usize = 1_000;
const CHECKSUM: usize = 8;
const MISSING: u32 = u32::MAX;

/// What a file holds.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) environments: HashMap<KeyDigest, Counts>,
    /// Whether something of it cannot be read.
    pub(super) is_damaged: bool,
}

/// It is no such file, or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Foreign;

/// Writes the counts of environments.
pub(super) fn write<'c>(environments: impl IntoIterator<Item = (KeyDigest, &'c Counts)>) -> Vec<u8> {
    let mut file = BEGINNING.to_vec();
    for (environment, counts) in environments {
        for (labels, sheet) in counts.sheets() {
            write_sheet(&mut file, environment, labels, sheet);
        }
    }
    file
}

/// Whether this is a file of unsent counts, of this version, or the beginning of one that broke off.
pub(crate) fn is_unsent_file(file: &[u8]) -> bool {
    file.starts_with(BEGINNING) || BEGINNING.starts_with(file)
}

/// Whether a file that was written holds nothing.
pub(super) fn is_empty(file: &[u8]) -> bool {
    file.len() <= BEGINNING.len()
}

fn write_sheet(file: &mut Vec<u8>, environment: KeyDigest, labels: &Labels, sheet: &Sheet) {
    let mut features = sheet.features.iter();
    let mut evaluations = sheet.evaluations.iter();
    while features.len() + evaluations.len() > 0 {
        let mut content = Vec::from(environment.bytes());
        for label in &labels.0 {
            write_text(&mut content, label.as_deref());
        }
        write_length(&mut content, features.len().min(ENTRIES));
        for (feature, count) in features.by_ref().take(ENTRIES) {
            write_text(&mut content, Some(feature.as_bytes()));
            content.extend(count.to_le_bytes());
        }
        write_length(&mut content, evaluations.len().min(ENTRIES));
        for (evaluation, count) in evaluations.by_ref().take(ENTRIES) {
            write_text(&mut content, Some(evaluation.feature.as_bytes()));
            write_text(&mut content, evaluation.identity.as_deref().map(str::as_bytes));
            content.push(evaluation.enabled.into());
            content.extend(count.to_le_bytes());
        }
        write_length(file, content.len());
        file.extend(checksum(&content));
        file.append(&mut content);
    }
}

fn write_text(content: &mut Vec<u8>, text: Option<&[u8]>) {
    match text {
        Some(text) => {
            write_length(content, text.len());
            content.extend(text);
        }
        None => content.extend(MISSING.to_le_bytes()),
    }
}

fn write_length(content: &mut Vec<u8>, length: usize) {
    // Texts have some kB, records some MB.
    content.extend(u32::try_from(length).unwrap_or(MISSING).to_le_bytes());
}

fn checksum(content: &[u8]) -> [u8; CHECKSUM] {
    let digest: [u8; 32] = Sha256::digest(content).into();
    let mut checksum = [0; CHECKSUM];
    checksum.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
    checksum
}

/// Reads what was written. An empty file is one without counts.
///
/// # Errors
/// Where it is not ours, or of another version.
pub(super) fn read(file: &[u8]) -> Result<Kept, Foreign> {
    let mut kept = Kept::default();
    if file.is_empty() {
        return Ok(kept);
    }
    let mut rest = Reader(file.strip_prefix(BEGINNING).ok_or(Foreign)?);
    while !rest.0.is_empty() {
        if rest.record(&mut kept).is_none() {
            kept.is_damaged = true;
            break;
        }
    }
    Ok(kept)
}

/// What is left to read.
struct Reader<'f>(&'f [u8]);

impl<'f> Reader<'f> {
    /// Reads one record; `None`: it is no whole one.
    fn record(&mut self, kept: &mut Kept) -> Option<()> {
        let length = usize::try_from(self.number()?).ok()?;
        let expected = self.bytes(CHECKSUM)?;
        let content = self.bytes(length)?;
        if checksum(content) != expected {
            return None;
        }
        Self(content).content(kept)
    }

    fn content(&mut self, kept: &mut Kept) -> Option<()> {
        let environment = KeyDigest::from_bytes(self.bytes(32)?.try_into().ok()?);
        let mut labels = [None; LABELS];
        for label in &mut labels {
            *label = self.text()?;
        }
        // The bound is that of whoever takes them.
        let mut room = Room::new(usize::MAX);
        let counts = kept.environments.entry(environment).or_default();
        let mut counting = counts.counting(LabelsRef(labels), &mut room);
        for _ in 0..self.number()? {
            let feature = std::str::from_utf8(self.text()??).ok()?;
            counting.feature(feature, self.count()?, |_| true);
        }
        for _ in 0..self.number()? {
            let evaluation = Evaluation {
                feature: std::str::from_utf8(self.text()??).ok()?.into(),
                identity: match self.text()? {
                    Some(identity) => Some(std::str::from_utf8(identity).ok()?.into()),
                    None => None,
                },
                enabled: self.bytes(1)? == [1],
            };
            counting.evaluation(evaluation.borrowed(), self.count()?, |_| true);
        }
        self.0.is_empty().then_some(())
    }

    fn bytes(&mut self, length: usize) -> Option<&'f [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn count(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    /// A text that may be missing.
    fn text(&mut self) -> Option<Option<&'f [u8]>> {
        match self.number()? {
            MISSING => Some(None),
            length => Some(Some(self.bytes(usize::try_from(length).ok()?)?)),
        }
    }
}

#[cfg(test)]
mod tests;
