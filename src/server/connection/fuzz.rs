//! What holds of whatever comes over a connection, before anything is made of it.
pub(in crate::server) use super::gate::fuzz::requests;
pub(in crate::server) use super::preface::fuzz as proxy_header;
