//! Server-sent events through programs that would rather hold back what they carry.
use std::net::SocketAddr;

use serde_json::json;

use crate::harness::{Edge, Events, Flagsmith, ONE, TempFolder, Version, installed};
use crate::{haproxy, nginx};

/// Each event must come through before the next one is caused. The streams have no end, so a buffer holds them for ever.
fn assert_events_come_at_once(flagsmith: &Flagsmith, edge: &Edge, front: SocketAddr, from: u32) {
    let mut events = Events::of(front, ONE);
    for version in (from..from + 3).map(Version) {
        flagsmith.change(ONE, version);
        edge.push(ONE, version);
        events.until_told(version);
    }
}

#[test]
fn events_come_through_nginx_which_buffers_by_default() {
    let Some(program) = installed("nginx", "nginx") else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for (number, lines) in (0..).zip(nginx::ALL_LINES) {
        let folder = TempFolder::new();
        let front = nginx::start(&program, &folder, edge.address, lines);
        assert_events_come_at_once(&flagsmith, &edge, front.address, 1 + 10 * number);
    }
}

#[test]
fn events_come_through_haproxy() {
    let Some(program) = installed("haproxy", "haproxy") else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let folder = TempFolder::new();
    let instances = [edge.address; 2];
    let front = haproxy::start(&program, &folder, haproxy::READINESS, instances);
    assert_events_come_at_once(&flagsmith, &edge, front.address, 1);
}
