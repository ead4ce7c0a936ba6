use std::os::unix::fs::PermissionsExt as _;

use engine::UpdatedAt;

use super::*;
use crate::store::format::SourceDigest;
use crate::store::format::tests::{environment, stored};

/// A store in a new folder of a new folder.
fn folder() -> (tempfile::TempDir, Folder) {
    let parent = tempfile::tempdir().unwrap();
    let folder = Folder::new(parent.path().join("store"));
    (parent, folder)
}

fn served(folder: &Folder) -> Option<i64> {
    let stored = folder.restore(environment()).stored;
    stored.map(|stored| stored.served.as_micros())
}

fn names(folder: &Folder) -> Vec<String> {
    let entries = fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn what_is_kept_is_read_by_the_next_process_and_the_one_before_it_too() {
    let (_parent, folder) = folder();
    assert_eq!(served(&folder), None);
    for number in 1..4 {
        folder.keep(&stored(number, b"{}")).unwrap();
        assert_eq!(served(&folder), Some(number));
    }
    let next = Folder::new(folder.path().to_owned());
    assert_eq!(served(&next), Some(3), "whoever has the folder");
    let current = Generation::Current.of(environment());
    fs::write(folder.path().join(&current), b"edge-proxy document 1\ntorn").unwrap();
    assert_eq!(served(&next), Some(2));
    let previous = Generation::Previous.of(environment());
    assert_eq!(names(&folder), [current, previous, "lock".to_owned()]);
}

#[test]
fn files_are_for_the_process_s_user_alone() {
    let (_parent, folder) = folder();
    folder.keep(&stored(1, b"{}")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder.path()), 0o700);
    for name in names(&folder) {
        assert_eq!(mode(&folder.path().join(&name)), 0o600, "{name}");
    }
}

#[test]
fn one_process_writes_and_the_next_one_does_when_it_has_gone() {
    let (_parent, first) = folder();
    assert_eq!(first.own(), Ok(true));
    assert_eq!(first.own(), Ok(false));
    let second = Folder::new(first.path().to_owned());
    first.keep(&stored(1, b"{}")).unwrap();
    assert_eq!(second.keep(&stored(2, b"{}")), Err(Trouble::Taken));
    assert_eq!(served(&second), Some(1));
    drop(first);
    second.keep(&stored(2, b"{}")).unwrap();
    assert_eq!(served(&second), Some(2));
}

#[test]
fn what_is_not_ours_stays_and_what_is_unfinished_goes() {
    let (_parent, folder) = folder();
    folder.own().unwrap();
    let digits = environment().to_string();
    let older = format!("{digits}.0.document");
    let unfinished = names::unfinished(&Generation::Current.of(environment()));
    for name in ["notes.txt", "lost+found", &older, &unfinished] {
        fs::write(folder.path().join(name), name).unwrap();
    }
    folder.keep(&stored(1, b"{}")).unwrap();
    let survey = folder.tidy().unwrap();
    let expected = Survey {
        environments: [digits.clone()].into(),
        of_other_versions: 1,
        foreign: vec!["notes.txt".to_owned()],
        unfinished: Vec::new(),
    };
    assert_eq!(survey, expected);
    let current = Generation::Current.of(environment());
    let left = [
        older,
        current,
        "lock".to_owned(),
        "lost+found".to_owned(),
        "notes.txt".to_owned(),
    ];
    assert_eq!(names(&folder), left);

    // Under our own name, twice.
    let path = folder.path().join(Generation::Current.of(environment()));
    for number in 1..=2 {
        fs::write(&path, format!("foreign {number}")).unwrap();
        let next = Folder::new(folder.path().to_owned());
        assert_eq!(next.restore(environment()).complaints.len(), 1);
        // The owner looks again where it knows nothing.
        folder.state().occupants.clear();
        folder.keep(&stored(number + 1, b"{}")).unwrap();
        let aside = names::set_aside(
            &Generation::Current.of(environment()),
            u32::try_from(number).unwrap(),
        );
        assert_eq!(
            fs::read_to_string(folder.path().join(aside)).unwrap(),
            format!("foreign {number}")
        );
    }
    assert_eq!(served(&folder), Some(3));
}

#[test]
fn a_folder_that_vanishes_is_made_again() {
    let (_parent, folder) = folder();
    folder.keep(&stored(1, b"{}")).unwrap();
    fs::remove_dir_all(folder.path()).unwrap();
    folder.keep(&stored(2, b"{}")).unwrap();
    assert_eq!(served(&folder), Some(2));
}

#[test]
fn a_folder_that_is_a_file_is_a_trouble_that_says_so() {
    let parent = tempfile::tempdir().unwrap();
    let path = parent.path().join("store");
    fs::write(&path, b"").unwrap();
    let folder = Folder::new(path);
    assert_eq!(served(&folder), None);
    let trouble = folder.keep(&stored(1, b"{}")).unwrap_err().to_string();
    assert!(trouble.contains("it must be a directory"), "{trouble}");
}

#[test]
fn a_pipe_in_a_file_s_place_is_not_waited_for() {
    let (_parent, folder) = folder();
    folder.own().unwrap();
    fs::create_dir(folder.path().join(Generation::Current.of(environment()))).unwrap();
    let recovered = folder.restore(environment());
    assert!(
        recovered.complaints[0].contains("not a regular file"),
        "{recovered:?}"
    );
    folder.keep(&stored(1, b"{}")).unwrap();
    assert_eq!(served(&folder), Some(1));
}

#[test]
fn what_waited_is_not_written_over_what_another_process_has_stored_meanwhile() {
    let (parent, first) = folder();
    first.keep(&stored(1, b"{}")).unwrap();
    let second = Folder::new(first.path().to_owned());
    assert_eq!(served(&second), Some(1));
    assert_eq!(second.keep(&stored(2, b"{}")), Err(Trouble::Taken));
    first.keep(&stored(3, b"{}")).unwrap();
    drop(first);
    assert_eq!(
        second.keep(&stored(2, b"{}")),
        Ok(Kept::IsNewer(stored(3, b"{}")))
    );
    assert_eq!(served(&second), Some(3));
    assert_eq!(second.keep(&stored(4, b"{}")), Ok(Kept::Written));
    assert_eq!(served(&second), Some(4));

    // One that comes from elsewhere is no older for its number.
    drop(second);
    let third = Folder::new(parent.path().join("store"));
    let elsewhere = Stored {
        source: SourceDigest::of("http://elsewhere", &[]),
        ..stored(2, b"{}")
    };
    assert_eq!(third.keep(&elsewhere), Ok(Kept::WrittenOver(stored(4, b"{}"))));
    drop(third);

    // The previous document is the newest where the current one has gone.
    let fourth = Folder::new(parent.path().join("store"));
    fs::remove_file(fourth.path().join(Generation::Current.of(environment()))).unwrap();
    assert_eq!(
        fourth.keep(&stored(3, b"{}")),
        Ok(Kept::IsNewer(stored(4, b"{}")))
    );
    assert_eq!(served(&fourth), Some(4));
}

#[test]
fn what_is_newer_is_seen_by_upstream_s_number_first() {
    let at = UpdatedAt::from_micros;
    let there = Stored {
        upstream: Some(at(1)),
        ..stored(9, b"{}")
    };
    let with = |upstream, served| Stored {
        upstream: Some(at(upstream)),
        ..stored(served, b"{}")
    };
    for (stored, is_it) in [
        (with(1, 9), false),
        (with(1, 8), false),
        (with(1, 10), true),
        // The one that is there was served under a number of the proxy's own.
        (with(2, 2), true),
        (with(0, 10), false),
        (
            Stored {
                is_unsettled: true,
                ..with(1, 9)
            },
            true,
        ),
        (
            Stored {
                document: Bytes::from_static(b"{ }"),
                ..with(1, 9)
            },
            true,
        ),
    ] {
        assert_eq!(is_news(&stored, &there), is_it, "{stored:?}");
    }
}

#[test]
fn where_the_path_leads_elsewhere_the_lock_is_had_there() {
    let parent = tempfile::tempdir().unwrap();
    let [one, two, path] = ["one", "two", "store"].map(|name| parent.path().join(name));
    for folder in [&one, &two] {
        fs::create_dir(folder).unwrap();
    }
    std::os::unix::fs::symlink(&one, &path).unwrap();
    let folder = Folder::new(path.clone());
    folder.keep(&stored(1, b"{}")).unwrap();
    assert_eq!(folder.times_taken(), 1);
    let lead_to_two = || {
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(&two, &path).unwrap();
    };
    // Another process has the other one.
    let other = Folder::new(two.clone());
    other.own().unwrap();
    lead_to_two();
    assert_eq!(folder.keep(&stored(2, b"{}")), Err(Trouble::Taken));
    assert_eq!(served(&other), None);
    assert_eq!(Folder::new(one).own(), Ok(true), "it is let go of");
    drop(other);
    assert_eq!(folder.keep(&stored(2, b"{}")), Ok(Kept::Written));
    assert_eq!(folder.times_taken(), 2);
    assert_eq!(Folder::new(two.clone()).own(), Err(Trouble::Taken));
    // Nor is a lock on a file that is deleted one.
    fs::remove_file(two.join(names::LOCK)).unwrap();
    assert_eq!(folder.own(), Ok(true));
    assert_eq!(Folder::new(two).own(), Err(Trouble::Taken));
}
