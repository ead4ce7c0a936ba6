//! How TLS is made with upstream, and with a proxy before it: whom it trusts, and how this proxy shows who it is.
//!
//! # Layout
//! - [`Tls`]: the configurations in force, made anew when their files change.
//! - [`TlsFiles`] (`files`): what they are made of; [`TlsFileProblem`]: why a file cannot be used.
//! - `noted`: whom they trust, and a note of the certificates that were shown.
//! - `pem`: certificates and keys from files in PEM; `stamps`: whether files have changed.
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use rustls::ClientConfig;
use tokio::time::timeout;

use super::Fault;
use crate::threads::Threads;

mod files;
mod noted;
mod pem;
mod stamps;

pub use files::{ClientCertificateFiles, TlsFile, TlsFileProblem, TlsFiles};
pub(super) use noted::{Trusted, noted};
pub use pem::malformed_pem;
use stamps::{Change, Stamps};

/// How often files are looked at, at most, and only where a connection is made.
const LOOK_PERIOD: Duration = Duration::from_secs(1);

/// How long a connection waits for a look: longer than files of some 100 kB take, shorter than what connecting may take. A
/// file system that hangs costs this once; what was read before serves meanwhile.
const LOOK_PATIENCE: Duration = Duration::from_secs(1);

/// Files that have changed are used once they have stayed the same for so long: a chain that is written in place has a part of
/// itself for a while.
const SETTLED: Duration = Duration::from_secs(1);

/// Files that cannot be used are told of once they have stayed the same for so long: certificate and key are not written at one
/// moment.
const UNUSABLE: Duration = Duration::from_secs(5);

/// The TLS configurations, made when the first connection needs them, and made anew for the connections after a change of their
/// files. Clones share them.
#[derive(Clone)]
pub(super) struct Tls {
    inner: Arc<Inner>,
}

struct Inner {
    /// `None`: what was made stays.
    files: Option<TlsFiles>,
    made: Mutex<Option<Made>>,
    /// Whether a look at the files is under way, which may hang.
    is_looking: AtomicBool,
    threads: Threads,
}

/// One for each kind of peer.
#[derive(Clone)]
pub(super) struct Configurations {
    /// With this proxy's certificate, where it has any.
    pub(super) upstream: Arc<ClientConfig>,
    /// Without it, for it is meant for upstream.
    pub(super) proxy: Arc<ClientConfig>,
    /// Whom both trust.
    pub(super) trusted: Trusted,
}

struct Made {
    configurations: Configurations,
    /// Of the files that they were made of, from before they were read.
    stamps: Stamps,
    looked: Instant,
    /// What is wrong with the system's root certificates, of which the rest is used.
    roots_problem: Option<String>,
    /// What the files are now, where that is something else.
    change: Option<Change>,
    /// Why the files as they are now cannot be used, as it was told.
    told: Option<String>,
}

impl Tls {
    /// Makes them of these files, which are not read yet.
    pub(super) fn new(files: TlsFiles) -> Self {
        Self::holding(Some(files), None)
    }

    /// Trusts anybody.
    pub(super) fn of_anybody() -> Self {
        let configuration = files::of_anybody();
        let made = Made {
            configurations: Configurations {
                upstream: Arc::clone(&configuration),
                proxy: configuration,
                trusted: Trusted::Anybody,
            },
            stamps: Stamps::of(&[]),
            looked: Instant::now(),
            roots_problem: None,
            change: None,
            told: None,
        };
        Self::holding(None, Some(made))
    }

    fn holding(files: Option<TlsFiles>, made: Option<Made>) -> Self {
        Self {
            inner: Arc::new(Inner {
                files,
                made: Mutex::new(made),
                is_looking: AtomicBool::new(false),
                threads: Threads::new("tls files", 1),
            }),
        }
    }

    /// Makes them unless they are there. Reads files: not for a request's thread.
    ///
    /// # Errors
    /// Which file cannot be used, and why; the next call tries again.
    pub(super) fn make(&self) -> Result<Configurations, Fault> {
        let mut made = self.inner.made();
        if let Some(made) = made.as_ref() {
            return Ok(made.configurations.clone());
        }
        let first = Made::of(&self.inner.files.clone().unwrap_or_default())?;
        let configurations = first.configurations.clone();
        *made = Some(first);
        Ok(configurations)
    }

    /// What is wrong with the system's root certificates, of which the rest is used; makes them unless they are there.
    pub(super) fn roots_problem(&self) -> Option<String> {
        self.make().ok()?;
        self.inner.made().as_ref()?.roots_problem.clone()
    }

    /// Gives those of the files as they are now, or were when they could be used last.
    ///
    /// # Errors
    /// Where there were none yet: which file cannot be used, and why.
    pub(super) async fn current(&self) -> Result<Configurations, Fault> {
        if let Some(looking) = Looking::begin(&self.inner) {
            let look = self.inner.threads.run(move || looking.0.look());
            // Where it takes longer it goes on, and its outcome is the next connection's.
            let _ = timeout(LOOK_PATIENCE, look).await;
        }
        self.make()
    }
}

impl Inner {
    fn made(&self) -> MutexGuard<'_, Option<Made>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the configurations anew where a file has changed. Blocks.
    fn look(&self) {
        self.look_at(Instant::now(), SystemTime::now());
    }

    /// At this moment, by both clocks.
    fn look_at(&self, now: Instant, wall: SystemTime) {
        let Some(files) = &self.files else { return };
        let stamps = Stamps::of(&files.paths());
        let Some(stayed) = self.stayed(stamps, now, wall).filter(|stayed| *stayed >= SETTLED) else {
            return;
        };
        let renewed = Made::of_readable(files);
        let mut made = self.made();
        let Some(made) = made.as_mut() else { return };
        match renewed {
            Ok(renewed) => {
                log::info!("files of certificates for upstream have changed: new connections use them");
                *made = renewed;
            }
            // The next look tries again.
            Err(problem) if stayed >= UNUSABLE && made.told.as_ref() != Some(&problem) => {
                log::warn!("{problem}. New connections to upstream use what was read before");
                made.told = Some(problem);
            }
            Err(_) => {}
        }
    }

    /// How long the files have been something else than what the configurations were made of; `None`: they are not.
    fn stayed(&self, stamps: Stamps, now: Instant, wall: SystemTime) -> Option<Duration> {
        let mut made = self.made();
        let made = made.as_mut()?;
        if made.stamps == stamps {
            made.change = None;
            return None;
        }
        let change = made.change.take();
        let change = made.change.insert(Change::noted(change, stamps, now));
        Some(change.stayed(now, wall))
    }
}

/// A look at the files, which ends when this is dropped: also where it panics, or finds no thread.
struct Looking(Arc<Inner>);

impl Looking {
    /// Begins one, if it is time for it.
    fn begin(inner: &Arc<Inner>) -> Option<Self> {
        inner.files.as_ref()?;
        let mut made = inner.made();
        let made = made.as_mut()?;
        if made.looked.elapsed() < LOOK_PERIOD || inner.is_looking.swap(true, Ordering::Relaxed) {
            return None;
        }
        made.looked = Instant::now();
        Some(Self(Arc::clone(inner)))
    }
}

impl Drop for Looking {
    fn drop(&mut self) {
        self.0.is_looking.store(false, Ordering::Relaxed);
    }
}

impl Made {
    /// Takes what can be used of the system's root certificates, as every client does.
    fn of(files: &TlsFiles) -> Result<Self, Fault> {
        let made = Self::load(files)?;
        if let Some(problem) = &made.roots_problem {
            log::warn!("{problem}");
        }
        Ok(made)
    }

    /// Takes all of them or none: certificates that have served are not given up for a file that cannot be read.
    fn of_readable(files: &TlsFiles) -> Result<Self, String> {
        let made = Self::load(files).map_err(|fault| fault.to_string())?;
        match made.roots_problem {
            Some(problem) => Err(problem),
            None => Ok(made),
        }
    }

    fn load(files: &TlsFiles) -> Result<Self, Fault> {
        let stamps = Stamps::of(&files.paths());
        let (configurations, roots_problem) = files.configurations()?;
        Ok(Self {
            configurations,
            stamps,
            looked: Instant::now(),
            roots_problem,
            change: None,
            told: None,
        })
    }
}

impl Default for Tls {
    fn default() -> Self {
        Self::new(TlsFiles::default())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_made = self.inner.made().is_some();
        f.debug_struct("Tls").field("is_made", &is_made).finish()
    }
}

#[cfg(test)]
mod tests;
