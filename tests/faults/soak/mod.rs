//! Everything mixed for a long time: ordinary load, changes, faults of upstream, bad clients.
//!
//! # Layout
//! - `weather`: what upstream does. `good`: the clients that may lose nothing. `bad`: those that do what they should not.
//! - `reloads`: new configurations.
//! - `killed`: another proxy, which is killed again and again. `figures`: memory and descriptors of the program.
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::findings::{Findings, grouped};
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::Row;
use crate::harness::Proxy;
use crate::harness::environments::key_pairs;

mod bad;
mod figures;
mod good;
mod killed;
mod reloads;
mod weather;

use figures::{Figures, settled_descriptors};
use reloads::Reloads;
use weather::Weather;

/// How much memory may have grown since the first minute.
const GROWTH: f64 = 1.1;
const DEFAULT: Duration = Duration::from_secs(900);
const GOOD_CLIENTS: usize = 6;
const LISTENERS: usize = 20;

pub(crate) fn rows() -> Vec<Row> {
    vec![Row {
        group: "soak",
        name: "everything mixed",
        run: soak,
    }]
}

/// `SOAK_SECONDS`, 15 minutes by default.
fn duration() -> Duration {
    let seconds = std::env::var("SOAK_SECONDS").ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    seconds.map_or(DEFAULT, Duration::from_secs)
}

fn soak(findings: &mut Findings) -> Result<(), String> {
    let (begun, duration) = (Instant::now(), duration());
    let upstream = Arc::new(ScriptedUpstream::start(|_| Answer::status(500)));
    let weather = Weather::over(Arc::clone(&upstream));
    let stored = tempfile::tempdir().unwrap();
    let config = json!({
        "environment_key_pairs": key_pairs(),
        "api_url": upstream.api_url(),
        "api_poll_frequency_seconds": 1,
        "api_poll_timeout_seconds": 1,
        "realtime": {"max_stream_age_seconds": 5},
        "server": {"drain_seconds": 1},
        "persistence": {"directory": stored.path()},
    });
    let mut proxy = Proxy::start(&config);
    proxy.wait_until_ready();
    let idle = settled_descriptors(&proxy, usize::MAX);

    let (seen, ill) = (good::Seen::default(), bad::Tried::default());
    let (kills, reloads) = (AtomicU64::new(0), Reloads::of(proxy.folder()));
    let first_minute = begun + (duration / 5).min(Duration::from_secs(60));
    let end = begun + duration;
    let (early, late) = thread::scope(|scope| {
        let (address, seen, ill, weather) = (proxy.address, &seen, &ill, &weather);
        scope.spawn(move || weather.change_until(end));
        scope.spawn(|| reloads.change_until(end, || proxy.signal("HUP")));
        scope.spawn(|| killed::kill_until(end, &config, &kills));
        for _ in 0..GOOD_CLIENTS {
            scope.spawn(move || good::ask_until(end, address, weather, seen));
        }
        for place in 0..LISTENERS {
            scope.spawn(move || good::listen_until(end, address, place, seen));
        }
        for act in bad::ACTS {
            scope.spawn(move || bad::act_until(end, address, act, ill));
        }
        let early = Figures::around(first_minute, &proxy);
        println!("after {:?}: {early}", begun.elapsed());
        while Instant::now() + Duration::from_secs(60) < end {
            let now = Figures::around(Instant::now() + Duration::from_secs(45), &proxy);
            println!("after {:?}: {now}; {}", begun.elapsed(), seen.summary());
        }
        (early, Figures::around(end, &proxy))
    });
    let left = settled_descriptors(&proxy, idle);
    println!("at the end: {late}; descriptors {idle} idle before, {left} after");

    proxy.signal("TERM");
    let (status, written) = proxy.wait();
    findings.tried(ill.total() + weather.faults());
    findings.lost(seen.lost_count());
    findings.clients(seen.summary());
    findings.clients(format!(
        "{} by bad clients, {weather}, {} reloads, {} kills of another proxy",
        ill.summary(),
        reloads.count.into_inner(),
        kills.into_inner()
    ));
    findings.log(format!(
        "memory {} KiB after the first minute, {} KiB at the end ({:.3} ×); descriptors {idle} before, {left} after; {} lines",
        grouped(early.resident_kib),
        grouped(late.resident_kib),
        late.growth_since(&early),
        written.lines().count()
    ));
    if let Some(lost) = seen.first_lost() {
        return Err(lost);
    }
    if status.code() != Some(0) || written.contains("panicked") {
        return Err(format!("{status}: {written}"));
    }
    if late.growth_since(&early) > GROWTH {
        return Err(format!("memory has grown: {early}, then {late}"));
    }
    if left > idle {
        return Err(format!("descriptors are left: {left}, {idle} before"));
    }
    Ok(())
}
