//! A client that shows exactly what was sent and received.
//!
//! # Layout
//! - `request.rs`: what is written. `response.rs`: what came. `connection.rs`: the blocking connection between them.
mod connection;
mod request;
mod response;

pub use connection::{Connection, Writer, ask};
pub use request::Request;
pub use response::Response;
