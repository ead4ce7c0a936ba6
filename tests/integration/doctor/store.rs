//! The store's directory.
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::upstream::ScriptedUpstream;

use super::{Diagnosis, at, document, examine_in, folder, reachable_program};
use crate::harness::merge;

/// Nothing is forbidden to root.
const NOBODY: u32 = 65_534;

fn with_store(upstream: &ScriptedUpstream, directory: &str) -> Value {
    let mut config = at(&upstream.api_url());
    merge(&mut config, &json!({"persistence": {"directory": directory}}));
    config
}

/// Examines as an account to which something can be forbidden.
fn examine_as_nobody(folder: &TempDir) -> Diagnosis {
    let program = reachable_program(folder);
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("TMPDIR", folder.path())
        .current_dir(folder.path());
    if rustix::process::getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    Diagnosis::of(&mut command)
}

#[test]
fn a_directory_that_this_account_may_not_write_to() {
    let upstream = ScriptedUpstream::serving(&document());
    for mode in [0o555, 0o000] {
        let folder = folder(&with_store(&upstream, "store"));
        let directory = folder.path().join("store");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(mode)).unwrap();
        examine_as_nobody(&folder).assert_fails(("store", "directory"), "let the process's user write to it");
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_directory_that_cannot_be_made() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&with_store(&upstream, "closed/store"));
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o555)).unwrap();
    examine_as_nobody(&folder).assert_fails(("store", "directory"), "cannot be made");
    fs::set_permissions(&closed, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_file_in_the_directory_s_place() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&with_store(&upstream, "store"));
    fs::write(folder.path().join("store"), "").unwrap();
    examine_in(folder.path(), &[]).assert_fails(("store", "directory"), "must be a directory");
}

/// The system kills whoever writes past that, unless told otherwise.
#[test]
fn a_limit_of_a_file_s_size() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&with_store(&upstream, "store"));
    fs::create_dir(folder.path().join("store")).unwrap();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            "ulimit -f 10 && exec \"$0\" \"$@\"",
            env!("CARGO_BIN_EXE_edge-proxy"),
        ])
        .env_clear()
        .env("TMPDIR", folder.path())
        .current_dir(folder.path());
    Diagnosis::of(&mut command).assert_fails(
        ("store", "directory"),
        "raise the limit of a file's size (ulimit -f)",
    );
    assert_eq!(names(&folder.path().join("store")), [""; 0]);
}

/// Names of all that is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn files_that_are_no_store_s_are_named_and_left() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&with_store(&upstream, "store"));
    let directory = folder.path().join("store");
    fs::create_dir(&directory).unwrap();
    for name in ["notes.txt", "analytics.9.unsent"] {
        fs::write(directory.join(name), "x").unwrap();
    }
    let diagnosis = examine_in(folder.path(), &[]);
    diagnosis.assert_warns(("store", "files"), "notes.txt");
    assert!(
        diagnosis
            .says(("store", "documents"))
            .contains("1 of other versions")
    );
    assert_eq!(names(&directory), ["analytics.9.unsent", "notes.txt"]);
}

/// `/dev/shm` is in memory on every Linux.
#[test]
#[cfg(target_os = "linux")]
fn a_directory_in_memory_is_forgotten() {
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("skipped: this machine has no /dev/shm");
        return;
    };
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&with_store(&upstream, memory.path().to_str().unwrap()));
    let diagnosis = examine_in(folder.path(), &[]);
    assert!(
        diagnosis.says(("store", "kept")).contains("tmpfs"),
        "{:#}",
        diagnosis.report
    );
    assert_eq!((diagnosis.code, names(memory.path()).len()), (Some(0), 0));
}
