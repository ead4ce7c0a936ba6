//! Fetching documents from the Flagsmith API, and sending requests on to it.
//!
//! # Layout
//! - [`Upstream`] (`fetch`): one environment document, its pages and redirects, under one timeout.
//! - [`Forwarder`] (`forward`): one request that is sent on, with its answer; [`Standing`]: whether they get through.
//! - [`Posted`] (`post`), [`ByteStream`]: what is sent to a collector of traces, by HTTP/1.1 and for another protocol.
//! - [`UpstreamOptions`] (`options`): how Flagsmith is reached, for every call there is; [`ExtraHeaders`] (`extra_headers`): what
//!   each of them carries.
//! - `reconnect`: the message that it is reached in another way from now on.
//! - `client`: awc as it is used here, on connections of our own.
//! - `connect`: a connection to any of a name's addresses; [`Names`]: how names are looked up;
//!   [`ProxyAdmissions`]: whether proxies take their credentials.
//! - [`OutgoingProxies`] (`outgoing`): the proxies on the way.
//! - `tls`: how TLS is set up; [`TlsFiles`]: of which files; [`RootCertificates`] (`roots`): whom it trusts; [`malformed_pem`]:
//!   what is wrong with PEM.
//! - `body`: a body decoded within its bounds; [`DocumentMemory`] (`memory`): what all documents together may take.
//! - `link`: `Link: …; rel="next"` and references relative to a page; [`named_port`] (`port`): the port of a URL.
//! - [`FetchFailure`] (`failure`): what can go wrong, and what to do about it; [`Fault`] (`fault`): why no answer came, or none
//!   that can be read; `misdirected`: pages that say so; `said`: what upstream says of its refusal;
//!   `confided`: whether that repeats a secret.
//! - [`Journal`] (`journal`): what calls meet on their way, for those who look for a fault.
mod body;
mod client;
mod confided;
mod connect;
mod extra_headers;
mod failure;
mod fault;
mod fetch;
mod forward;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod journal;
mod link;
mod memory;
mod misdirected;
mod options;
mod outgoing;
mod port;
mod post;
mod reconnect;
mod roots;
mod said;
mod tls;

pub use client::UpstreamClient;
pub use connect::{ByteStream, Names, ProxyAdmissions};
pub use extra_headers::{ExtraHeaders, NotAHeader};
pub(crate) use failure::FailureKind;
pub use failure::FetchFailure;
use fault::PROXY_VARIABLES;
pub use fault::{Fault, ProxyFault, Stage};
pub use fetch::{FetchOutcome, Upstream};
pub(crate) use fetch::{MAX_DOCUMENT_BYTES, asked_wait};
pub use forward::{ForwardAnswer, ForwardFailure, ForwardRequest, Forwarder, News, Standing};
pub use journal::{AnswerHead, Content, Journal, Peer, Redirect, Step};
pub use memory::{Claim, DOCUMENT_MEMORY_BYTES, DocumentMemory};
pub(crate) use misdirected::fault as fault_of_page;
pub use options::UpstreamOptions;
pub use outgoing::{ExemptHosts, NotAProxy, OutgoingProxies, OutgoingProxy};
pub use port::{NoSuchPort, named_port};
pub use post::Posted;
pub(crate) use reconnect::Reconnect;
pub use roots::RootCertificates;
pub use tls::{ClientCertificateFiles, TlsFile, TlsFileProblem, TlsFiles, malformed_pem};
