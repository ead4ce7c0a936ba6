//! What there is in a store's folder, for those who look for a fault, also beside a process that uses it.
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use super::folder::{Folder, delete_probes, make_folder};
use super::names::{self, Generation};
use super::trouble::Trouble;
use crate::keys::{EnvironmentKey, KeyDigest};

/// What is written to see whether anything can be: as much as a small document.
const PROBE_BYTES: usize = 16 * 1024;

/// What a store's folder is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreReport {
    /// Whether a process has it.
    pub is_taken: bool,
    /// The configured environments, by their place from 0, that have a document there which can be read.
    pub stored: Vec<usize>,
    /// What is wrong with documents of configured environments, by their place from 0, in words.
    pub complaints: Vec<(usize, String)>,
    /// How many documents are of environments that are not configured.
    pub of_nobody: usize,
    /// How many files are of other versions of this program.
    pub of_other_versions: usize,
    /// Names of files that are no store's.
    pub foreign: Vec<String>,
    /// Bytes of what is stored of the configured environments, evaluation counts included.
    pub bytes: u64,
}

/// Looks at the folder, and whether it can be written to: a file is written and deleted. Blocks. `None`: there is no such folder.
///
/// # Errors
/// Why nothing can be stored there, and what to do.
pub fn examine(directory: &Path, environments: &[EnvironmentKey]) -> Result<Option<StoreReport>, String> {
    let folder = Folder::new(directory.to_owned());
    look(&folder, environments).map_err(|trouble| trouble.to_string())
}

/// Whether a directory could be made in this one, as a store makes its own: one is made and removed, as are those of whoever was
/// killed meanwhile, for rights alone do not tell (a file system that is full, or read-only; a quota; a system that confines the
/// process). Blocks.
///
/// # Errors
/// Why none can be made, and what to do.
pub fn try_to_make_in(directory: &Path) -> Result<(), String> {
    let probe = directory.join(names::probe());
    let made = make_folder(&probe).and_then(|()| match fs::remove_dir(probe) {
        // Another one who looks has done so.
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => {
            delete_probes(directory);
            Ok(())
        }
    });
    made.map_err(|error| Trouble::of("make a directory")(error).to_string())
}

fn look(folder: &Folder, environments: &[EnvironmentKey]) -> Result<Option<StoreReport>, Trouble> {
    let survey = match folder.survey() {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        survey => survey.map_err(Trouble::of("read"))?,
    };
    folder.probe(PROBE_BYTES)?;
    let (mut stored, mut complaints) = (Vec::new(), Vec::new());
    let digests: Vec<KeyDigest> = environments.iter().map(KeyDigest::of).collect();
    for (place, digest) in digests.iter().enumerate() {
        let recovered = folder.restore(*digest);
        stored.extend(recovered.stored.map(|_| place));
        complaints.extend(
            recovered
                .complaints
                .into_iter()
                .map(|complaint| (place, complaint)),
        );
    }
    let configured: Vec<String> = digests.iter().map(ToString::to_string).collect();
    let of_nobody = survey
        .environments
        .iter()
        .filter(|digits| !configured.contains(digits));
    Ok(Some(StoreReport {
        is_taken: folder.is_taken()?,
        stored,
        complaints,
        of_nobody: of_nobody.count(),
        of_other_versions: survey.of_other_versions,
        foreign: survey.foreign,
        bytes: stored_bytes(folder.path(), &digests),
    }))
}

/// What takes part of the room that is needed already.
fn stored_bytes(directory: &Path, environments: &[KeyDigest]) -> u64 {
    let names = environments.iter().flat_map(|environment| {
        [Generation::Current, Generation::Previous].map(|generation| generation.of(*environment))
    });
    let lengths = names
        .chain([names::UNSENT.to_owned()])
        .filter_map(|name| fs::symlink_metadata(directory.join(name)).ok())
        .filter(fs::Metadata::is_file)
        .map(|metadata| metadata.len());
    lengths.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_looked_at_and_left_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let keys = [EnvironmentKey::new("client-key")];
        let nowhere = place.path().join("nowhere");
        assert_eq!(examine(&nowhere, &keys), Ok(None));
        assert!(!nowhere.exists());
        let directory = place.path();
        let owner = Folder::new(directory.to_owned());
        let digits = KeyDigest::of(&keys[0]);
        let other = KeyDigest::of(&EnvironmentKey::new("other"));
        let unfinished = format!("{other}.1.document.7.unfinished");
        for name in [
            "notes.txt",
            "analytics.2.unsent",
            &unfinished,
            &format!("{other}.1.document"),
        ] {
            std::fs::write(directory.join(name), "x").unwrap();
        }
        std::fs::write(directory.join(format!("{digits}.1.document")), "torn").unwrap();
        let names = || {
            let entries = std::fs::read_dir(directory).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let before = names();
        let report = examine(directory, &keys).unwrap().unwrap();
        assert_eq!(names(), before);
        assert!(!report.is_taken);
        assert_eq!((report.stored.len(), report.complaints.len()), (0, 1));
        assert_eq!((report.of_nobody, report.of_other_versions), (1, 1));
        assert_eq!(report.foreign, ["notes.txt"]);
        assert_eq!(report.bytes, 4, "of the torn document alone");
        assert_eq!(owner.own(), Ok(true));
        assert!(examine(directory, &keys).unwrap().unwrap().is_taken);
        assert!(directory.join(unfinished).exists());
    }

    #[test]
    fn what_those_who_were_killed_have_left_goes() {
        let place = tempfile::tempdir().unwrap();
        let left = || {
            let [file, folder] = [(); 2].map(|()| place.path().join(names::probe()));
            fs::write(&file, "x").unwrap();
            fs::create_dir(&folder).unwrap();
        };
        let count = || fs::read_dir(place.path()).unwrap().count();
        left();
        assert!(examine(place.path(), &[]).unwrap().is_some());
        assert_eq!(count(), 0);
        left();
        assert_eq!(try_to_make_in(place.path()), Ok(()));
        assert_eq!(count(), 0);
        left();
        let owner = Folder::new(place.path().to_owned());
        assert_eq!(owner.own(), Ok(true));
        owner.tidy().unwrap();
        assert_eq!(count(), 1, "its lock");
    }

    #[test]
    fn what_is_no_folder_takes_nothing() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let problem = examine(file.path(), &[]).unwrap_err();
        assert!(problem.ends_with("it must be a directory"), "{problem}");
    }
}
