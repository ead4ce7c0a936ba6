use awc::ClientResponse;
use awc::error::PayloadError;
use awc::http::{StatusCode, Uri};
use bytes::Bytes;
use futures::Stream;

use super::body;

/// What nginx, Go's servers and Apache answer with 400 to a plain request on a port that expects TLS, in this order.
const PHRASES: [&[u8]; 3] = [
    b"sent to HTTPS port",
    b"an HTTP request to an HTTPS server",
    b"speaking plain HTTP to an SSL-enabled server port",
];

/// Whether this answer says that the port of `url`, which is http, expects https. Callers bound the time.
pub(crate) async fn expects_tls<S>(url: &Uri, response: &mut ClientResponse<S>) -> bool
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    if response.status() != StatusCode::BAD_REQUEST || url.scheme_str() != Some("http") {
        return false;
    }
    let page = body::beginning(response).await;
    PHRASES
        .iter()
        .any(|phrase| memchr::memmem::find(&page, phrase).is_some())
}
