//! The proxy over real sockets: one file a capability.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod admin;
mod analytics;
mod bare_server;
mod bodies;
mod caching;
mod command_line;
mod compression;
mod conditional;
mod contract;
mod cors;
mod doctor;
mod door;
mod encoded_bodies;
mod environments;
mod explain;
mod families;
mod guides;
mod harness;
mod heads;
mod health;
mod health_check;
mod http2;
mod log_reader;
mod manifests;
mod methods;
mod network;
mod overload;
mod ownership;
mod paths;
mod places;
mod process;
mod proxy_protocol;
mod realtime;
mod recorded_answers;
mod refusals;
mod reload;
mod routes;
mod sdk_wire;
mod secrets;
mod seeds;
mod shortage;
mod signals;
mod sockets;
mod start;
mod stop;
mod stop_of_the_process;
mod taken_port;
mod telemetry;
mod tls;
mod trait_writes;
mod traits;
mod upstream;
mod write_through;
