//! What the log says at a stop.
use std::net::SocketAddr;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::program::Program;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use super::{V1, V2};
use crate::harness::{CLIENT_KEY, Connection, Request, SERVER_KEY, command, merge};

/// The greatest count that upstream can store.
const MOST: u64 = 2_147_483_647;

/// The real program, listening; its folder has a document `environment.json`.
fn start(pair: Value, more: &Value) -> (Program, SocketAddr, TempDir) {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
    let mut config = json!({
        "environment_key_pairs": [pair],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
    });
    merge(&mut config, more);
    std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
    let program = Program::start(&mut command(directory.path()));
    let address = program.find_line(|line| {
        let (_, rest) = line.split_once("listening on http://")?;
        rest.split([' ', ',', '/', '"']).next()?.parse().ok()
    });
    (program, address, directory)
}

fn post(address: SocketAddr, path: &str, body: &Value) -> u16 {
    let request = Request::post(path, body.to_string()).key(CLIENT_KEY);
    Connection::open(address).send(&request).status
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
    // Half of it is left after the last connection.
    let drain = json!({"server": {"drain_seconds": 6}});
    let (mut program, address, _directory) = start(pair, &drain);
    let (ready, begun) = (Request::get("/proxy/health/readiness"), Instant::now());
    while Connection::open(address).send(&ready).status != 200 {
        assert!(begun.elapsed() < PATIENCE, "it becomes ready");
    }
    // The second is beyond what one request to upstream carries.
    let most = json!({"feature_name": "zebra", "enabled_when_evaluated": true, "count": MOST});
    let twice = json!({"evaluations": [most, most]});
    let lose = || assert_eq!(post(address, V2, &twice), 204);
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
    assert_eq!(post(address, V1, &json!({"zebra": 5})), 200);
    program.signal("INT");
    let (_, written) = program.wait();
    for part in [
        "5 evaluation counts end with the process",
        "no document of their environment has come",
    ] {
        assert!(written.contains(part), "{written}");
    }
}
