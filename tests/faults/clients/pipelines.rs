//! Requests in masses behind one another, read late or never.
use std::io::Write as _;
use std::time::Duration;

use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::findings::{Findings, grouped};
use test_support::http::Connection;

use super::scene::{BadClient, Scene, flags, identity, share_out};
use crate::harness::volume;

/// What each connection may take of the proxy while nobody reads, in KiB: 64 unsent, and its buffers.
const EACH_KIB: u64 = 128;

pub(super) fn floods(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let requests = volume(400, 10_000);
    let answered = share_out(8, |_, _| {
        let mut connection = Connection::open(scene.address());
        let mut writer = connection.duplicate();
        let (flags, identity) = (flags().bytes(), identity().bytes());
        let both = [flags, identity].concat();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                for _ in 0..requests / 2 {
                    writer.try_write(&both).expect("they are read in the end");
                }
            });
            for number in 0..requests {
                let answer = connection.read(false);
                let is_identity = answer.body.starts_with(b"{\"identifier\"");
                if answer.status != 200 || is_identity != (number % 2 == 1) {
                    return Err(format!("answer {number} is {} {}", answer.status, answer.text()));
                }
            }
            Ok(requests)
        })
    });
    let answered: u64 = answered.into_iter().sum::<Result<u64, String>>()?;
    findings.tried(answered);
    findings.clients(format!(
        "{} pipelined requests answered in their order",
        grouped(answered)
    ));
    scene.end(good, findings)
}

pub(super) fn unread_floods(findings: &mut Findings) -> Result<(), String> {
    let scene = Scene::start(FIXTURE, json!({}));
    let good = scene.good_client();
    let clients = volume(50, 500);
    let requests = flags().bytes().repeat(2_000);
    let before = scene.proxy.resident_kib();
    let flooding = share_out(clients, |_, clients| {
        let flood = (0..clients).map(|_| {
            let mut client = BadClient::connect(scene.address()).expect("a connection");
            client
                .0
                .set_write_timeout(Some(Duration::from_millis(20)))
                .expect("a socket");
            // As much as is taken: the proxy stops to read before the kernel has all of it, or it does not.
            let mut rest = &requests[..];
            while let Ok(written) = client.0.write(rest)
                && written > 0
            {
                rest = &rest[written..];
            }
            client
        });
        flood.collect::<Vec<_>>()
    });
    let grown = scene.proxy.resident_kib().saturating_sub(before);
    let held = flooding.iter().map(Vec::len).sum::<usize>() as u64;
    findings.tried(held);
    findings.clients(format!(
        "{} KiB for each of {held} that do not read",
        grown / held
    ));
    if grown > held * EACH_KIB + 24 * 1024 {
        return Err(format!("{grown} KiB for {held} clients that do not read"));
    }
    drop(flooding);
    scene.end(good, findings)
}
