//! Evaluation counts that upstream does not take, over a kill.
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use test_support::documents::document;
use test_support::findings::Findings;
use test_support::http::Request;
use test_support::upstream::{Answer, Counted, ScriptedUpstream};
use test_support::wait::{PATIENCE, wait};

use super::scene::claim;
use crate::harness::Proxy;

const CLIENT_KEY: &str = "client-key";
const COUNTS: u64 = 12;

/// The next process sends them, once.
pub(super) fn over_a_kill(findings: &mut Findings) -> Result<(), String> {
    let store = TempDir::new().unwrap();
    let document = document("one", "2026-01-01T00:00:00+00:00");
    let counted = Counted::default();
    let upstream = ScriptedUpstream::start(counted.script(&document, |_| Some(Answer::status(503))));
    let config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": "ser.server-key"}],
        "api_url": upstream.api_url(),
        "persistence": {"directory": store.path()},
    });
    let mut proxy = Proxy::start(&config);
    proxy.wait_until_ready();
    for _ in 0..COUNTS {
        let count = Request::post("/api/v1/analytics/flags/", r#"{"banner":1}"#).key(CLIENT_KEY);
        claim(proxy.send(&count).status == 200, || {
            "a count is not taken".to_owned()
        })?;
    }
    // They are kept when upstream has refused them and the next ten seconds are over.
    let (begun, file) = (Instant::now(), store.path().join("analytics.1.unsent"));
    while !file.exists() {
        claim(begun.elapsed() < 2 * PATIENCE, || {
            format!("nothing is kept: {}", proxy.written())
        })?;
        thread::sleep(Duration::from_millis(20));
    }
    findings.log(format!("kept after {:.0} s", begun.elapsed().as_secs_f64()));
    proxy.signal("KILL");
    proxy.wait();
    upstream.script(counted.script(&document, |_| None));
    let mut next = Proxy::start(&config);
    wait(counted.wait_for_sum(COUNTS));
    next.signal("TERM");
    let (_, log) = next.wait();
    let third = Proxy::start(&config);
    third.wait_until_ready();
    drop(third);
    let sum = counted.sum();
    findings.lost(COUNTS.abs_diff(sum));
    claim(sum == COUNTS && !file.exists(), || {
        format!("{sum} counts of {COUNTS} arrived: {log}")
    })?;
    findings.clients(format!(
        "all {COUNTS} counts that upstream had refused arrive after the restart, once"
    ));
    Ok(())
}
