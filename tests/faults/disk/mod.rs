//! Disk: what is stored survives, whatever becomes of the process and of the files, and a disk that refuses costs no request.
//!
//! # Layout
//! - `environments`: two of them, with documents by version. `scene`: a store, an upstream, and processes on them.
//! - `kills`: `kill -9` at random moments. `restarts`: restarts without upstream. `counts`: evaluation
//!   counts that are unsent.
//! - `files`: torn files, foreign ones, and those of other versions. `refusals`: disks that take nothing, and a second process.
use super::Row;

mod counts;
mod environments;
mod files;
mod kills;
mod refusals;
mod restarts;
mod scene;

const GROUP: &str = "disk";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            group: GROUP,
            name: "restart without upstream",
            run: restarts::without_upstream,
        },
        Row {
            group: GROUP,
            name: "kill -9 during writes",
            run: kills::during_writes,
        },
        Row {
            group: GROUP,
            name: "kill -9 with unsent counts",
            run: counts::over_a_kill,
        },
        Row {
            group: GROUP,
            name: "torn and changed files",
            run: files::torn,
        },
        Row {
            group: GROUP,
            name: "foreign files",
            run: files::foreign,
        },
        Row {
            group: GROUP,
            name: "a store of another version",
            run: files::of_another_version,
        },
        Row {
            group: GROUP,
            name: "full disk",
            run: refusals::full,
        },
        Row {
            group: GROUP,
            name: "read-only directory",
            run: refusals::read_only,
        },
        Row {
            group: GROUP,
            name: "two processes on one directory",
            run: refusals::two_processes,
        },
    ]
}
