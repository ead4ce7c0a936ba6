//! Connections that are not made, or that end or hang before an answer.
use std::path::Path;
use std::time::Duration;

use test_support::reserved_port::listen_again;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::outage::Obstacle;
use super::{Outage, row};
use crate::Row;
use crate::harness::environments::json_answer;

const NO_HEAD: &str = "the connection is made, and no answer begins in time";
const NO_END: &str = "the answer begins, and does not end in time";
const REFUSED: &str = "the connection is refused";
const CLOSED: &str = "the connection ends without an answer";
const CUT: &str = "the answer breaks off";

pub(super) fn rows() -> Vec<Row> {
    vec![
        row("refused", |findings| {
            let refused = Outage::on_the_way(is_down, &[REFUSED]);
            refused.run(findings)
        }),
        row("hang before the head", |findings| {
            Outage::answering(|_, _| Answer::hang(), &[NO_HEAD])
                .hanging()
                .run(findings)
        }),
        row("connections taken, and never read from", |findings| {
            // What it had taken is reset when it goes.
            let says = &[NO_HEAD, CLOSED, REFUSED];
            Outage::on_the_way(is_deaf, says)
                .hanging()
                .in_ways(3)
                .run(findings)
        }),
        row("hang inside the body", |findings| {
            Outage::answering(|_, _| json_answer("[1, 2, 3, 4]").stalling(), &[NO_END])
                .hanging()
                .run(findings)
        }),
        row("a byte a second", |findings| {
            let dripping = |_: &_, _| json_answer("[1, 2, 3, 4]").dripping(Duration::from_secs(1));
            Outage::answering(dripping, &[NO_END]).hanging().run(findings)
        }),
        row("reset in place of an answer", |findings| {
            Outage::answering(|_, _| Answer::reset(), &[CLOSED]).run(findings)
        }),
        row("reset inside the body", |findings| {
            Outage::answering(|_, _| json_answer("[1, 2, 3, 4]").resetting(), &[CUT]).run(findings)
        }),
        row("closed in place of an answer", |findings| {
            Outage::answering(|_, _| Answer::raw("").closing(), &[CLOSED]).run(findings)
        }),
        row("closed inside the head", |findings| {
            let half = |_: &_, _| Answer::raw("HTTP/1.1 200 OK\r\nContent-Le").closing();
            Outage::answering(half, &[CUT, CLOSED]).run(findings)
        }),
        row("closed inside the body", |findings| {
            Outage::answering(|_, _| json_answer("[1, 2, 3, 4]").truncated(), &[CUT]).run(findings)
        }),
    ]
}

fn is_down(upstream: &ScriptedUpstream, _: &Path) -> Obstacle {
    upstream.go_down();
    Box::new(())
}

/// The system completes connections, and nobody takes them.
fn is_deaf(upstream: &ScriptedUpstream, _: &Path) -> Obstacle {
    upstream.go_down();
    Box::new(listen_again(upstream.address()))
}
