//! Starting the proxy in a test, and subscribing to it. The client is that of `test_support`.
mod app;
mod process;
mod stream;

pub use app::{App, CLIENT_KEY, Options, SERVER_KEY, merge, spawn_app};
pub use process::{Proxy, ProxyOptions, command};
pub use stream::{EVENT_STREAM, EventStream, event};
pub use test_support::documents::{fixture, with_many_features};
pub use test_support::http::{Connection, Request, Response};
pub use test_support::wait::wait;
