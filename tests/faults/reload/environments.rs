//! Environments that come, go, and have other keys or another upstream.
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use serde_json::json;
use test_support::documents::document;
use test_support::findings::{Findings, grouped};
use test_support::http::Request;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use super::clients::Clients;
use super::scene::{AT_ONCE, KEY, OLD, READ_AGAIN, Scene, config, pair, replace, within};
use crate::harness::volume;

pub(super) fn added_and_removed(findings: &mut Findings, write: &dyn Fn(&Path, &str)) -> Result<(), String> {
    let scene = Scene::start();
    let clients = Clients::start(&scene.proxy, 2, 2);
    for round in 0..volume(2, 10) {
        let key = format!("comes-{round}");
        if scene.flags(&key).status != 401 {
            return Err(format!("{key} is known before it is configured"));
        }
        write(&scene.path(), &scene.config(&[pair(&key), pair(KEY)]).to_string());
        let fresh_after = scene.until(&key, |flags| flags.status == 200);
        findings.fresh_after(fresh_after);
        within(fresh_after, AT_ONCE)?;
        let mut stream = scene.proxy.connect();
        stream.write_request(&Request::get(&format!("/sse/environments/{key}/stream")));
        assert_eq!(stream.read_head().status, 200);

        write(&scene.path(), &scene.config(&[pair(KEY)]).to_string());
        let gone_after = scene.until(&key, |flags| flags.status == 401);
        within(gone_after, AT_ONCE)?;
        let server_side = scene.flags(&format!("ser.{key}")).status;
        if server_side != 401 {
            return Err(format!("its server-side key gets {server_side}"));
        }
        if !stream.rest().ends_with(b"\r\n0\r\n\r\n") {
            return Err("the stream of a removed environment is cut".to_owned());
        }
    }
    clients.end(findings)?;
    findings.clients("the added one: 200, then 401, its streams ended cleanly");
    findings.readiness(scene.proxy.readiness().to_string());
    findings.log(format!(
        "{READ_AGAIN}, and is in force: environment_key_pairs changed"
    ));
    Ok(())
}

pub(super) fn rotated_key(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start();
    let rotated = json!({"client_side_key": KEY, "server_side_key": "ser.rotated"});
    // Its document stays what it was, so that every answer does.
    scene
        .upstream
        .script(|request| match request.header("X-Environment-Key") {
            Some("ser.rotated") => Answer::ok(document(&format!("ser.{KEY}"), OLD)),
            _ => Answer::status(401),
        });
    let mut polled = scene.config(&[pair(KEY)]);
    polled["api_poll_frequency_seconds"] = json!(1);
    replace(&scene.path(), &polled.to_string());
    let status = || {
        let health = scene.proxy.send(&Request::get("/proxy/health")).json();
        health["environments"][0]["status"].as_str().map(str::to_owned)
    };
    let begun = Instant::now();
    while status().as_deref() != Some("key rejected") {
        assert!(begun.elapsed() < PATIENCE, "the key is rejected");
    }
    let client = Request::get("/api/v1/flags/").key(KEY);
    let is_ended = AtomicBool::new(false);
    let outcome = thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut kept, mut answers, mut failed) = (scene.proxy.connect(), 0_u64, 0_u64);
            while !is_ended.load(Ordering::Relaxed) {
                let is_answered = kept.send(&client).status == 200;
                answers += 1;
                failed += u64::from(!is_answered);
            }
            (answers, failed)
        });
        polled["environment_key_pairs"] = json!([rotated]);
        replace(&scene.path(), &polled.to_string());
        let begun = Instant::now();
        while status().as_deref() != Some("ok") && begun.elapsed() < PATIENCE {}
        let fresh_after = begun.elapsed();
        let keys = [format!("ser.{KEY}"), "ser.rotated".to_owned()].map(|key| scene.flags(&key).status);
        is_ended.store(true, Ordering::Relaxed);
        (asking.join().unwrap(), fresh_after, keys)
    });
    let ((answers, failed), fresh_after, keys) = outcome;
    findings.clients(format!(
        "{} answers by the client-side key, all 200; the old server-side key 401",
        grouped(answers)
    ));
    findings.lost(failed);
    findings.fresh_after(fresh_after);
    findings.readiness(scene.proxy.readiness().to_string());
    findings.log(format!(
        "{READ_AGAIN}, and is in force: environment_key_pairs changed"
    ));
    if keys != [401, 200] {
        return Err(format!("the old key gets {}, the new one {}", keys[0], keys[1]));
    }
    within(fresh_after, AT_ONCE)
}

pub(super) fn another_upstream(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start();
    let other = ScriptedUpstream::start(|_| Answer::ok(document("of the other", "2001-01-01T00:00:00Z")));
    let begun = Instant::now();
    replace(&scene.path(), &config(&other.api_url(), &[pair(KEY)]).to_string());
    let mut kept = scene.proxy.connect();
    let mut answers = 0_u64;
    loop {
        let flags = kept.send(&Request::get("/api/v1/flags/").key(KEY));
        if flags.status != 200 {
            findings.lost(1);
            return Err(format!("flags are answered {}", flags.status));
        }
        answers += 1;
        if flags.text().contains("of the other") {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", scene.proxy.written());
    }
    findings.clients(format!(
        "{} answers, all 200, the old flags and then the new",
        grouped(answers)
    ));
    findings.fresh_after(begun.elapsed());
    findings.readiness(scene.proxy.readiness().to_string());
    findings.log(format!("{READ_AGAIN}, and is in force: api_url changed"));
    within(begun.elapsed(), AT_ONCE)
}
