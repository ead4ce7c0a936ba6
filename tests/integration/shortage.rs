//! The system allows too few descriptors or threads for a start.
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;
use test_support::documents::FIXTURE;

use crate::harness::{CLIENT_KEY, Connection, Request};

/// The program under these limits of a shell's `ulimit`, with one environment from a file.
fn limited(directory: &TempDir, limits: &str, workers: usize) -> Command {
    std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "environment.json"}],
        "server": {"host": "127.0.0.1", "port": 0},
    });
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    let mut command = Command::new("sh");
    command
        .args([
            "-c",
            &format!("ulimit {limits} && exec {}", env!("CARGO_BIN_EXE_edge-proxy")),
        ])
        .env_clear()
        .env("WEB_CONCURRENCY", workers.to_string())
        .current_dir(directory.path())
        .stdin(Stdio::null());
    command
}

/// What it writes instead of starting.
fn refusal(limits: &str, workers: usize) -> String {
    let directory = TempDir::new().unwrap();
    let output = limited(&directory, limits, workers).output().unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(71), "{limits}: {line}");
    assert_eq!(line.trim_end().lines().count(), 1, "{limits}: {line}");
    line
}

#[test]
fn too_few_open_files_are_one_line_and_what_it_asks_for_is_enough() {
    let lines = ["-n 12", "-n 16", "-n 24", "-n 32", "-n 40"].map(|limits| refusal(limits, 2));
    for line in &lines {
        assert!(line.contains("the limit of open files is "), "{line}");
    }
    let (_, after) = lines[0].split_once("at least ").unwrap();
    let (needed, _) = after.split_once(" are needed").unwrap();

    let directory = TempDir::new().unwrap();
    let mut child = limited(&directory, &format!("-n {needed}"), 2)
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

/// Each thread takes 2 MiB of addresses for its stack, and there are not so many.
#[test]
#[cfg(target_os = "linux")]
fn too_few_threads_are_one_line() {
    let line = refusal("-v 1000000", 512);
    assert!(
        line.contains(" threads, and ") && line.contains("WEB_CONCURRENCY"),
        "{line}"
    );
}
