//! `kill -9` at random moments during writes.
use std::thread;
use std::time::Instant;

use serde_json::json;
use test_support::findings::Findings;
use test_support::http::Request;

use super::environments::{ENVIRONMENTS, updated_at};
use super::scene::{Scene, claim, flags, stored_in, version_of, wait_until_served, wait_until_stored};
use crate::harness::{Proxy, volume};

/// In each life of the process upstream has a new version, which is pushed, stored, and cut off at a random moment. The next
/// one, without upstream, must serve a whole document, and none that is older than the last that was told to be stored.
pub(super) fn during_writes(findings: &mut Findings) -> Result<(), String> {
    let kills = volume(12, 200);
    let scene = Scene::with_version(1);
    let mut config = scene.config();
    config["api_poll_frequency_seconds"] = json!(3600);
    let mut proxy = Proxy::start(&config);
    let begun = Instant::now();
    wait_until_stored(&proxy, 1);
    let (mut span, mut stored) = (begun.elapsed(), [1; ENVIRONMENTS.len()]);
    let (mut whole, mut written) = (0, 0);
    for version in 2..=kills + 1 {
        proxy.signal("KILL");
        let (_, log) = proxy.wait();
        for (environment, stored) in ENVIRONMENTS.iter().zip(&mut stored) {
            let newest = stored_in(&log, environment, version - 1);
            written += u32::from(newest.is_some_and(|newest| newest > *stored));
            *stored = newest.unwrap_or_default().max(*stored);
        }
        scene.goes_away();
        proxy = Proxy::start(&config);
        wait_until_served(&proxy);
        for (environment, stored) in ENVIRONMENTS.iter().zip(stored) {
            let served = version_of(&flags(&proxy, environment))?;
            claim(served >= stored && served < version, || {
                format!(
                    "{} serves version {served} after {stored} was stored",
                    environment.name
                )
            })?;
            whole += 1;
        }
        scene.gives(version);
        let begun = Instant::now();
        push(&proxy, version);
        if version % 10 == 2 {
            // How long it takes where nothing cuts it off.
            wait_until_stored(&proxy, version);
            span = begun.elapsed();
        } else {
            // The random moment is what this row is about.
            thread::sleep(span.mul_f64(1.2 * fastrand::f64()));
        }
    }
    findings.clients(format!(
        "{whole} restarts of an environment, all whole, none older than what was stored"
    ));
    findings.log(format!(
        "of {} writes that were begun {written} were acknowledged",
        kills * u32::try_from(ENVIRONMENTS.len()).unwrap_or_default()
    ));
    Ok(())
}

fn push(proxy: &Proxy, version: u32) {
    for environment in &ENVIRONMENTS {
        let path = format!("/sse/environments/{}/queue-change", environment.client_side_key);
        let body = json!({"updated_at": updated_at(version)}).to_string();
        let answer = proxy.send(&Request::post(&path, body).header("Authorization", "Token token"));
        assert_eq!(answer.status, 200);
    }
}
