//! One POST to a place that is no Flagsmith API, such as a collector of traces.
use awc::ClientRequest;
use awc::http::header::{self, HeaderName, HeaderValue};
use awc::http::{Method, Uri};
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;

use super::fetch::asked_wait;
use super::{Fault, UpstreamClient};

/// What is made of an answer's body: an acknowledgement or a reason.
const MOST_BODY: usize = 64 * 1024;

/// What was answered.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Its status.
    pub status: u16,
    /// How long `Retry-After` asks to wait.
    pub retry_after: Option<std::time::Duration>,
    /// The beginning of its body, as it came.
    pub body: Bytes,
}

impl UpstreamClient {
    /// Sends a body with these fields to a URL of the client's origin, and waits for the answer. Follows no redirect, and sets
    /// no time. It may be sent again where a kept connection turns out to be closed.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn deliver(
        &self,
        url: &Uri,
        fields: &[(HeaderName, HeaderValue)],
        body: &Bytes,
    ) -> Result<Posted, Fault> {
        let complete = |request: ClientRequest| {
            fields.iter().fold(request, |request, (name, value)| {
                request.insert_header((name.clone(), value.clone()))
            })
        };
        let mut response = self.send((&Method::POST, url), &complete, body, true).await?;
        let retry_after = response
            .headers()
            .get(header::RETRY_AFTER)
            .and_then(|value| asked_wait(value, None));
        let mut beginning = BytesMut::new();
        while beginning.len() < MOST_BODY
            && let Some(piece) = response.next().await
        {
            beginning.extend_from_slice(&piece.map_err(|error| Fault::of_body(&error))?);
        }
        Ok(Posted {
            status: response.status().as_u16(),
            retry_after,
            body: beginning.freeze(),
        })
    }
}
