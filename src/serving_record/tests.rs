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
fn records_of_killed_processes_are_deleted_by_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let living = at(".edge-proxy-1-1-1.serving");
    let _living = LeftCopy::leave_at(living.clone(), &serving(1)).unwrap();
    // The second is called as before there were accounts in names.
    let dead = [".edge-proxy-2-2-2.serving", ".edge-proxy-3.serving"].map(at);
    let foreign = ["notes.serving", ".edge-proxy-4.probe"].map(at);
    for path in dead.iter().chain(&foreign) {
        fs::write(path, serde_json::to_string(&serving(2)).unwrap()).unwrap();
    }
    let _own = ServingRecord::leave_in(vec![at(".edge-proxy-5-5-5.serving")], &serving(5)).unwrap();
    assert_eq!(dead.map(|path| path.exists()), [false, false]);
    assert!(living.exists() && foreign.iter().all(|path| path.exists()));
    assert_eq!(read_at(&living), Some(serving(1)));
}

fn source(path: &str, variables: &[(&str, &str)]) -> ConfigurationSource {
    let variables = variables
        .iter()
        .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    ConfigurationSource::new(Some(Path::new(path)), variables)
}

/// Without a file, or with one for all, variables tell proxies of one directory apart.
#[test]
fn each_configuration_has_its_own() {
    let of = |path: &str, variables: &[(&str, &str)]| Name::of(&source(path, variables)).own();
    let one = of("/app/config.json", &[]);
    let api_url = ("API_URL", "http://flagsmith.test/api/v1");
    assert_eq!(one, of("/app/config.json", &[api_url]));
    assert_ne!(one, of("/app/other.json", &[]));
    let at = |server: &str| of("/app/config.json", &[("SERVER", server)]);
    let first = at(r#"{"port": 8001}"#);
    assert_eq!(first, at(r#"{"port":8001, "drain_seconds": 1}"#));
    assert_ne!(first, at(r#"{"port": 8002}"#));
    assert_ne!(first, at(r#"{"port": 8001, "host": "127.0.0.1"}"#));
    assert_ne!(first, one);
    let account = rustix::process::geteuid().as_raw();
    assert!(one.ends_with(&format!("-{account}.serving")), "{one}");
}

/// Whoever asks may have other variables, and is told of the one at that very place alone.
#[test]
fn a_record_of_the_same_configuration_comes_first_and_one_at_the_same_place_next() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let path = path.to_str().unwrap();
    let at = |port: &str| source(path, &[("SERVER", &format!(r#"{{"port": {port}}}"#))]);
    let leave = |port: &str, serving: &Serving| {
        let name = Name::of(&at(port)).own();
        LeftCopy::leave_at(folder.path().join(name), serving).unwrap()
    };
    let [host, other] = ["::", "127.0.0.2"].map(|ip| ListenHost::Address(ip.parse().unwrap()));
    let read = |source: &ConfigurationSource, at| read(source, Some(folder.path()), at);
    let first = leave("1", &serving(1));
    let _second = leave("2", &serving(2));
    assert_eq!(read(&at("1"), None), Some(serving(1)));
    assert_eq!(read(&at("2"), Some((&host, 1))), Some(serving(2)));
    assert_eq!(read(&source(path, &[]), Some((&host, 1))), Some(serving(1)));
    assert_eq!(read(&source(path, &[]), Some((&other, 1))), None);
    drop(first);
    assert_eq!(read(&at("1"), Some((&host, 1))), None);
}
