use std::time::Duration;

use awc::http::Uri;
use awc::{Client, Connector};

use super::tls;

/// What upstream sees as `User-Agent`.
pub const USER_AGENT: &str = concat!("edge-proxy/", env!("CARGO_PKG_VERSION"));

/// How long a connection may idle before it is not used again: under the 75 s and 60 s that proxies before Flagsmith
/// close after, above the poll period of 10 s.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// A client for calls to `url`'s host. It belongs to the thread that makes it. It follows no redirect (awc's own
/// redirect layer would send `X-Environment-Key` along to any host) and sets no timeout but for connecting: callers
/// bound the whole call, body included.
///
/// # Errors
/// When TLS cannot be set up.
pub fn client(url: &Uri, connect_timeout: Duration) -> Result<Client, rustls::Error> {
    let mut connector = Connector::new()
        .timeout(connect_timeout)
        .handshake_timeout(connect_timeout)
        .conn_keep_alive(IDLE_CONNECTION)
        // Environments are fetched one at a time each: their number is the bound.
        .limit(0);
    if url.scheme_str() == Some("https") {
        connector = connector.rustls_0_23(tls::client_config()?);
    }
    Ok(Client::builder()
        .connector(connector)
        .disable_redirects()
        .disable_timeout()
        .add_default_header(("User-Agent", USER_AGENT))
        .finish())
}
