//! Documents read from files.
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::upstream::FetchFailure;

/// A file that was changed this shortly before it was read may be changed again without a new modification time:
/// some file systems keep whole seconds, or two.
const SETTLED_AGE: Duration = Duration::from_secs(2);

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

    /// Looks at the file, and reads it where it has changed or `is_forced`. Blocks. The outcome of a changed file is
    /// to be told by [`FileSource::refused`] where it was no document.
    pub(super) fn look(&mut self, is_forced: bool) -> Result<FileOutcome, FetchFailure> {
        self.read_if_changed(is_forced).map_err(|error| {
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

    fn read_if_changed(&mut self, is_forced: bool) -> io::Result<Result<FileOutcome, FetchFailure>> {
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
        let bytes = read(&self.path)?;
        let hash = Sha256::digest(&bytes).into();
        if let Some(last) = &mut self.last
            && last.hash == hash
        {
            last.signature = signature;
            last.is_settled = signature.is_settled();
            return Ok(last.outcome());
        }
        self.last = Some(Reading {
            signature,
            is_settled: signature.is_settled(),
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

    fn is_settled(self) -> bool {
        self.modified
            .is_some_and(|modified| modified.elapsed().is_ok_and(|age| age > SETTLED_AGE))
    }
}

/// A file that grows while it is read ends at the same bound as upstream's documents.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let file = fs::File::open(path)?;
    let limit = crate::upstream::MAX_DOCUMENT_BYTES as u64;
    let mut bytes = Vec::with_capacity(usize::try_from(file.metadata()?.len().min(limit)).unwrap_or(0));
    file.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(outcome: Result<FileOutcome, FetchFailure>) -> Option<Bytes> {
        match outcome.unwrap() {
            FileOutcome::Changed(bytes) => Some(bytes),
            FileOutcome::Unchanged => None,
        }
    }

    #[test]
    fn a_file_is_read_when_it_changes_however_fast() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("environment.json");
        let mut source = FileSource::new(path.clone());
        assert!(matches!(source.look(false), Err(FetchFailure::File(_))));
        // Same length, same inode, and on most file systems the same modification time.
        for content in ["[1]", "[2]", "[3]"] {
            fs::write(&path, content).unwrap();
            assert_eq!(bytes_of(source.look(false)).unwrap(), content);
            assert_eq!(bytes_of(source.look(false)), None);
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(source.look(false), Err(FetchFailure::File(_))));
        fs::write(&path, "[3]").unwrap();
        assert_eq!(
            bytes_of(source.look(false)).unwrap(),
            "[3]",
            "what it was before it went is forgotten"
        );
    }

    #[test]
    fn a_replaced_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (
            folder.path().join("environment.json"),
            folder.path().join("new.json"),
        );
        fs::write(&path, "[1]").unwrap();
        let mut source = FileSource::new(path.clone());
        assert!(bytes_of(source.look(false)).is_some());
        fs::write(&other, "[2]").unwrap();
        fs::rename(&other, &path).unwrap();
        assert_eq!(bytes_of(source.look(false)).unwrap(), "[2]");
    }

    #[test]
    fn a_settled_file_is_read_again_only_by_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("environment.json");
        let old = SystemTime::now() - Duration::from_secs(60);
        let write = |content: &str| {
            fs::write(&path, content).unwrap();
            fs::File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(old)
                .unwrap();
        };
        write("[1]");
        let mut source = FileSource::new(path.clone());
        assert!(bytes_of(source.look(false)).is_some());
        write("[2]");
        assert_eq!(
            bytes_of(source.look(false)),
            None,
            "the same time, length and inode"
        );
        assert_eq!(bytes_of(source.look(true)).unwrap(), "[2]");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_no_regular_file_is_refused_without_opening_it() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        let mut paths = vec![folder.path().to_owned(), PathBuf::from("/dev/zero")];
        // The system may have no mkfifo.
        if made.is_ok_and(|status| status.success()) {
            paths.push(pipe);
        }
        for path in paths {
            assert!(
                matches!(FileSource::new(path.clone()).look(true), Err(FetchFailure::File(why)) if why == "not a regular file"),
                "{}",
                path.display()
            );
        }
    }

    #[test]
    fn a_refused_file_stays_refused_until_it_changes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("environment.json");
        fs::write(&path, "no").unwrap();
        let mut source = FileSource::new(path.clone());
        assert!(bytes_of(source.look(false)).is_some());
        source.refused(&FetchFailure::NotJson("no".to_owned()));
        assert!(matches!(source.look(false), Err(FetchFailure::NotJson(_))));
        assert!(matches!(source.look(true), Err(FetchFailure::NotJson(_))));
        fs::write(&path, "{}").unwrap();
        assert_eq!(bytes_of(source.look(false)).unwrap(), "{}");
    }
}
