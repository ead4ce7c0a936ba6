//! Restarts without upstream.
use std::time::{Duration, Instant};

use test_support::findings::Findings;
use test_support::http::{Request, Response};

use super::environments::ENVIRONMENTS;
use super::scene::{Scene, claim, lines_with, readiness, wait_until_served, wait_until_stored};
use crate::harness::{Proxy, volume};

/// From the start of the program to its first flags, but for what a thread waits for a core that others have. Without
/// optimisation a document takes ten times as long.
const FIRST_FLAGS: Duration = Duration::from_millis(if cfg!(debug_assertions) { 250 } else { 50 });

/// What an answer must keep over a restart.
const HEADERS: [&str; 4] = [
    "etag",
    "x-flagsmith-document-updated-at",
    "last-modified",
    "content-type",
];

fn requests() -> Vec<Request> {
    let of = |environment: &super::environments::Environment| {
        [
            Request::get("/api/v1/flags/").key(environment.client_side_key),
            Request::get("/api/v1/flags/").key(environment.server_side_key),
            Request::get("/api/v1/environment-document/").key(environment.server_side_key),
            Request::get("/api/v1/identities/?identifier=bob").key(environment.client_side_key),
        ]
    };
    ENVIRONMENTS.iter().flat_map(of).collect()
}

fn kept(answer: &Response) -> (u16, Vec<Option<&str>>, &[u8]) {
    let headers = HEADERS.iter().map(|name| answer.header(name)).collect();
    (answer.status, headers, &answer.body)
}

/// Every answer and every tag is as before, and the first comes within [`FIRST_FLAGS`] of the program's start.
pub(super) fn without_upstream(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::with_version(1);
    let mut proxy = scene.start();
    wait_until_stored(&proxy, 1);
    let before: Vec<_> = requests().iter().map(|request| proxy.send(request)).collect();
    scene.goes_away();
    let mut quickest = Duration::MAX;
    // A machine that is busy with something else is no defect, so the quickest counts.
    let most = volume(20, 100);
    for restart in 1..=most {
        proxy.signal("KILL");
        proxy.wait();
        let begun = Instant::now();
        proxy = scene.start();
        let first = first_flags(&proxy);
        let took = begun.elapsed();
        quickest = quickest.min(took.saturating_sub(proxy.delayed()));
        claim(kept(&first) == kept(&before[0]), || {
            format!("the first flags are {} {:?}", first.status, first.text())
        })?;
        if quickest <= FIRST_FLAGS && restart >= volume(2, 20) {
            break;
        }
    }
    claim(quickest <= FIRST_FLAGS, || {
        format!("the first flags came after {quickest:?} at best, of {most} starts")
    })?;
    wait_until_served(&proxy);
    for (request, before) in requests().iter().zip(&before) {
        let after = proxy.send(request);
        claim(kept(&after) == kept(before), || {
            format!("{request:?} is {}", after.text())
        })?;
        if let Some(etag) = before.header("etag") {
            let again = proxy.send(&request.clone().header("If-None-Match", etag));
            claim(again.status == 304, || {
                format!("{request:?} with its tag of before is {}", again.status)
            })?;
        }
    }
    findings.clients(format!(
        "first flags {:.0} ms after exec{}; bodies, tags and 304s as before",
        quickest.as_secs_f64() * 1e3,
        if cfg!(debug_assertions) {
            " (a build that is not optimised)"
        } else {
            ""
        }
    ));
    findings.readiness(readiness(&proxy));
    let line = lines_with(&proxy.written(), "the document that was stored");
    findings.log(line.first().cloned().unwrap_or_default());

    scene.gives(2);
    let fresh = super::scene::wait_for_version(&proxy, 2)?;
    findings.fresh_after(fresh);
    Ok(())
}

/// Asks until there are flags. Each refusal says when to come back; this client is impatient.
fn first_flags(proxy: &Proxy) -> Response {
    let begun = Instant::now();
    loop {
        let answer = proxy.send(&requests()[0]);
        if answer.status == 200 || begun.elapsed() > Duration::from_secs(10) {
            return answer;
        }
    }
}
