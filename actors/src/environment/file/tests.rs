use super::*;

fn bytes_of(outcome: Result<FileOutcome, FetchFailure>) -> Option<Bytes> {
    match outcome.unwrap() {
        FileOutcome::Changed(bytes) => Some(bytes),
        FileOutcome::Unchanged => None,
    }
}

#[test]
fn a_file_is_read_when_it_changes_however_fast() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    let mut source = FileSource::new(path.clone());
    assert!(matches!(source.look(false), Err(FetchFailure::File(_))));
    // Same length, same inode, and on most file systems the same modification time.
    for content in ["[1]", "[2]", "[3]"] {
        fs::write(&path, content).unwrap();
        assert_eq!(bytes_of(source.look(false)).unwrap(), content);
        assert_eq!(bytes_of(source.look(false)), None);
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(source.look(false), Err(FetchFailure::File(_))));
    fs::write(&path, "[3]").unwrap();
    assert_eq!(
        bytes_of(source.look(false)).unwrap(),
        "[3]",
        "what it was before it went is forgotten"
    );
}

#[test]
fn a_replaced_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (
        folder.path().join("environment.json"),
        folder.path().join("new.json"),
    );
    fs::write(&path, "[1]").unwrap();
    let mut source = FileSource::new(path.clone());
    assert!(bytes_of(source.look(false)).is_some());
    fs::write(&other, "[2]").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(bytes_of(source.look(false)).unwrap(), "[2]");
}

#[test]
fn a_settled_file_is_read_again_only_by_force() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    let old = SystemTime::now() - Duration::from_secs(60);
    let write = |content: &str| {
        fs::write(&path, content).unwrap();
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(old)
            .unwrap();
    };
    write("[1]");
    let mut source = FileSource::new(path.clone());
    assert!(bytes_of(source.look(false)).is_some());
    write("[2]");
    assert_eq!(
        bytes_of(source.look(false)),
        None,
        "the same time, length and inode"
    );
    assert_eq!(bytes_of(source.look(true)).unwrap(), "[2]");
}

#[test]
fn a_date_in_the_future_settles_once_it_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    let write = |content: &str, ahead: u64| {
        fs::write(&path, content).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        let date = SystemTime::now() + Duration::from_secs(ahead);
        file.set_modified(date).unwrap();
        date
    };
    let (start, mut source) = (Instant::now(), FileSource::new(path.clone()));
    let at = |seconds: u64| start + Duration::from_secs(seconds);
    let date = write("[1]", 3600);
    let again = |content: &str| {
        fs::write(&path, content).unwrap();
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(date).unwrap();
    };
    assert_eq!(bytes_of(source.look_at(at(0), false)).unwrap(), "[1]");
    again("[2]");
    assert_eq!(
        bytes_of(source.look_at(at(1), false)).unwrap(),
        "[2]",
        "the other clock may not have ticked"
    );
    assert_eq!(bytes_of(source.look_at(at(3), false)), None);
    again("[3]");
    assert_eq!(
        bytes_of(source.look_at(at(4), false)),
        None,
        "it is not read any more"
    );
    assert_eq!(bytes_of(source.look_at(at(5), true)).unwrap(), "[3]");
    write("[4]", 7200);
    assert_eq!(bytes_of(source.look_at(at(6), false)).unwrap(), "[4]");
    write("[5]", 10_800);
    assert_eq!(bytes_of(source.look_at(at(7), false)).unwrap(), "[5]");
}

#[test]
fn a_file_that_is_too_large_is_called_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    fs::File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
    let why = "it is larger than this proxy reads, 256 MiB";
    assert_eq!(
        FileSource::new(path.clone()).look(false).err(),
        Some(FetchFailure::File(why.to_owned()))
    );
    assert_eq!(MAX_BYTES >> 20, 256);
    fs::write(&path, "[1]").unwrap();
    assert_eq!(read(&path, 3).unwrap(), b"[1]");
    assert_eq!(
        read(&path, 2).unwrap_err().kind(),
        io::ErrorKind::FileTooLarge,
        "it has grown"
    );
}

#[test]
#[cfg(unix)]
fn what_is_no_regular_file_is_refused_without_opening_it() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    let mut paths = vec![folder.path().to_owned(), PathBuf::from("/dev/zero")];
    // The system may have no mkfifo.
    if made.is_ok_and(|status| status.success()) {
        paths.push(pipe);
    }
    for path in paths {
        assert!(
            matches!(FileSource::new(path.clone()).look(true), Err(FetchFailure::File(why)) if why == "not a regular file"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn a_refused_file_stays_refused_until_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    fs::write(&path, "no").unwrap();
    let mut source = FileSource::new(path.clone());
    assert!(bytes_of(source.look(false)).is_some());
    source.refused(&FetchFailure::NotJson("no".to_owned()));
    assert!(matches!(source.look(false), Err(FetchFailure::NotJson(_))));
    assert!(matches!(source.look(true), Err(FetchFailure::NotJson(_))));
    fs::write(&path, "{}").unwrap();
    assert_eq!(bytes_of(source.look(false)).unwrap(), "{}");
}
