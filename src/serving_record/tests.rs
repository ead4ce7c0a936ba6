use std::os::unix::fs::PermissionsExt as _;

use super::file::read as read_at;
use super::*;

fn serving(port: u16) -> Serving {
    Serving {
        addresses: vec![SocketAddr::from(([127, 0, 0, 1], port))],
        certificate: None,
        needs_header: false,
    }
}

#[test]
fn a_record_is_believed_while_its_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    assert_eq!(read_at(&path), None);
    let record = LeftCopy::leave_at(path.clone(), &serving(1)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(read_at(&path), Some(serving(1)));
    assert!(LeftCopy::leave_at(path.clone(), &serving(2)).is_err());
    assert_eq!(read_at(&path), Some(serving(1)));
    drop(record);
    assert!(!path.exists());
    // One that was killed leaves its file, and no lock.
    fs::write(&path, serde_json::to_string(&serving(1)).unwrap()).unwrap();
    assert_eq!(read_at(&path), None);
    let _record = LeftCopy::leave_at(path.clone(), &serving(3)).unwrap();
    assert_eq!(read_at(&path), Some(serving(3)));
}

#[test]
fn a_link_is_no_record() {
    let folder = tempfile::tempdir().unwrap();
    let [path, elsewhere] = ["record", "elsewhere"].map(|name| folder.path().join(name));
    fs::write(&elsewhere, "kept").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    assert!(LeftCopy::leave_at(path.clone(), &serving(1)).is_err());
    assert_eq!(read_at(&path), None);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "kept");
}

/// Anybody may have put it there.
#[test]
fn a_pipe_is_no_record_and_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("record");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    assert!(LeftCopy::leave_at(path.clone(), &serving(1)).is_err());
    assert_eq!(read_at(&path), None);
}

#[test]
fn a_record_is_in_both_places() {
    let folder = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
    let missing = folder.path().join("missing/record");
    let record = ServingRecord::leave_in(vec![one.clone(), missing, other.clone()], &serving(1));
    assert_eq!(
        [&one, &other].map(|path| read_at(path)),
        [Some(serving(1)), Some(serving(1))]
    );
    drop(record);
    assert_eq!([&one, &other].map(|path| read_at(path)), [None, None]);
    assert!(ServingRecord::leave_in(Vec::new(), &serving(1)).is_err());
}

#[test]
fn each_configuration_file_has_its_own_and_the_directory_of_the_store_is_the_second_place() {
    let of = |path: &str| places(Path::new(path), Some(Path::new("/store"))).collect::<Vec<_>>();
    let (one, other) = (of("/app/config.json"), of("/app/other.json"));
    assert_eq!(one, of("/app/config.json"));
    assert_ne!(one, other);
    assert!(one[0].starts_with(std::env::temp_dir()) && one[1].starts_with("/store"));
}
