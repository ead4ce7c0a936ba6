//! What the tests and measurements of several crates share.
//!
//! It knows Flagsmith's formats and HTTP, and none of the crates that it helps to test.
//!
//! # Layout
//! - [`upstream`]: a Flagsmith that answers as a test says, over real sockets; a proxy before it, too.
//! - [`tls_front`]: TLS before either; [`certificates`]: of authorities that a test makes up.
//! - [`http`]: a blocking client that shows exactly what was sent and received; [`http2`]: the same frame by frame.
//! - [`pem`]: files of certificates and keys as accidents leave them.
//! - [`program`]: a program that a test starts, and that ends with it.
//! - [`reserved_port`]: a port that nobody else is given while nobody listens there.
//! - [`findings`]: what became of each fault that was caused, as a table.
//! - [`mutation`]: inputs with changes, for what is to hold of whatever comes.
//! - [`documents`]: environment documents, built from their parts or as a fixture.
//! - [`shared`]: where the recordings that lie beside the repository are, or why a test goes without them.
//! - [`tls`]: certificates that tests make, and clients that trust them.
//! - [`wait`]: waiting for what must happen, with an end.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

pub mod certificates;
pub mod documents;
pub mod findings;
pub mod http;
pub mod http2;
pub mod mutation;
pub mod pem;
pub mod program;
pub mod reserved_port;
pub mod shared;
pub mod tls;
pub mod tls_front;
pub mod upstream;
pub mod wait;
