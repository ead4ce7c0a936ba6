use awc::ClientResponse;
use awc::error::PayloadError;
use awc::http::{StatusCode, Uri};
use bytes::Bytes;
use futures::Stream;

use super::{Fault, body};

/// What nginx, Go's servers and Apache answer with 400 to a plain request on a port that expects TLS, in this order.
const EXPECT_TLS: [&[u8]; 3] = [
    b"sent to HTTPS port",
    b"an HTTP request to an HTTPS server",
    b"speaking plain HTTP to an SSL-enabled server port",
];

/// What nginx answers with 400 to a client that shows no certificate where one is wanted: its handshake takes all.
const WANTS_CERTIFICATE: &[u8] = b"No required SSL certificate was sent";
/// The same, to one that shows a certificate which nginx does not take.
const REFUSES_CERTIFICATE: &[u8] = b"The SSL certificate error";

/// What a page of 400 says is wrong with the way in which `url` was asked, and not with the request; `None`: nothing. Callers
/// bound the time.
pub(crate) async fn fault<S>(url: &Uri, response: &mut ClientResponse<S>) -> Option<Fault>
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    if response.status() != StatusCode::BAD_REQUEST {
        return None;
    }
    let page = body::beginning(response).await;
    let says = |phrase: &[u8]| memchr::memmem::find(&page, phrase).is_some();
    match url.scheme_str() {
        Some("http") if EXPECT_TLS.into_iter().any(says) => Some(Fault::HttpSpokenToTls),
        Some("https") if says(WANTS_CERTIFICATE) => Some(Fault::ClientCertificateRequired),
        Some("https") if says(REFUSES_CERTIFICATE) => {
            Some(Fault::ClientCertificateRefused("400 of nginx".to_owned()))
        }
        _ => None,
    }
}
