//! Fetching documents from the Flagsmith API.
//!
//! # Layout
//! - [`Upstream`] (`fetch`): one environment document, its pages and redirects, under one timeout.
//! - [`client`], `tls`: the awc client underneath, for any other calls to Flagsmith as well.
//! - `link`: `Link: …; rel="next"` and references relative to a page.
//! - [`FetchFailure`] (`failure`): what can go wrong, and what to do about it.
mod client;
mod failure;
mod fetch;
mod link;
mod tls;

pub use client::{USER_AGENT, client};
pub use failure::FetchFailure;
pub(crate) use fetch::MAX_DOCUMENT_BYTES;
pub use fetch::{FetchOutcome, Upstream};
