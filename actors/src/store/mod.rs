//! What survives a restart: the last good document of each environment, and what else the process must not forget, in one
//! folder (`persistence.directory`).
//!
//! # Layout
//! - [`StoreHandle`] (`handle`): what the composition root and the EnvironmentActor hold; [`StoreOptions`]: how it is started.
//! - `actor`: the thin shell: takes documents, writes them on a blocking thread, one after the other.
//! - `pending`: what is still to be written, the latest of each environment alone; pure.
//! - `standing`: whether writing gets through, and what the operator hears of it; pure.
//! - [`StoreTrouble`] (`health`): why documents are not stored, for whoever asks.
//! - `format`: a document with what belongs to it, as bytes; pure.
//! - `recovery`: which of an environment's files is to be believed, and in which steps they are replaced; pure.
//! - `names`: what the folder's files are called; pure.
//! - `folder`: the disk: looks, reads, writes (`files`), and the lock that one process has (`lock`); `trouble`: what it may refuse.
//! - [`examine`] (`examination`): what there is, for those who look for a fault.
//! - [`StoreCounts`] (`counts`): what was written.
//! - `unsent`: evaluation counts that could not be sent.
//!
//! # What a file promises
//! A file appears under its name whole or not at all: it is written under another one, handed to the disk (`fsync`), renamed, and the
//! folder is handed to the disk as well. The one before it is kept as a second generation, for a disk that loses what it was
//! handed. A checksum finds out. What is not this program's, or of another version of it, is never changed or deleted.
mod actor;
mod counts;
mod examination;
mod folder;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use format::fuzz;
mod handle;
mod health;
mod names;
mod pending;
mod recovery;
mod standing;
mod trouble;
mod unsent;

pub use counts::StoreCounts;
pub use examination::{StoreReport, examine, try_to_make_in};
pub use handle::{StoreHandle, StoreOptions};
pub use health::StoreTrouble;

pub(crate) use actor::{Found, LookAgain};
pub(crate) use format::{SourceDigest, Stored};

use std::fmt;
use std::path::Path;

use crate::keys::KeyDigest;

/// Reads what is stored of an environment, as a start would; the folder may be another process's, and stays as it is. Blocks.
pub(crate) fn read_stored(directory: &Path, environment: KeyDigest) -> Option<Stored> {
    folder::Folder::new(directory.to_owned())
        .restore(environment)
        .stored
}

/// Writes a file as the store writes its own: whole or not at all, for the process's user alone, handed to the disk. Makes the
/// directory where there is none. Blocks.
///
/// # Errors
/// Where the disk refuses; what was there before is there all the same.
pub fn write_whole(directory: &Path, name: &str, bytes: &[u8]) -> Result<(), impl fmt::Display + use<>> {
    folder::Folder::new(directory.to_owned()).put(name, bytes)
}
