//! Where a process serves, left for `edge-proxy health`: the configuration file may say something else by then, since a
//! process keeps the configuration before where the file cannot be used, and its address until it is restarted.
//!
//! The record is a small file, for its own account alone, named by the configuration file's path, by where the variables have the
//! process listen, and by that account. It is in the directory for temporary files, which a service may have for itself alone
//! (systemd's `PrivateTmp`), and in `persistence.directory`. One of them may take none, as on a read-only root. The process holds
//! a lock on each, which ends with the process however that ends. A record without its lock is nobody's, and is deleted by the
//! next process of its account that leaves one in the same place.
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::settings::{ConfigurationSource, ListenHost};

mod file;

/// A process starts without its record where the disk takes longer, and whoever looks for one goes on without. Where these are
/// tested no disk hangs, and the machine may have more to do than it can.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 30 } else { 1 });

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

impl Serving {
    /// Whether the process has this port at one of the host's addresses, as far as that is known without a look-up.
    pub(crate) fn is_at(&self, host: &ListenHost, port: u16) -> bool {
        let shares = |ip| ListenHost::Address(ip).shares_addresses_with(host);
        self.addresses
            .iter()
            .any(|own| own.port() == port && shares(own.ip()))
    }
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
    /// Holds the lock; `None`: it is being deleted.
    file: Option<File>,
}

impl ServingRecord {
    /// Leaves the record of a process with this configuration, in each of the two places that takes it. Waits for a disk
    /// that hangs a second at most, and for each by itself.
    ///
    /// # Errors
    /// Where neither does: why the last one does not.
    pub fn leave(
        source: &ConfigurationSource,
        persistence: Option<&Path>,
        serving: &Serving,
    ) -> io::Result<Self> {
        let name = Name::of(source).own();
        let places = folders(persistence).map(|folder| folder.join(&name));
        Self::leave_in(places.collect(), serving)
    }

    fn leave_in(places: Vec<PathBuf>, serving: &Serving) -> io::Result<Self> {
        let mut copies = Vec::new();
        let mut problem = io::Error::other("there is no place for it");
        for path in places {
            let serving = serving.clone();
            let left = within(PATIENCE, move || LeftCopy::leave_at(path, &serving));
            match left.flatten() {
                Ok(copy) => {
                    copy.clean_beside();
                    copies.push(copy);
                }
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
        Ok(Self {
            path,
            file: Some(file),
        })
    }
}

impl LeftCopy {
    /// Deletes what processes of this account have left beside that were killed. It may stay where the disk takes long.
    fn clean_beside(&self) {
        if let Some(folder) = self.path.parent().map(Path::to_owned) {
            let _ = within(PATIENCE, move || file::clean(&folder));
        }
    }
}

impl Drop for LeftCopy {
    fn drop(&mut self) {
        let (path, file) = (std::mem::take(&mut self.path), self.file.take());
        // Where it stays, it is nobody's. Until it is deleted it keeps its lock, so that no other process's record is.
        let _ = within(PATIENCE, move || {
            let removed = fs::remove_file(path);
            drop(file);
            removed
        });
    }
}

/// Where a living process with this configuration says that it serves: one with its file and its variables, else one with its file
/// that listens at this place. Waits for a disk that hangs as [`ServingRecord::leave`] does.
pub fn read(
    source: &ConfigurationSource,
    persistence: Option<&Path>,
    at: Option<(&ListenHost, u16)>,
) -> Option<Serving> {
    read_all(source, persistence, at).meant
}

/// What living processes with this configuration say.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// As [`read`] gives it.
    pub(crate) meant: Option<Serving>,
    /// Else that of the only process with this file, for a reader whose own variables do not say where it listens: the process
    /// may have some that the reader lacks, as those that an entrypoint sets.
    pub(crate) only: Option<Serving>,
}

/// As [`read`].
pub(crate) fn read_all(
    source: &ConfigurationSource,
    persistence: Option<&Path>,
    at: Option<(&ListenHost, u16)>,
) -> Records {
    let name = Name::of(source);
    let mut living = Vec::new();
    for folder in folders(persistence) {
        let of_file = name.of_file.clone();
        living.extend(within(PATIENCE, move || file::living(&folder, &of_file)).unwrap_or_default());
    }
    let is_exact = |(own, _): &(String, Serving)| own.starts_with(&name.of_configuration());
    let is_there = |serving: &Serving| at.is_some_and(|(host, port)| serving.is_at(host, port));
    let exact = living.iter().position(is_exact);
    let meant = exact.or_else(|| living.iter().position(|(_, serving)| is_there(serving)));
    if let Some(meant) = meant {
        return Records {
            meant: Some(living.swap_remove(meant).1),
            only: None,
        };
    }
    // A process leaves the same in two places.
    living.dedup_by(|(_, one), (_, other)| one == other);
    let is_alone = living.len() == 1 && !source.has_server_variable();
    Records {
        meant: None,
        only: living.pop().filter(|_| is_alone).map(|(_, serving)| serving),
    }
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

/// What records are called. The store looks past names that begin so.
#[derive(Debug)]
struct Name {
    /// How all of one configuration file begin.
    of_file: String,
    /// What those of one set of variables have next. A process keeps its variables, whatever becomes of its file.
    of_variables: u64,
}

impl Name {
    fn of(source: &ConfigurationSource) -> Self {
        let absolute = std::path::absolute(source.path());
        let path = absolute.as_deref().unwrap_or(source.path());
        let listens = source.listens_by_variables();
        Self {
            of_file: format!("{}{:016x}-", file::BEGINNING, hash(path)),
            of_variables: hash(&listens.map(|(host, port)| (host.to_string(), port))),
        }
    }

    fn of_configuration(&self) -> String {
        format!("{}{:016x}-", self.of_file, self.of_variables)
    }

    /// That of this account, whom another one's record does not keep from leaving its own.
    fn own(&self) -> String {
        let account = rustix::process::geteuid().as_raw();
        format!("{}{account}{}", self.of_configuration(), file::ENDING)
    }
}

fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Where records may be.
fn folders(persistence: Option<&Path>) -> impl Iterator<Item = PathBuf> + use<> {
    let persistence = persistence.map(Path::to_owned);
    [Some(std::env::temp_dir()), persistence].into_iter().flatten()
}

#[cfg(test)]
mod tests;
