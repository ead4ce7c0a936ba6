//! Where a process serves, left for `edge-proxy health`: the configuration file may say something else by then, since a
//! process keeps the configuration before where the file cannot be used, and its address until it is restarted.
//!
//! The record is a small file, for its own account alone, named by the configuration file's path: in the directory for temporary files,
//! which a service may have for itself alone (systemd's `PrivateTmp`), and in `persistence.directory`. One of them may take none, as on
//! a read-only root. The process holds a lock on each, which ends with the process however that ends; a record without its lock
//! is nobody's.
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// More is no record.
const LONGEST: u64 = 64 * 1024;

/// How often the lock is tried for. Whoever reads a record holds it for a moment.
const ATTEMPTS: usize = 10;

const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// A process starts without its record where the disk takes longer.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where a process serves, and how it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// Its `server.tls.certificate`; `None`: it speaks plain HTTP.
    pub certificate: Option<PathBuf>,
    /// Whether a connection from this machine has to begin with a PROXY header.
    pub needs_header: bool,
}

/// The records of this process, which are gone when this is dropped.
#[derive(Debug)]
pub struct ServingRecord {
    _copies: Vec<LeftCopy>,
}

/// One of them.
#[derive(Debug)]
struct LeftCopy {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
}

impl ServingRecord {
    /// Leaves the record of a process with this configuration file, in each of the two places that takes it. Waits for a disk
    /// that hangs a second at most, and for each by itself.
    ///
    /// # Errors
    /// Where neither does: why the last one does not.
    pub fn leave(config_path: &Path, persistence: Option<&Path>, serving: &Serving) -> io::Result<Self> {
        Self::leave_in(places(config_path, persistence).collect(), serving)
    }

    fn leave_in(places: Vec<PathBuf>, serving: &Serving) -> io::Result<Self> {
        let mut copies = Vec::new();
        let mut problem = io::Error::other("there is no place for it");
        for path in places {
            let serving = serving.clone();
            let left = within(PATIENCE, move || LeftCopy::leave_at(path, &serving));
            match left.flatten() {
                Ok(copy) => copies.push(copy),
                Err(error) => problem = error,
            }
        }
        match copies.is_empty() {
            true => Err(problem),
            false => Ok(Self { _copies: copies }),
        }
    }
}

impl LeftCopy {
    fn leave_at(path: PathBuf, serving: &Serving) -> io::Result<Self> {
        let mut file = locked(&path)?;
        file.set_len(0)?;
        file.write_all(serde_json::to_string(serving)?.as_bytes())?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for LeftCopy {
    fn drop(&mut self) {
        // Where it stays, it is nobody's.
        let _ = fs::remove_file(&self.path);
    }
}

/// Where a living process with this configuration file says that it serves.
pub fn read(config_path: &Path, persistence: Option<&Path>) -> Option<Serving> {
    places(config_path, persistence).find_map(|path| read_at(&path))
}

fn read_at(path: &Path) -> Option<Serving> {
    let file = options().read(true).open(path).ok()?;
    if !is_own(&file).ok()? || !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// What work on a disk gives, within this time; where it takes longer it goes on, and what it gives is dropped.
fn within<T: Send + 'static>(patience: Duration, work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let (sender, outcome) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        // Who asked may have given up.
        let _ = sender.send(work());
    })?;
    let outcome = outcome.recv_timeout(patience);
    outcome.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the disk does not answer"))
}

/// Opens and locks the file at this path.
fn locked(path: &Path) -> io::Result<File> {
    for _ in 0..ATTEMPTS {
        let file = options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path)?;
        if !is_own(&file)? {
            return Err(io::Error::other("somebody else's file is in its place"));
        }
        match file.try_lock() {
            Ok(()) if is_at(&file, path) => return Ok(file),
            // The process before has removed it meanwhile, or somebody reads it.
            Ok(()) | Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN_ATTEMPTS),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other(
        "another process serves with the same configuration file",
    ))
}

/// A link, which others may have put there, is not followed.
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Whether a file is this account's, or this is root.
fn is_own(file: &File) -> io::Result<bool> {
    let account = rustix::process::geteuid();
    Ok(account.is_root() || file.metadata()?.uid() == account.as_raw())
}

fn is_at(file: &File, path: &Path) -> bool {
    let same = |own: fs::Metadata, there: fs::Metadata| own.ino() == there.ino() && own.dev() == there.dev();
    file.metadata()
        .and_then(|own| Ok(same(own, fs::symlink_metadata(path)?)))
        .unwrap_or(false)
}

/// Where the record of this configuration file may be.
fn places(config_path: &Path, persistence: Option<&Path>) -> impl Iterator<Item = PathBuf> {
    let mut hasher = DefaultHasher::new();
    let absolute = std::path::absolute(config_path);
    absolute.as_deref().unwrap_or(config_path).hash(&mut hasher);
    // The store looks past names that begin so.
    let name = format!(".edge-proxy-{:016x}.serving", hasher.finish());
    let persistence = persistence.map(Path::to_owned);
    [Some(std::env::temp_dir()), persistence]
        .into_iter()
        .flatten()
        .map(move |folder| folder.join(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serving(port: u16) -> Serving {
        Serving {
            addresses: vec![SocketAddr::from(([127, 0, 0, 1], port))],
            certificate: None,
            needs_header: false,
        }
    }

    #[test]
    fn a_record_is_believed_while_its_process_lives() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("record");
        assert_eq!(read_at(&path), None);
        let record = LeftCopy::leave_at(path.clone(), &serving(1)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read_at(&path), Some(serving(1)));
        assert!(LeftCopy::leave_at(path.clone(), &serving(2)).is_err());
        assert_eq!(read_at(&path), Some(serving(1)));
        drop(record);
        assert!(!path.exists());
        // One that was killed leaves its file, and no lock.
        fs::write(&path, serde_json::to_string(&serving(1)).unwrap()).unwrap();
        assert_eq!(read_at(&path), None);
        let _record = LeftCopy::leave_at(path.clone(), &serving(3)).unwrap();
        assert_eq!(read_at(&path), Some(serving(3)));
    }

    #[test]
    fn a_link_is_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let [path, elsewhere] = ["record", "elsewhere"].map(|name| folder.path().join(name));
        fs::write(&elsewhere, "kept").unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        assert!(LeftCopy::leave_at(path.clone(), &serving(1)).is_err());
        assert_eq!(read_at(&path), None);
        assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
    }

    #[test]
    fn a_record_is_in_both_places() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        let missing = folder.path().join("missing/record");
        let record = ServingRecord::leave_in(vec![one.clone(), missing, other.clone()], &serving(1));
        assert_eq!(
            [&one, &other].map(|path| read_at(path)),
            [Some(serving(1)), Some(serving(1))]
        );
        drop(record);
        assert_eq!([&one, &other].map(|path| read_at(path)), [None, None]);
        assert!(ServingRecord::leave_in(Vec::new(), &serving(1)).is_err());
    }

    #[test]
    fn each_configuration_file_has_its_own_and_the_directory_of_the_store_is_the_second_place() {
        let of = |path: &str| places(Path::new(path), Some(Path::new("/store"))).collect::<Vec<_>>();
        let (one, other) = (of("/app/config.json"), of("/app/other.json"));
        assert_eq!(one, of("/app/config.json"));
        assert_ne!(one, other);
        assert!(one[0].starts_with(std::env::temp_dir()) && one[1].starts_with("/store"));
    }
}
