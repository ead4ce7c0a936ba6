//! The lock that one process has on a folder.
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::files::private;
use crate::store::trouble::Trouble;

/// How often the lock is tried for: on a busy machine the moment for which others have it takes some ten milliseconds.
const ATTEMPTS: usize = 25;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(2);

/// Opens the lock file; makes it where there is none.
pub(super) fn open(path: &Path) -> io::Result<File> {
    private(
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
    )
    .open(path)
}

/// Takes the lock, or tells that another process has it. Whoever looks whether somebody has it has it for a moment.
pub(super) fn take(lock: &File) -> Result<(), Trouble> {
    let mut attempts = 1;
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if attempts < ATTEMPTS => {
                attempts += 1;
                thread::sleep(BETWEEN_ATTEMPTS);
            }
            Err(TryLockError::WouldBlock) => return Err(Trouble::Taken),
            Err(TryLockError::Error(error)) => return Err(Trouble::of("lock its lock file")(error)),
        }
    }
}

/// Whether a process has the lock at this path. Takes nothing from it, and makes no file.
pub(super) fn is_taken(path: &Path) -> Result<bool, Trouble> {
    let lock = match File::open(path) {
        Ok(lock) => lock,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Trouble::of("read its lock file")(error)),
    };
    match lock.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(Trouble::of("lock its lock file")(error)),
    }
}

/// Whether an open file is the one that a path leads to.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let file = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (file.dev(), file.ino())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
pub(super) fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}
