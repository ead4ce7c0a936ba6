//! The benchmark program: see `main.rs`.
pub(crate) mod cases;
pub(crate) mod clients;
pub(crate) mod disturbance;
pub(crate) mod evaluation;
pub(crate) mod footprint;
pub(crate) mod http2;
pub(crate) mod limits;
pub(crate) mod machine;
pub(crate) mod options;
pub(crate) mod overload;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod scrape;
pub(crate) mod telemetry;
pub(crate) mod tls;
