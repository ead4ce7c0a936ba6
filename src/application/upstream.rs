//! How Flagsmith is reached, as the settings say.
use actors::upstream::{DocumentMemory, UpstreamOptions};

use crate::settings::{Settings, UpstreamSettings};

/// For every part that calls it: documents, what is sent on, and the event streams.
pub(crate) fn options(settings: &Settings, document_memory: &DocumentMemory) -> UpstreamOptions {
    let files = settings.upstream.tls_files(settings.process.roots.clone());
    let mut upstream = UpstreamOptions::new(settings.api_url.clone()).with_tls_files(files);
    upstream.document_memory = document_memory.clone();
    upstream.proxies = settings.process.outgoing.clone();
    upstream.headers = settings.upstream.headers.clone();
    upstream
}

/// Tells of a proxy on the way, which variables of a shell may have brought in unnoticed.
pub(super) fn tell_of_proxy(upstream: &UpstreamOptions) {
    if let Some(proxy) = upstream.proxy() {
        log::info!("{} is reached through the proxy {proxy}", upstream.api_url);
    }
}

/// Whether upstream is reached in the same way by both.
pub(super) fn is_reached_alike(before: &Settings, now: &Settings) -> bool {
    way_to(before) == way_to(now)
}

/// All that says how upstream is reached: every option of `upstream` but the memory of documents. The variables of a process
/// never change.
fn way_to(settings: &Settings) -> impl PartialEq {
    let UpstreamSettings {
        document_memory: _,
        ca_file,
        client_certificate,
        headers,
    } = &settings.upstream;
    (&settings.api_url, ca_file, client_certificate, headers)
}
