//! What the log says at a stop.
use std::net::SocketAddr;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::program::Program;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::V1;
use crate::harness::{CLIENT_KEY, Connection, Request, SERVER_KEY, command, merge};

/// The greatest count that upstream can store.
const MOST: u64 = 2_147_483_647;

/// The real program with one worker, listening; its folder has a document `environment.json`.
fn start(pair: Value, more: &Value) -> (Program, SocketAddr, TempDir) {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
    let mut config = json!({
        "environment_key_pairs": [pair],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
    });
    merge(&mut config, more);
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    let program = Program::start(command(directory.path()).env("WEB_CONCURRENCY", "1"));
    let address = program.find_line(|line| {
        let (_, rest) = line.split_once("listening on http://")?;
        rest.split([' ', ',', '/', '"']).next()?.parse().ok()
    });
    (program, address, directory)
}

fn post(address: SocketAddr, count: u64) {
    let request = Request::post(V1, json!({"zebra": count}).to_string()).key(CLIENT_KEY);
    assert_eq!(Connection::open(address).send(&request).status, 200);
}

/// The counts that a line says are lost.
fn lost(line: &str) -> Option<u64> {
    let (_, rest) = line.split_once("analytics: ")?;
    let (count, _) = rest.split_once(" evaluation counts are lost")?;
    count.parse().ok()
}

#[test]
fn losses_that_are_untold_are_told_at_the_stop() {
    let pair = json!({"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": "environment.json"});
    let (mut program, address, _directory) = start(pair, &json!({"server": {"drain_seconds": 1}}));
    let ready = Request::get("/proxy/health/readiness");
    while Connection::open(address).send(&ready).status != 200 {}
    // The second is beyond what one request to upstream carries.
    let lose = || (0..2).for_each(|_| post(address, MOST));
    lose();
    program.signal("TERM");
    assert_eq!(program.find_line(lost), MOST);
    // Within a minute of a line there is no other one.
    lose();
    let (_, written) = program.wait();
    let lost: Vec<_> = written.lines().filter_map(lost).collect();
    assert_eq!(lost, [MOST, MOST], "{written}");
}

#[test]
fn counts_of_an_environment_without_a_document_end_with_its_absence_named() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let pair = json!({"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY});
    let (mut program, address, _directory) = start(pair, &json!({"api_url": upstream.api_url()}));
    post(address, 5);
    program.signal("INT");
    let (_, written) = program.wait();
    for part in [
        "5 evaluation counts end with the process",
        "no document of their environment has come",
    ] {
        assert!(written.contains(part), "{written}");
    }
}
