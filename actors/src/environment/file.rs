//! Documents read from files.
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::upstream::{FetchFailure, MAX_DOCUMENT_BYTES};

/// A file that was changed this shortly before it was read may be changed again without a new modification time:
/// some file systems keep whole seconds, or two.
const SETTLED_AGE: Duration = Duration::from_secs(2);

/// The bound of upstream's documents; the message of [`too_large`] says it.
const MAX_BYTES: u64 = MAX_DOCUMENT_BYTES as u64;

/// One watched file.
#[derive(Debug, Clone)]
pub(super) struct FileSource {
    path: Arc<PathBuf>,
    last: Option<Reading>,
}

/// What a look at the file gave.
pub(super) enum FileOutcome {
    /// As it was when it was last read.
    Unchanged,
    /// Its bytes.
    Changed(Bytes),
}

/// What was read last, and what came of it.
#[derive(Debug, Clone)]
struct Reading {
    signature: Signature,
    /// When a look first gave this signature.
    since: Instant,
    is_settled: bool,
    hash: [u8; 32],
    /// The document could not be used, and would not be the next time.
    refusal: Option<FetchFailure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Signature {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

impl FileSource {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path: Arc::new(path),
            last: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks at the file, and reads it where it has changed or `is_forced`. Blocks. The outcome of a changed file is
    /// to be told by [`FileSource::refused`] where it was no document.
    pub(super) fn look(&mut self, is_forced: bool) -> Result<FileOutcome, FetchFailure> {
        self.look_at(Instant::now(), is_forced)
    }

    fn look_at(&mut self, now: Instant, is_forced: bool) -> Result<FileOutcome, FetchFailure> {
        self.read_if_changed(now, is_forced).map_err(|error| {
            self.last = None;
            // The system's text names no path.
            FetchFailure::File(error.to_string())
        })?
    }

    /// What was read last is no document: said again until the file changes, without another look into it.
    pub(super) fn refused(&mut self, refusal: &FetchFailure) {
        if let Some(last) = &mut self.last {
            last.refusal = Some(refusal.clone());
        }
    }

    fn read_if_changed(
        &mut self,
        now: Instant,
        is_forced: bool,
    ) -> io::Result<Result<FileOutcome, FetchFailure>> {
        let metadata = fs::metadata(self.path.as_ref())?;
        if !metadata.is_file() {
            // Opening a pipe would wait for its writer, for ever.
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        let signature = Signature::of(&metadata);
        if let Some(last) = &self.last
            && last.signature == signature
            && last.is_settled
            && !is_forced
        {
            return Ok(last.outcome());
        }
        if metadata.len() > MAX_BYTES {
            return Err(too_large());
        }
        let bytes = read(&self.path, MAX_BYTES)?;
        let since = self
            .last
            .as_ref()
            .filter(|last| last.signature == signature)
            .map_or(now, |last| last.since);
        let is_settled = signature.is_settled(now.saturating_duration_since(since));
        let hash = Sha256::digest(&bytes).into();
        if let Some(last) = &mut self.last
            && last.hash == hash
        {
            (last.signature, last.since, last.is_settled) = (signature, since, is_settled);
            return Ok(last.outcome());
        }
        self.last = Some(Reading {
            signature,
            since,
            is_settled,
            hash,
            refusal: None,
        });
        Ok(Ok(FileOutcome::Changed(Bytes::from(bytes))))
    }
}

impl Reading {
    fn outcome(&self) -> Result<FileOutcome, FetchFailure> {
        self.refusal.clone().map_or(Ok(FileOutcome::Unchanged), Err)
    }
}

impl Signature {
    #[cfg(unix)]
    fn of(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self {
            modified: metadata.modified().ok(),
            bytes: metadata.len(),
            inode: metadata.ino(),
        }
    }

    #[cfg(not(unix))]
    fn of(metadata: &Metadata) -> Self {
        Self {
            modified: metadata.modified().ok(),
            bytes: metadata.len(),
            inode: 0,
        }
    }

    /// Whether a later change would show, in a file that has had this signature for so long: its date lies far enough
    /// back, or is another clock's, which has gone on as long as ours (a date in the future, of a server whose clock
    /// runs ahead, or set by hand). Without a date most changes show in nothing.
    fn is_settled(self, known_for: Duration) -> bool {
        self.modified.is_some_and(|modified| {
            known_for > SETTLED_AGE || modified.elapsed().is_ok_and(|age| age > SETTLED_AGE)
        })
    }
}

/// Reads at most `limit` bytes: a file may grow while it is read, and those of `/proc` do not tell their length.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let file = fs::File::open(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.metadata()?.len().min(limit)).unwrap_or(0));
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > limit) {
        return Err(too_large());
    }
    Ok(bytes)
}

fn too_large() -> io::Error {
    io::Error::new(
        io::ErrorKind::FileTooLarge,
        "it is larger than this proxy reads, 256 MiB",
    )
}

#[cfg(test)]
mod tests;
