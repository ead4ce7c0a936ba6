//! Clients that do what none should: slowly, in masses, broken off, or nothing that means anything. Others are served
//! meanwhile as ever, and nothing of it is left behind.
//!
//! # Layout
//! - `scene`: a proxy, a good client beside the bad ones, and what is asked when they have gone.
//! - One file a kind of them.
mod bodies;
mod halves;
mod keys;
mod pipelines;
mod random;
mod resets;
mod scene;
mod slow;

use super::Row;

const GROUP: &str = "clients";

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, run| Row {
        group: GROUP,
        name,
        run,
    };
    vec![
        row("1,000 slow senders, 1,000 idle", slow::slow_and_idle),
        row("100,000 requests of random bytes", random::random_bytes),
        row("a body of 10 GB", bodies::ten_gigabytes),
        row("gzip that decodes to 1 GB", bodies::bombs),
        row("10,000 unknown keys a second", keys::unknown_keys),
        row("reset in the middle of an answer", resets::resets),
        row("half of a connection closed", halves::halves),
        row("pipelined floods", pipelines::floods),
        row("pipelined floods that nobody reads", pipelines::unread_floods),
    ]
}
