//! The system allows too few descriptors or threads for a start.
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::json;
use tempfile::TempDir;
use test_support::documents::FIXTURE;

use crate::harness::{CLIENT_KEY, Connection, Request};

/// A folder that the program starts in, with one environment from a file.
fn folder() -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "environment.json"}],
        "server": {"host": "127.0.0.1", "port": 0},
    });
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    directory
}

/// The program with so many open files at most.
fn with_open_files(directory: &TempDir, limit: &str) -> Command {
    let start = format!("ulimit -n {limit} && exec {}", env!("CARGO_BIN_EXE_edge-proxy"));
    let mut command = Command::new("sh");
    command
        .args(["-c", &start])
        .env_clear()
        .env("WEB_CONCURRENCY", "2")
        .current_dir(directory.path())
        .stdin(Stdio::null());
    command
}

/// What it writes instead of starting.
fn one_line(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(71), "{line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    line
}

#[test]
fn too_few_open_files_are_one_line_and_what_it_asks_for_is_enough() {
    let directory = folder();
    let lines = ["12", "16", "24", "32", "40"]
        .map(|limit| one_line(&with_open_files(&directory, limit).output().unwrap()));
    for line in &lines {
        assert!(line.contains("the limit of open files is "), "{line}");
    }
    let (_, after) = lines[0].split_once("at least ").unwrap();
    let (needed, _) = after.split_once(" are needed").unwrap();

    let mut child = with_open_files(&directory, needed)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let address = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find_map(|line| {
            line.split_once("listening on http://")
                .map(|(_, address)| address.to_owned())
        })
        .unwrap()
        .parse()
        .unwrap();
    let mut connections: Vec<_> = (0..16).map(|_| Connection::open(address)).collect();
    for connection in &mut connections {
        let liveness = connection.send(&Request::get("/proxy/health/liveness"));
        assert_eq!(liveness.status, 200);
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A limit of threads holds for every user but root, so root starts the program as nobody.
#[test]
#[cfg(target_os = "linux")]
fn too_few_threads_are_one_line() {
    let has = |tool: &str| Command::new(tool).arg("--version").output().is_ok();
    if !has("prlimit") || !has("setpriv") {
        eprintln!("skipped: it needs prlimit and setpriv of util-linux");
        return;
    }
    let directory = folder();
    let mut command = Command::new("prlimit");
    command.args(["--nproc=20:20", "--"]);
    if rustix::process::getuid().is_root() {
        command.args(["setpriv", "--reuid=65534", "--clear-groups"]);
    }
    command
        .arg(reachable_program(&directory))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("WEB_CONCURRENCY", "64")
        .current_dir(directory.path())
        .stdin(Stdio::null());
    let line = one_line(&command.output().unwrap());
    assert!(line.contains("thread"), "{line}");
}

/// The program where any user can start it; the folders above the one that it was built in may be closed.
#[cfg(target_os = "linux")]
fn reachable_program(directory: &TempDir) -> std::path::PathBuf {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    let program = directory.path().join("edge-proxy");
    let built = env!("CARGO_BIN_EXE_edge-proxy");
    if fs::hard_link(built, &program).is_err() {
        // By a process of its own: one that another test starts meanwhile would hold this one's handle for a moment, and a
        // program that is open for writing cannot be run.
        let copied = Command::new("cp").arg(built).arg(&program).status();
        assert!(copied.unwrap().success());
    }
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
    program
}
