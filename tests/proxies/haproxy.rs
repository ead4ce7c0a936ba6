//! HAProxy over two instances, of which one is stopped.
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::harness::{Edge, Flagsmith, Front, Tally, TempFolder, ask_all, installed, mixed_requests};

/// Requests at least; they go on until the stopped instance has ended.
const REQUESTS: usize = 8000;

/// Clients at a time.
const CLIENTS: usize = 32;

/// HAProxy's default pace: a check every 2 s, and three that fail. The third comes 6 s after the signal at the latest, and
/// where nothing but checks comes the drain does not wait for it by itself.
const DRAIN_WITHOUT_TRAFFIC: u32 = 7;

/// What its checks ask; without a word it is `OPTIONS /`.
pub(crate) const READINESS: &str = "GET /proxy/health/readiness";

/// Starts HAProxy in front of these two instances, in one process.
pub(crate) fn start(program: &Path, folder: &TempFolder, check: &str, instances: [SocketAddr; 2]) -> Front {
    let [one, two] = instances;
    Front::start(|port| {
        let values = [
            ("CHECK", check.to_owned()),
            ("ONE", one.to_string()),
            ("TWO", two.to_string()),
            ("PORT", port.to_string()),
        ];
        let configuration = folder.fill("haproxy.cfg", include_str!("haproxy.cfg"), &values);
        let mut command = Command::new(program);
        command.arg("-db").arg("-f").arg(configuration);
        command
    })
}

#[test]
fn the_stop_of_one_of_two_instances_loses_no_request() {
    assert_a_stop_loses_nothing(READINESS);
}

#[test]
fn nor_where_the_checks_ask_what_they_ask_by_default() {
    assert_a_stop_loses_nothing("");
}

fn assert_a_stop_loses_nothing(check: &str) {
    let Some(program) = installed("haproxy", "haproxy") else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let mut stopped = Edge::start(&flagsmith, json!({}));
    let stays = Edge::start(&flagsmith, json!({}));
    let folder = TempFolder::new();
    let haproxy = start(&program, &folder, check, [stopped.address, stays.address]);
    let requests = mixed_requests(stays.address);
    let tally = Tally::default();
    let has_ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while tally.answered() < REQUESTS / 8 && tally.wrong().is_empty() {
                std::thread::yield_now();
            }
            stopped.signal("TERM");
            let (status, log) = stopped.wait();
            has_ended.store(true, Ordering::Relaxed);
            assert_eq!(status.code(), Some(0), "{log}");
        });
        ask_all(haproxy.address, CLIENTS, &requests, &tally, |number| {
            number < REQUESTS || !has_ended.load(Ordering::Relaxed)
        });
    });
    let wrong = tally.wrong();
    assert!(
        wrong.is_empty(),
        "of {}, {} are lost: {:#?}",
        tally.answered(),
        wrong.len(),
        wrong.iter().take(10).collect::<Vec<_>>()
    );
}

/// Between its checks a balancer without traffic opens no connection for longer than a drain waits for one.
#[test]
fn nor_does_a_stop_while_there_is_no_traffic() {
    let Some(program) = installed("haproxy", "haproxy") else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let mut stopped = Edge::start(&flagsmith, json!({"drain_seconds": DRAIN_WITHOUT_TRAFFIC}));
    let stays = Edge::start(&flagsmith, json!({}));
    let folder = TempFolder::new();
    let instances = [stopped.address, stays.address];
    let haproxy = start(&program, &folder, READINESS, instances);
    let requests = mixed_requests(stays.address);
    // It has begun with its checks: some seconds later, on a busy machine.
    stopped.wait_until_asked("/proxy/health/readiness");
    stopped.signal("TERM");
    let (status, log) = stopped.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    let tally = Tally::default();
    ask_all(haproxy.address, 1, &requests, &tally, |number| {
        number < requests.len()
    });
    assert_eq!(tally.wrong(), Vec::<String>::new());
}
