//! The disk. Everything here blocks.
use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::format::{self, Stored};
use super::names::{self, Generation, Kind};
use super::recovery::{Look, Occupant, Recovered, Step, age, is_news, recover, steps};
use super::trouble::Trouble;
use crate::keys::KeyDigest;

mod files;
mod lock;

pub(super) use files::{delete_probes, make_folder};
use files::{sync_folder, write};

/// More files that are not ours, under one name, than this are a mistake to be looked at.
const MOST_SET_ASIDE: u32 = 100;

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
        if let Some(held) = &state.lock {
            if lock::is_at(held, &lock_path).map_err(Trouble::of("look at its lock file"))? {
                return Ok(false);
            }
            // The path leads elsewhere, or somebody has deleted the file: another process may have what is there now.
            state.lock = None;
        }
        make_folder(&self.path).map_err(Trouble::of("make the directory"))?;
        let lock = lock::open(&lock_path).map_err(Trouble::of("write to it"))?;
        lock::take(&lock)?;
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

    /// Looks what there is, and deletes what a process left unfinished that was killed while it wrote, or looked whether it can.
    /// For the owner.
    pub(super) fn tidy(&self) -> io::Result<Survey> {
        let mut survey = self.survey()?;
        delete_probes(&self.path);
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
        lock::is_taken(&self.path.join(names::LOCK))
    }

    /// Writes a file of this size that nobody takes for one of the store's, hands it to the disk, and deletes it, as those that were
    /// left by whoever was killed meanwhile.
    pub(super) fn probe(&self, bytes: usize) -> Result<(), Trouble> {
        let path = self.path.join(names::probe());
        let written = write(&path, &[&vec![b' '; bytes]]).map_err(Trouble::of("write"));
        let deleted = fs::remove_file(&path);
        delete_probes(&self.path);
        match deleted {
            // The owner, or another one who looks, has done so.
            Err(error) if error.kind() == ErrorKind::NotFound => written,
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

#[cfg(test)]
mod tests;
