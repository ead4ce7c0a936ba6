//! New configurations while clients ask and listen: nothing is lost of what stays.
//!
//! # Layout
//! - `scene`: the proxy and its file; `clients`: who must not notice.
//! - `load`: many reloads; `files`: files that cannot be used, or move; `environments`: what changes in them.
use super::Row;
use scene::{overwrite, replace};

mod clients;
mod environments;
mod files;
mod load;
mod scene;

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, run| Row {
        group: "reload",
        name,
        run,
    };
    vec![
        row("reloads under load", load::reloads_under_load),
        row("invalid files", files::invalid_files),
        row("a file that is there in part", files::half_written),
        row("a file that is gone", files::gone),
        row("Kubernetes' symlink swap", files::symlink_swap),
        row("an editor's rename", |findings| {
            environments::added_and_removed(findings, &replace)
        }),
        row("a file written in place", |findings| {
            environments::added_and_removed(findings, &overwrite)
        }),
        row(
            "the key in use is rejected, another one comes",
            environments::rotated_key,
        ),
        row("another upstream", environments::another_upstream),
    ]
}
