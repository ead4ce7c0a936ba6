//! Answers whose status is the fault.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::findings::Findings;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use super::claims::{self, Expected, Told};
use super::scene::{PERIOD, Scene, Setting};
use super::{Outage, row};
use crate::Row;
use crate::harness::environments::{ENVIRONMENTS, Environment, good, json_answer};
use crate::harness::is_full;

const HTML: &str = "<!DOCTYPE html><html><body><h1>Blocked</h1></body></html>";
const LIMITED: &str = "upstream limits the rate (429)";
const REDIRECTS: &str = "upstream redirects in a circle or to another origin";

/// Where no key may be sent.
static ELSEWHERE: LazyLock<ScriptedUpstream> =
    LazyLock::new(|| ScriptedUpstream::start(|_| json_answer(FIXTURE)));

fn html(status: u16) -> Answer {
    Answer::refusal(status, HTML).header("Content-Type", "text/html")
}

pub(super) fn rows() -> Vec<Row> {
    [refusals(), failures(), redirects()]
        .into_iter()
        .flatten()
        .collect()
}

fn refusals() -> Vec<Row> {
    vec![
        row("401", |findings| {
            Outage::answering(
                |_, _| Answer::status(401),
                &["upstream rejects the server-side key (401)"],
            )
            .refusing_keys()
            .run(findings)
        }),
        row("403 JSON", |findings| {
            let refusal = |_: &_, _| {
                let detail = json!({"detail": "You do not have permission to perform this action."});
                Answer::refusal(403, detail.to_string()).header("Content-Type", "application/json")
            };
            Outage::answering(
                refusal,
                &["refuses the server-side key (403) and says \"You do not have permission"],
            )
            .refusing_keys()
            .run(findings)
        }),
        row("403 HTML", |findings| {
            Outage::answering(|_, _| html(403), &["upstream rejects the server-side key (403)"])
                .refusing_keys()
                .run(findings)
        }),
        row("429 with Retry-After: 1", |findings| {
            Outage::answering(|_, _| Answer::status(429).header("Retry-After", 1), &[LIMITED])
                .asking_to_wait(Duration::from_secs(1))
                .run(findings)
        }),
        row("429 with Retry-After: 4", |findings| {
            Outage::answering(|_, _| Answer::status(429).header("Retry-After", 4), &[LIMITED])
                .asking_to_wait(Duration::from_secs(4))
                .run(findings)
        }),
        row("429 with Retry-After: 1000000000", asked_to_wait_for_ages),
        row("429 with Retry-After: 1e9", |findings| {
            Outage::answering(
                |_, _| Answer::status(429).header("Retry-After", "1e9"),
                &[LIMITED],
            )
            .refusing_keys()
            .run(findings)
        }),
    ]
}

/// Upstream is left alone, for five minutes at most; an ordinary run does not wait for their end.
fn asked_to_wait_for_ages(findings: &mut Findings) -> Result<(), String> {
    const MOST: Duration = Duration::from_secs(300);
    let upstream = Arc::new(ScriptedUpstream::start(|request| good(request, 1)));
    let scene = Scene::start(upstream, TempDir::new().unwrap(), &Setting::default());
    scene.fresh_after(1, Instant::now(), PERIOD)?;
    // What this script has answered is counted: a request may have come before it, and be answered by it.
    let limited = Arc::new(ENVIRONMENTS.map(|_| AtomicU64::new(0)));
    let counts = Arc::clone(&limited);
    scene.upstream.script(move |request| {
        let asked = Environment::of(request);
        let place = ENVIRONMENTS.iter().position(|each| *each == asked);
        counts[place.expect("an environment")].fetch_add(1, Ordering::SeqCst);
        Answer::status(429).header("Retry-After", 1_000_000_000)
    });
    scene.wait_for_line(LIMITED);
    let told = Instant::now();
    scene.watch();
    for answers in limited.iter() {
        match answers.load(Ordering::SeqCst) {
            1 => findings.tried(1),
            answers => return Err(format!("{answers} requests, and one was to be the last")),
        }
    }
    let well = scene.is_well(2);
    let versions = if is_full() {
        scene.fresh_after(2, told, MOST)?;
        findings.fresh_after(well.elapsed());
        &[1, 2][..]
    } else {
        &[1][..]
    };
    let (seen, written) = scene.end(versions.len() - 1)?;
    let expected = Expected {
        versions,
        is_without_at_first: false,
        is_renumbered: false,
    };
    claims::of_clients(&seen, &expected, findings)?;
    claims::of_probes(&seen, false, findings)?;
    let told = Told {
        says: &[LIMITED],
        spells: 1,
        lines: 1..=1,
        environments: ENVIRONMENTS.len(),
        is_recovery_told: is_full(),
    };
    claims::of_log(&written, &told, findings)
}

fn failures() -> Vec<Row> {
    vec![
        row("404", |findings| {
            Outage::answering(|_, _| Answer::status(404), &["upstream answers 404"]).run(findings)
        }),
        row("500", |findings| {
            Outage::answering(|_, _| Answer::status(500), &["upstream answers 500"]).run(findings)
        }),
        row("502 HTML", |findings| {
            Outage::answering(|_, _| html(502), &["upstream answers 502"]).run(findings)
        }),
        row("502 and 503 by turns", |findings| {
            let by_turns = |request: &ReceivedRequest, _| {
                html(if request.at.elapsed().subsec_nanos().is_multiple_of(2) {
                    502
                } else {
                    503
                })
            };
            Outage::answering(by_turns, &["upstream answers 502", "upstream answers 503"])
                .in_ways(2)
                .run(findings)
        }),
        row("503 with Retry-After: 1000000000", |findings| {
            let busy = |_: &_, _| Answer::status(503).header("Retry-After", 1_000_000_000);
            Outage::answering(busy, &["upstream answers 503"]).run(findings)
        }),
        row("204", |findings| {
            let empty = |_: &_, _| Answer::raw("HTTP/1.1 204 No Content\r\n\r\n");
            Outage::answering(empty, &["upstream answers 204"]).run(findings)
        }),
        row("206", |findings| {
            let part = |_: &_, _| Answer::refusal(206, "[1]").header("Content-Range", "bytes 0-2/100");
            Outage::answering(part, &["upstream answers 206"]).run(findings)
        }),
        row("304 without a document", |findings| {
            Outage::answering(|_, _| Answer::status(304), &["upstream answers 304"])
                // Where it was asked for, 304 is right.
                .with(json!({"api_poll_unconditional_seconds": 0}))
                .run(findings)
        }),
        row("100 and nothing else", |findings| {
            let interim = |_: &_, _| Answer::raw("HTTP/1.1 100 Continue\r\n\r\n");
            Outage::answering(interim, &["the connection is made, and no answer begins in time"])
                .hanging()
                .run(findings)
        }),
        row("101", |findings| {
            const UPGRADE: &str =
                "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";
            Outage::answering(|_, _| Answer::raw(UPGRADE), &["upstream answers 101"]).run(findings)
        }),
    ]
}

fn redirects() -> Vec<Row> {
    vec![
        row("redirect elsewhere", |findings| {
            let elsewhere = |request: &ReceivedRequest, _| {
                Answer::status(302).header("Location", format!("{}{}", ELSEWHERE.origin(), request.target))
            };
            Outage::answering(elsewhere, &[REDIRECTS]).run(findings)?;
            match ELSEWHERE.accepted() {
                0 => Ok(()),
                connections => Err(format!("{connections} connections to where it redirects")),
            }
        }),
        row("301 to itself", |findings| {
            let circle =
                |request: &ReceivedRequest, _| Answer::status(301).header("Location", &request.target);
            Outage::answering(circle, &[REDIRECTS]).run(findings)
        }),
        row("302 without a place", |findings| {
            Outage::answering(|_, _| Answer::status(302), &[REDIRECTS]).run(findings)
        }),
    ]
}
