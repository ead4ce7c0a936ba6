//! The admin port: what operators and their monitoring ask of a process. It is a server of its own, on a thread of its own, so
//! that nothing of it is on the public port and nothing that is asked here holds up a flag.
//!
//! # Layout
//! - `mod.rs`: the URL table and nothing else.
//! - `metrics`, `status`, `log_level`, `overview`: one file a resource, each with a `configure` that registers it.
//! - `context`: what the resources answer from.
//! - `admission`: who may ask. `body`: reading what a request carries.
//! - `server`: the HTTP server. Where it listens is `application::admin`'s.
mod admission;
mod body;
mod context;
mod explain;
mod log_level;
mod metrics;
mod overview;
mod server;
mod status;

use actix_web::web::ServiceConfig;

pub(crate) use context::{Access, AdminContext};
pub(crate) use server::{AdminServer, CONNECTIONS, serve};

/// A resource of the admin port.
struct Entry {
    /// Its path, without a trailing slash.
    path: &'static str,
    /// What it is for, in a line.
    about: &'static str,
    /// Registers it.
    configure: fn(&mut ServiceConfig),
}

/// Every resource.
const TABLE: &[Entry] = &[
    Entry {
        path: "/metrics",
        about: "the process in numbers, for Prometheus: in OpenMetrics where that is accepted",
        configure: metrics::configure,
    },
    Entry {
        path: "/status",
        about: "how the process and its environments fare: a page, or JSON where that is accepted; /status.json is always JSON",
        configure: status::configure,
    },
    Entry {
        path: "/explain",
        about: "why flags are what they are; POST {\"environment\": …, \"identifier\": …, \"traits\": {…}}, or the same as a query",
        configure: explain::configure,
    },
    Entry {
        path: "/log-level",
        about: "the level of the log; PUT {\"level\": \"DEBUG\"} changes it while the process runs",
        configure: log_level::configure,
    },
];

/// Registers every path.
fn configure(table: &mut ServiceConfig) {
    for entry in TABLE {
        (entry.configure)(table);
    }
    overview::configure(table);
}
