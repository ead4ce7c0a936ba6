//! Where a process serves, left for `edge-proxy health`: the configuration file may say something else by then, since a
//! process keeps the configuration before where the file cannot be used, and its address until it is restarted.
//!
//! The record is a small file, for its own account alone, named by the configuration file's path: in the directory for temporary files,
//! which a service may have for itself alone (systemd's `PrivateTmp`), and in `persistence.directory`. One of them may take none, as on
//! a read-only root. The process holds a lock on each, which ends with the process however that ends; a record without its lock
//! is nobody's.
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

mod file;

/// A process starts without its record where the disk takes longer, and whoever looks for one goes on without.
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
        let mut file = file::locked(&path)?;
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

/// Where a living process with this configuration file says that it serves. Waits for a disk that hangs as [`ServingRecord::leave`]
/// does.
pub fn read(config_path: &Path, persistence: Option<&Path>) -> Option<Serving> {
    places(config_path, persistence)
        .find_map(|path| within(PATIENCE, move || file::read(&path)).ok().flatten())
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
mod tests;
