//! Starting the proxy in a test, and talking to it byte by byte.
mod app;
mod client;
mod document;
mod process;
mod stream;
mod upstream;

pub use app::{App, CLIENT_KEY, Options, SERVER_KEY, merge, spawn_app, wait};
pub use client::{Connection, Request, Response};
pub use document::{document, with_many_features};
pub use process::{Proxy, ProxyOptions, command};
pub use stream::{EVENT_STREAM, EventStream, event};
pub use upstream::FakeUpstream;
