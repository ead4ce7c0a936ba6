//! Keys that nobody has.
use std::time::Instant;

use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::findings::{Findings, grouped};
use test_support::http::Connection;

use super::scene::{Scene, share_out};
use crate::harness::volume;

/// How many requests are on their way at a time, over each connection.
const PIPELINED: u64 = 50;

pub(super) fn unknown_keys(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let begun = Instant::now();
    let outcomes = share_out(volume(5_000, 100_000), |number, keys| {
        let mut connection = Connection::open(scene.address());
        let mut asked = 0;
        while asked < keys {
            let requests: String = (asked..asked + PIPELINED)
                .map(|key| {
                    let paths = ["flags/", "identities/?identifier=bob", "environment-document/"];
                    let path = paths[(key % 3) as usize];
                    format!("GET /api/v1/{path} HTTP/1.1\r\nHost: p\r\nX-Environment-Key: ser.{number}-{key}\r\n\r\n")
                })
                .collect();
            connection.write(requests.as_bytes());
            for _ in 0..PIPELINED {
                let status = connection.read(false).status;
                if status != 401 {
                    return Err(format!("{status} for a key that nobody has"));
                }
            }
            asked += PIPELINED;
        }
        Ok(asked)
    });
    let asked: u64 = outcomes.into_iter().sum::<Result<u64, String>>()?;
    let rate = asked as f64 / begun.elapsed().as_secs_f64();
    findings.tried(asked);
    findings.clients(format!(
        "{} keys, {} a second: all 401",
        grouped(asked),
        grouped(rate as u64)
    ));
    scene.end(good, findings)
}
