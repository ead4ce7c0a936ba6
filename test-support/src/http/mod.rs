//! A client that shows exactly what was sent and received.
//!
//! # Layout
//! - `wire.rs`: a socket, with or without TLS.
//! - `request.rs`: what is written. `response.rs`: what came. `connection.rs`: the blocking connection between them.
mod connection;
mod request;
mod response;
mod wire;

pub use connection::{Connection, Writer, ask, ask_until_answered, connect};
pub use request::Request;
pub use response::Response;
