//! The proxy over real sockets: one file a capability.
mod bodies;
mod compression;
mod conditional;
mod cors;
mod environments;
mod harness;
mod health;
mod methods;
mod process;
mod routes;
mod sockets;
mod traits;
