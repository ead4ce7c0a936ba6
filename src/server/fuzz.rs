//! What holds of whatever comes over a connection.
use super::connection;

/// The begin of a connection that a PROXY protocol header may begin.
pub(crate) fn proxy_header(data: &[u8]) {
    connection::fuzz::proxy_header(data);
}

/// Requests as they come.
pub(crate) fn requests(data: &[u8]) {
    connection::fuzz::requests(data);
}
