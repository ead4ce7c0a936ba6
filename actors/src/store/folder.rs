//! The disk. Everything here blocks.
use std::collections::{HashMap, HashSet};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;

use super::format::{self, Stored};
use super::names::{self, Generation, Kind};
use super::recovery::{Look, Occupant, Recovered, Step, recover, steps};
use super::trouble::Trouble;
use crate::keys::KeyDigest;

/// More files that are not ours, under one name, than this are a mistake to be looked at.
const MOST_SET_ASIDE: u32 = 100;

/// How often the lock is tried for.
const ATTEMPTS: usize = 3;
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(2);

/// The folder of one store.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held while the disk is asked, which may hang.
    state: Mutex<State>,
    /// How often this process has become the one that writes. Beside the rest, for whoever must not wait for the disk.
    times_taken: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    /// The locked file, while this process is the one that writes. The system lets go of it with the process, however it ends.
    lock: Option<File>,
    /// What is known to be under the current documents' names.
    occupants: HashMap<KeyDigest, Occupant>,
}

/// What came of a document that was to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kept {
    /// The disk has it.
    Written,
    /// The disk has it in the place of this one, which another process had stored under a higher number, from elsewhere.
    WrittenOver(Stored),
    /// Another process, which had the folder before, has stored the same of the same source.
    IsThere,
    /// It has stored a newer one.
    IsNewer(Stored),
}

/// What there is in the folder.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Environments that have a document, by their digests' digits.
    pub(super) environments: HashSet<String>,
    pub(super) of_other_versions: usize,
    /// Names of files that are not ours.
    pub(super) foreign: Vec<String>,
    /// Names of files that were not written to their end, or are being written.
    pub(super) unfinished: Vec<String>,
}

impl Folder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            state: Mutex::default(),
            times_taken: AtomicU64::new(0),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that this process is the one that writes; makes the folder where there is none. Whether it has just become
    /// that.
    pub(super) fn own(&self) -> Result<bool, Trouble> {
        let mut state = self.state();
        let lock_path = self.path.join(names::LOCK);
        if let Some(lock) = &state.lock {
            if is_at(lock, &lock_path).map_err(Trouble::of("look at its lock file"))? {
                return Ok(false);
            }
            // The path leads elsewhere, or somebody has deleted the file: another process may have what is there now.
            state.lock = None;
        }
        make_folder(&self.path).map_err(Trouble::of("make the directory"))?;
        let lock = private(
            OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false),
        )
        .open(lock_path)
        .map_err(Trouble::of("write to it"))?;
        take(&lock)?;
        state.lock = Some(lock);
        // Another process may have written since they were looked at.
        state.occupants.clear();
        self.times_taken.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }

    /// How often this process has become the one that writes: more than before, and what is there is not what it wrote. Waits for no
    /// disk.
    pub(super) fn times_taken(&self) -> u64 {
        self.times_taken.load(Ordering::Relaxed)
    }

    /// Looks what there is, and deletes what a process left unfinished that was killed while it wrote. For the owner.
    pub(super) fn tidy(&self) -> io::Result<Survey> {
        let mut survey = self.survey()?;
        for name in survey.unfinished.drain(..) {
            fs::remove_file(self.path.join(name))?;
        }
        Ok(survey)
    }

    /// Looks what there is.
    pub(super) fn survey(&self) -> io::Result<Survey> {
        let mut survey = Survey::default();
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            match Kind::of(&name) {
                Kind::Unfinished => survey.unfinished.push(name),
                Kind::Document(digits) => drop(survey.environments.insert(digits)),
                Kind::OtherVersion => survey.of_other_versions += 1,
                Kind::Foreign => survey.foreign.push(name),
                Kind::Ours | Kind::OfTheSystem => {}
            }
        }
        Ok(survey)
    }

    /// Reads what is stored of an environment.
    pub(super) fn restore(&self, environment: KeyDigest) -> Recovered {
        let recovered = recover(|generation| self.look(environment, generation));
        self.state().occupants.insert(environment, recovered.occupant);
        recovered
    }

    /// Stores a document. When this returns, the disk has it, or a newer one that another process has stored.
    ///
    /// # Errors
    /// Where this process is not the one that writes, or the disk refuses; what was stored before is there all the same.
    pub(super) fn keep(&self, stored: &Stored) -> Result<Kept, Trouble> {
        self.own()?;
        let environment = stored.environment;
        let known = self.state().occupants.get(&environment).copied();
        let (occupant, there) = known.map_or_else(
            || {
                // Another process may have stored something meanwhile.
                let recovered = self.restore(environment);
                (recovered.occupant, recovered.stored)
            },
            |occupant| (occupant, None),
        );
        let (newest, outcome) = match there {
            Some(there) if is_news(stored, &there) => {
                let is_above = (there.served, there.told) > (stored.served, stored.told);
                let over = is_above.then(|| Kept::WrittenOver(there));
                (None, over.unwrap_or(Kept::Written))
            }
            Some(there) if age(&there) == age(stored) => (Some(there), Kept::IsThere),
            Some(there) => (Some(there.clone()), Kept::IsNewer(there)),
            None => (None, Kept::Written),
        };
        if newest.is_some() && occupant == Occupant::Whole {
            return Ok(outcome);
        }
        // What was there may be the previous one, which is the only one until it is the current one, too.
        let newest = newest.as_ref().unwrap_or(stored);
        let kept = self.replace(newest, occupant);
        let mut state = self.state();
        match &kept {
            Ok(()) => drop(state.occupants.insert(environment, Occupant::Whole)),
            Err(trouble) => {
                // Some of the steps may be done.
                state.occupants.remove(&environment);
                if trouble.is_about_folder() {
                    state.lock = None;
                }
            }
        }
        kept.map(|()| outcome)
    }

    fn replace(&self, stored: &Stored, occupant: Occupant) -> Result<(), Trouble> {
        let [current, previous] =
            [Generation::Current, Generation::Previous].map(|generation| generation.of(stored.environment));
        let unfinished = self.path.join(names::unfinished(&current));
        let (path, previous) = (self.path.join(&current), self.path.join(previous));
        let replaced = steps(occupant).iter().try_for_each(|step| match step {
            Step::WriteUnfinished => {
                let head = format::head(stored);
                write(&unfinished, &[&head, &stored.document]).map_err(Trouble::of("write"))
            }
            Step::SetAside => self.set_aside(&current).map_err(Trouble::of("rename")),
            Step::KeepAsPrevious => fs::rename(&path, &previous).map_err(Trouble::of("rename")),
            Step::Name => fs::rename(&unfinished, &path).map_err(Trouble::of("rename")),
            Step::SyncFolder => sync_folder(&self.path).map_err(Trouble::of("sync")),
        });
        if replaced.is_err() {
            // What a full disk holds of it is of no use. It is not there where another step failed.
            let _ = fs::remove_file(&unfinished);
        }
        replaced
    }

    /// Puts bytes in the place of a file that has no generations.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let unfinished = self.path.join(names::unfinished(name));
        let put = make_folder(&self.path)
            .map_err(Trouble::of("make the directory"))
            .and_then(|()| write(&unfinished, &[bytes]).map_err(Trouble::of("write")))
            .and_then(|()| fs::rename(&unfinished, self.path.join(name)).map_err(Trouble::of("rename")))
            .and_then(|()| sync_folder(&self.path).map_err(Trouble::of("sync")));
        if put.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        put
    }

    /// The bytes of such a file, empty where there is none; `None` where something else has its name, such as a pipe, which would
    /// be waited for.
    pub(super) fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let path = self.path.join(name);
        let read = fs::metadata(&path).and_then(|metadata| match metadata.is_file() {
            true => fs::read(&path).map(Some),
            false => Ok(None),
        });
        match read {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Some(Vec::new())),
            read => read.map_err(Trouble::of("read")),
        }
    }

    /// Deletes such a file; there may be none.
    pub(super) fn remove(&self, name: &str) -> Result<(), Trouble> {
        match fs::remove_file(self.path.join(name)) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(Trouble::of("delete a file of it")(error))
            }
            _ => sync_folder(&self.path).map_err(Trouble::of("sync")),
        }
    }

    /// Whether a process has the lock. Takes nothing from it, and makes no file.
    pub(super) fn is_taken(&self) -> Result<bool, Trouble> {
        let lock = match File::open(self.path.join(names::LOCK)) {
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

    /// Writes a file of this size that nobody takes for one of the store's, hands it to the disk, and deletes it.
    pub(super) fn probe(&self, bytes: usize) -> Result<(), Trouble> {
        let path = self.path.join(names::probe());
        let written = write(&path, &[&vec![b' '; bytes]]).map_err(Trouble::of("write"));
        match fs::remove_file(&path) {
            Err(error) if written.is_ok() => Err(Trouble::of("delete a file of it")(error)),
            _ => written,
        }
    }

    /// Renames what is not ours and has the name of one that is.
    pub(super) fn set_aside(&self, name: &str) -> io::Result<()> {
        let mut places = (1..=MOST_SET_ASIDE).map(|number| self.path.join(names::set_aside(name, number)));
        let free = places.find(|place| fs::symlink_metadata(place).is_err());
        let free = free.ok_or(ErrorKind::AlreadyExists)?;
        fs::rename(self.path.join(name), free)
    }

    fn look(&self, environment: KeyDigest, generation: Generation) -> Look {
        let path = self.path.join(generation.of(environment));
        // Opening a pipe would wait for its writer, for ever.
        let file = fs::metadata(&path).and_then(|metadata| match metadata.is_file() {
            true => fs::read(&path),
            false => Err(io::Error::new(ErrorKind::InvalidInput, "not a regular file")),
        });
        match file {
            Ok(file) => {
                let read = format::read(&Bytes::from(file), environment);
                read.map_or_else(Look::Unusable, Look::Whole)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Look::Missing,
            Err(error) => Look::Failed(error.to_string()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes the lock, or tells that another process has it. Whoever looks whether somebody has it has it for a moment.
fn take(lock: &File) -> Result<(), Trouble> {
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

/// Whether a document is to be stored where this process has just found another one.
///
/// Of one source upstream's number says which is newer, and of one number the served one does: it is raised where content changes
/// under an unmoved one, after a time in which it is unsettled. Numbers of different sources say nothing of each other.
fn is_news(stored: &Stored, there: &Stored) -> bool {
    stored.source != there.source
        || age(stored) > age(there)
        || (age(stored) == age(there) && stored.document != there.document)
}

fn age(stored: &Stored) -> impl PartialOrd + use<> {
    (stored.upstream, stored.served, stored.is_unsettled, stored.told)
}

/// Whether an open file is the one that a path leads to.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let file = file.metadata()?;
    match fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (file.dev(), file.ino())),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> io::Result<bool> {
    fs::exists(path)
}

/// For the process's user alone: documents hold identifiers and their values.
#[cfg(unix)]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    options.mode(0o600)
}

#[cfg(not(unix))]
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Makes the folder where there is none. One that is there keeps what it permits: it may be a volume.
fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.recursive(true).create(path)
}

/// Writes a new file and hands it to the disk.
fn write(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    file.sync_all()
}

/// Hands the names to the disk. Some file systems know no such thing, and need none.
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}

#[cfg(test)]
mod tests;
