//! What the tests stand on.
//!
//! # Layout
//! - `flagsmith`: the upstream. `edge`: the proxy itself. `driver`: a program that drives an SDK.
//! - `browser`: Chromium, and the demonstration's page.
//! - `document`: an environment with a feature for each operator. `identities`: many, with traits that decide differently.
mod browser;
mod document;
mod driver;
mod edge;
mod flagsmith;
mod identities;

pub(crate) use browser::{Browser, Demonstration};
pub(crate) use document::{document, operators};
pub(crate) use driver::{Driver, Sdk};
pub(crate) use edge::Edge;
pub(crate) use flagsmith::{CLIENT_SIDE_KEY, Flagsmith, SERVER_SIDE_KEY};
pub(crate) use identities::identities;
