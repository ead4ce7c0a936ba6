//! Requests that are sent on to Flagsmith's API: writes, whose answer is a caller's or counts as done.
use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use actix_rt::time::timeout;
use awc::error::PayloadError;
use awc::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use awc::http::{Method, StatusCode, Uri};
use awc::{ClientRequest, ClientResponse};
use bytes::Bytes;
use futures::Stream;
use tokio::time::{Instant, timeout_at};

use super::body::{self, Room};
use super::fetch::{CONNECTING, MAX_REDIRECTS, redirect_target};
use super::memory::DocumentMemory;
use super::port::port;
use super::{Fault, FetchFailure, Stage, UpstreamClient, UpstreamOptions};
use crate::keys::EnvironmentKey;

mod failure;
mod standing;

pub use failure::ForwardFailure;
pub use standing::{News, Standing};

/// Bytes of one answer, decoded. Core repeats in its answer what it was sent, of which 1 MiB is taken here, in words of its own.
const MAX_ANSWER_BYTES: usize = 2 * 1024 * 1024;

/// How long a body that nobody reads is waited for: it comes with its head, and a new connection costs less than this.
const DISCARDING: Duration = Duration::from_secs(1);

/// A request to send on. Its debug format holds nothing that a caller sent.
#[derive(Clone)]
pub struct ForwardRequest {
    /// The method.
    pub method: Method,
    /// The path below `api_url`, as `traits/`; `../` takes a segment off, as `../v2/analytics/flags/` for another version.
    pub path: &'static str,
    /// The environment key to send it with.
    pub key: EnvironmentKey,
    /// Further fields: `Content-Type`, and what the API makes use of.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body, as it is.
    pub body: Bytes,
    /// Whether it does no harm to send it twice, as it does with what adds to a number. What is not repeatable costs a
    /// connection of its own.
    pub is_repeatable: bool,
}

/// What upstream answered.
#[derive(Clone)]
pub struct ForwardAnswer {
    /// Its status, which is no redirect.
    pub status: StatusCode,
    /// Its `Content-Type`.
    pub content_type: Option<HeaderValue>,
    /// Its `Retry-After`.
    pub retry_after: Option<HeaderValue>,
    /// The whole body, decoded.
    pub body: Bytes,
}

/// Sends requests on. Belongs to the thread that makes it; a clone shares its connections. How many are under way is the
/// caller's to bound.
#[derive(Clone)]
pub struct Forwarder {
    api_url: Uri,
    /// For what may be sent twice.
    kept: UpstreamClient,
    /// Keeps no connection: for what must not be.
    fresh: UpstreamClient,
    timeout: Duration,
}

impl Forwarder {
    /// For the API that `options` names; `timeout` bounds a whole call, from connecting to the answer's last byte.
    ///
    /// # Errors
    /// [`ForwardFailure::Unusable`] where no request can ever be made.
    pub fn new(options: &UpstreamOptions, timeout: Duration) -> Result<Self, ForwardFailure> {
        let api_url: Uri = options.api_url.parse().map_err(|_| ForwardFailure::Unusable)?;
        if api_url.host().is_none() || port(&api_url).is_none() {
            return Err(ForwardFailure::Unusable);
        }
        let client = || options.client(&api_url, timeout.mul_f64(CONNECTING));
        Ok(Self {
            kept: client(),
            fresh: client(),
            api_url,
            timeout,
        })
    }

    /// Sends a request and reads its answer. Redirects within the origin are followed with the same method: what redirects has
    /// done nothing yet, save for 303.
    ///
    /// # Errors
    /// Why there is no answer; [`ForwardFailure::may_be_done`] tells whether upstream may have done what was asked.
    pub async fn forward(&self, request: &ForwardRequest) -> Result<ForwardAnswer, ForwardFailure> {
        let stage = Cell::new(Stage::Head);
        let answer = async {
            let mut response = self.head(request, &stage).await?;
            // A budget of its own that never ends: the bytes of one answer are bounded, and so are the calls.
            let mut memory = DocumentMemory::new(usize::MAX).claim();
            let mut room = Room {
                bytes: MAX_ANSWER_BYTES,
                memory: &mut memory,
                stage: &stage,
            };
            let body = body::read(&mut response, &mut room).await.map_err(of_body)?;
            Ok(answer(response.status(), response.headers(), body))
        };
        match timeout(self.timeout, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(ForwardFailure::NoAnswer(Fault::Late(stage.get()))),
        }
    }

    /// Sends a request of which only the status counts, as [`forward`](Self::forward) does. Its head is the answer: upstream
    /// has done what was asked, or refused it, whatever becomes of the body. That is thrown away, for so long as it is worth
    /// the connection, and the one given back is empty.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), but none of the body.
    pub async fn status(&self, request: &ForwardRequest) -> Result<ForwardAnswer, ForwardFailure> {
        let (stage, until) = (Cell::new(Stage::Head), Instant::now() + self.timeout);
        let mut response = match timeout_at(until, self.head(request, &stage)).await {
            Ok(response) => response?,
            Err(_) => return Err(ForwardFailure::NoAnswer(Fault::Late(stage.get()))),
        };
        let thrown_away = body::discard(&mut response, MAX_ANSWER_BYTES);
        // Dropped before its end, it takes its connection along.
        let _ = timeout_at(until.min(Instant::now() + DISCARDING), thrown_away).await;
        Ok(answer(response.status(), response.headers(), Bytes::new()))
    }

    /// The head of an answer, whose body is still to come.
    async fn head(
        &self,
        request: &ForwardRequest,
        stage: &Cell<Stage>,
    ) -> Result<ClientResponse<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<>>, ForwardFailure>
    {
        let mut key = HeaderValue::try_from(request.key.reveal()).map_err(|_| ForwardFailure::UnusableKey)?;
        key.set_sensitive(true);
        let complete = |outgoing: ClientRequest| complete(outgoing, request, &key);
        let client = if request.is_repeatable {
            &self.kept
        } else {
            &self.fresh
        };
        let mut url = below(&self.api_url, request.path).ok_or(ForwardFailure::Unusable)?;
        for _ in 0..=MAX_REDIRECTS {
            stage.set(Stage::Head);
            let sent = client.send(
                (&request.method, &url),
                &complete,
                &request.body,
                request.is_repeatable,
            );
            let response = sent.await.map_err(ForwardFailure::NoAnswer)?;
            stage.set(Stage::Body);
            match response.status() {
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => {
                    url = redirect_target(&url, response.headers()).map_err(|_| ForwardFailure::Redirect)?;
                }
                // The next place has the answer to another question.
                StatusCode::SEE_OTHER => return Err(ForwardFailure::Redirect),
                status if status.is_informational() => {
                    return Err(ForwardFailure::NoAnswer(Fault::NotHttp));
                }
                _ => return Ok(response),
            }
        }
        Err(ForwardFailure::Redirect)
    }
}

fn complete(outgoing: ClientRequest, request: &ForwardRequest, key: &HeaderValue) -> ClientRequest {
    let mut outgoing = outgoing
        .insert_header((header::ACCEPT, "application/json"))
        .insert_header((header::ACCEPT_ENCODING, "gzip"));
    for (name, value) in &request.headers {
        outgoing = outgoing.insert_header((name.clone(), value.clone()));
    }
    let outgoing = outgoing.insert_header(("X-Environment-Key", key.clone()));
    if request.is_repeatable {
        outgoing
    } else {
        outgoing.force_close()
    }
}

fn answer(status: StatusCode, headers: &HeaderMap, body: Bytes) -> ForwardAnswer {
    ForwardAnswer {
        status,
        content_type: headers.get(header::CONTENT_TYPE).cloned(),
        retry_after: headers.get(header::RETRY_AFTER).cloned(),
        body,
    }
}

/// The URL of a path below `api_url`, which has no slash at its end.
fn below(api_url: &Uri, path: &str) -> Option<Uri> {
    let (mut base, mut path) = (api_url.path().trim_end_matches('/'), path);
    while let Some(rest) = path.strip_prefix("../") {
        (base, path) = (base.rsplit_once('/')?.0, rest);
    }
    let (scheme, authority) = (api_url.scheme_str()?, api_url.authority()?);
    format!("{scheme}://{authority}{base}/{path}").parse().ok()
}

fn of_body(failure: FetchFailure) -> ForwardFailure {
    match failure {
        FetchFailure::NoAnswer(fault) => ForwardFailure::NoAnswer(fault),
        FetchFailure::UnknownCoding => ForwardFailure::NoAnswer(Fault::ContentCoding),
        _ => ForwardFailure::TooLarge,
    }
}

impl fmt::Debug for ForwardRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ForwardAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwardAnswer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_below_the_api_or_beside_it() {
        for (api_url, path, url) in [
            ("https://host/api/v1", "traits/", "https://host/api/v1/traits/"),
            ("http://host:81/api/v1/", "a/b/", "http://host:81/api/v1/a/b/"),
            ("http://host", "traits/", "http://host/traits/"),
            ("http://host/x/api/v1", "../v2/a/", "http://host/x/api/v2/a/"),
            ("http://user@host/api/v1", "../../a", "http://user@host/a"),
        ] {
            let api_url: Uri = api_url.parse().unwrap();
            assert_eq!(below(&api_url, path).unwrap(), url, "{api_url} {path}");
        }
        assert_eq!(below(&"http://host".parse().unwrap(), "../v2/a/"), None);
    }

    #[test]
    fn nothing_that_was_sent_is_shown() {
        let request = ForwardRequest {
            method: Method::POST,
            path: "traits/",
            key: EnvironmentKey::new("ser.secret"),
            headers: vec![(header::USER_AGENT, HeaderValue::from_static("secret"))],
            body: Bytes::from_static(b"secret"),
            is_repeatable: true,
        };
        let answer = answer(StatusCode::OK, &HeaderMap::new(), Bytes::from_static(b"secret"));
        let shown = format!("{request:?} {answer:?}");
        assert!(shown.contains("traits/") && !shown.contains("secret"), "{shown}");
    }
}
