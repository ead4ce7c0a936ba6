//! Fetching documents from the Flagsmith API.
//!
//! # Layout
//! - [`Upstream`] (`fetch`): one environment document, its pages and redirects, under one timeout.
//! - [`UpstreamOptions`] (`options`): how Flagsmith is reached, for every call there is; `tls`: how TLS is set up.
//! - [`RootCertificates`] (`roots`): whom it trusts.
//! - `connect`: a connection to any of a name's addresses; [`Names`]: how names are looked up.
//! - `body`: a body decoded within its bounds; [`DocumentMemory`] (`memory`): what all documents together may take.
//! - `link`: `Link: …; rel="next"` and references relative to a page.
//! - [`FetchFailure`] (`failure`): what can go wrong, and what to do about it.
mod body;
mod connect;
mod failure;
mod fetch;
mod link;
mod memory;
mod options;
mod roots;
mod tls;

pub use connect::Names;
pub use failure::FetchFailure;
pub(crate) use fetch::MAX_DOCUMENT_BYTES;
pub use fetch::{FetchOutcome, Upstream};
pub use memory::{Claim, DOCUMENT_MEMORY_BYTES, DocumentMemory};
pub use options::UpstreamOptions;
pub use roots::RootCertificates;
