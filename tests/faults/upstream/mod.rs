//! What upstream does wrong, and that no client notices.
//!
//! # Layout
//! - [`Scene`]: an upstream that is well or not, the proxy on it, and clients that ask throughout.
//! - [`Outage`]: a fault that gives no document: from the very start, and once there is one. `claims`: what must hold.
//! - [`Oddity`]: a strange document or way to give it, which is served.
//! - The rows: `connections`, `names`, `statuses`, `heads`, `bodies`, `pages`, `documents`, `clocks`.
use super::Row;

mod bodies;
pub(crate) mod claims;
mod clocks;
mod connections;
mod documents;
mod heads;
mod names;
mod oddity;
mod outage;
mod pages;
pub(crate) mod scene;
mod statuses;

use oddity::Oddity;
use outage::Outage;

const GROUP: &str = "upstream";

pub(crate) fn rows() -> Vec<Row> {
    [
        connections::rows(),
        names::rows(),
        statuses::rows(),
        heads::rows(),
        bodies::rows(),
        pages::rows(),
        documents::rows(),
        clocks::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn row(name: &'static str, run: fn(&mut super::Findings) -> Result<(), String>) -> Row {
    Row {
        group: GROUP,
        name,
        run,
    }
}
