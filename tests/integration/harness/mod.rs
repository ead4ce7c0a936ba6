//! Starting the proxy in a test, and subscribing to it. The client is that of `test_support`.
mod app;
mod process;
mod stream;

pub(crate) use app::{App, CLIENT_KEY, Options, SERVER_KEY, merge, spawn_app};
pub(crate) use process::{Proxy, ProxyOptions, command};
pub(crate) use stream::{EVENT_STREAM, EventStream, event};
pub(crate) use test_support::documents::{
    HEAVY_IDENTIFIER, fixture, heavy_identity, with_heavy_segment, with_many_features,
};
pub(crate) use test_support::http::{Connection, Request, Response};
pub(crate) use test_support::wait::wait;
