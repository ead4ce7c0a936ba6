//! The file of a record, and its lock. All of it blocks.
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::Serving;

/// More is no record.
const LONGEST: u64 = 64 * 1024;

/// How often the lock is tried for. Whoever reads a record holds it for a moment.
const ATTEMPTS: usize = 10;

const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// How the names of all records begin, and how they end.
pub(super) const BEGINNING: &str = ".edge-proxy-";
pub(super) const ENDING: &str = ".serving";

/// What the records of living processes say in a folder, by their names, which begin so.
pub(super) fn living(folder: &Path, beginning: &str) -> Vec<(String, Serving)> {
    let is_wanted = |name: &String| name.starts_with(beginning) && name.ends_with(ENDING);
    let names = names(folder).filter(is_wanted);
    names
        .filter_map(|name| read(&folder.join(&name)).map(|serving| (name, serving)))
        .collect()
}

/// Deletes this account's records in a folder whose processes have ended.
pub(super) fn clean(folder: &Path) {
    let is_record = |name: &String| name.starts_with(BEGINNING) && name.ends_with(ENDING);
    for path in names(folder).filter(is_record).map(|name| folder.join(name)) {
        let Ok(file) = open(OpenOptions::new().read(true).write(true), &path) else {
            continue;
        };
        // Root leaves other accounts' to them. Whoever begins to leave one meanwhile sees that it is not there any more.
        if is_of_this_account(&file) && file.try_lock().is_ok() && is_at(&file, &path) {
            let _ = fs::remove_file(path);
        }
    }
}

fn is_of_this_account(file: &File) -> bool {
    let account = rustix::process::geteuid().as_raw();
    file.metadata().is_ok_and(|metadata| metadata.uid() == account)
}

fn names(folder: &Path) -> impl Iterator<Item = String> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}

/// What the record at this path says, where its process lives.
pub(super) fn read(path: &Path) -> Option<Serving> {
    let file = open(OpenOptions::new().read(true), path).ok()?;
    if !matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) {
        return None;
    }
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Opens and locks the file at this path; makes it where there is none.
pub(super) fn locked(path: &Path) -> io::Result<File> {
    for _ in 0..ATTEMPTS {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = open(options.mode(0o600), path)?;
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

/// Opens what is this account's, or anybody's where this is root. A link, which others may have put there, is not followed, and a
/// pipe is not waited for.
fn open(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    use rustix::fs::OFlags;
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    let (metadata, account) = (file.metadata()?, rustix::process::geteuid());
    let is_own = account.is_root() || metadata.uid() == account.as_raw();
    match is_own && metadata.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("something else is in its place")),
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let same = |own: fs::Metadata, there: fs::Metadata| own.ino() == there.ino() && own.dev() == there.dev();
    file.metadata()
        .and_then(|own| Ok(same(own, fs::symlink_metadata(path)?)))
        .unwrap_or(false)
}
