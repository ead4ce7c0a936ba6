//! One environment's stream.
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use awc::error::PayloadError;
use awc::http::header::{self, HeaderMap};
use awc::http::{StatusCode, Uri};
use awc::{ClientRequest, ClientResponse};
use bytes::Bytes;
use engine::UpdatedAt;
use futures::{Stream, StreamExt as _};

use super::backoff::Backoff;
use super::parser::EventParser;
use super::{Refresh, UpstreamStreamOptions};
use crate::keys::EnvironmentId;
use crate::upstream::{Fault, UpstreamClient, fault_of_page};

/// The stream of one environment, over all its connections.
pub(super) struct EnvironmentStream {
    pub(super) options: Rc<UpstreamStreamOptions>,
    pub(super) client: UpstreamClient,
    pub(super) refresh: Refresh,
    pub(super) url: Uri,
    pub(super) id: EnvironmentId,
    /// The newest time announced: upstream repeats it at every reconnect, which is no news.
    pub(super) announced: Option<UpdatedAt>,
    /// Whether the last connection was good; a change of it is logged once.
    pub(super) is_up: bool,
}

/// Why a connection ended.
#[derive(Debug)]
pub(super) enum Ended {
    /// By upstream, in order: it does so every 30 s.
    Cleanly,
    NoAnswer(Fault),
    Refused(StatusCode),
    NoEventStream,
    /// In a content coding, though none was asked for.
    Encoded,
    Silent(Duration),
    Cut(Fault),
}

impl Ended {
    /// Whether it was an event stream before it ended.
    fn was_open(&self) -> bool {
        matches!(self, Self::Cleanly | Self::Silent(_) | Self::Cut(_))
    }
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cleanly => f.write_str("it ends as soon as it begins"),
            Self::NoAnswer(fault) => write!(f, "no answer: {fault}"),
            Self::Refused(status) => write!(f, "it answers {status}"),
            Self::NoEventStream => f.write_str("the answer is no event stream"),
            Self::Encoded => f.write_str("the answer comes in a content coding that was not asked for"),
            Self::Silent(silence) => write!(f, "silent for {} s", silence.as_secs()),
            Self::Cut(fault) => write!(f, "cut: {fault}"),
        }
    }
}

impl EnvironmentStream {
    pub(super) async fn listen(mut self) {
        let mut backoff = Backoff::new(self.options.shortest_wait, self.options.longest_wait);
        loop {
            let started = Instant::now();
            let ended = self.follow().await;
            // A wait for a head that never came is no life, however long it was.
            let was_good = ended.was_open() && started.elapsed() >= self.options.settled_after;
            if was_good {
                backoff.reset();
            }
            self.log_once(&ended, was_good);
            actix_rt::time::sleep(backoff.wait()).await;
        }
    }

    /// One connection, until it ends.
    pub(super) async fn follow(&mut self) -> Ended {
        let opened = open(&self.client, &self.url, self.options.head_timeout).await;
        let mut response = match opened {
            Ok(response) => response,
            Err(ended) => return ended,
        };
        let mut parser = EventParser::default();
        loop {
            match actix_rt::time::timeout(self.options.silence, response.next()).await {
                Err(_) => return Ended::Silent(self.options.silence),
                Ok(None) => return Ended::Cleanly,
                Ok(Some(Err(error))) => return Ended::Cut(Fault::of_body(&error)),
                Ok(Some(Ok(bytes))) => {
                    if let Some(announcement) = parser.feed(&bytes) {
                        self.announce(announcement.0);
                    }
                }
            }
        }
    }

    fn announce(&mut self, updated_at: Option<UpdatedAt>) {
        if updated_at.is_none() || updated_at != self.announced {
            self.announced = updated_at.or(self.announced);
            (self.refresh)(self.id, updated_at);
        }
    }

    fn log_once(&mut self, ended: &Ended, is_up: bool) {
        if self.is_up && !is_up {
            log::warn!(
                "environment {}: the upstream event stream fails ({ended}); changes are found by polling meanwhile. \
                 Check realtime.upstream_url",
                self.id
            );
        } else if !self.is_up && is_up {
            log::info!("environment {}: the upstream event stream works again", self.id);
        }
        self.is_up = is_up;
    }
}

/// Opens a stream: until the head of its answer says that it is one. That head may take `head_timeout`.
pub(super) async fn open(
    client: &UpstreamClient,
    url: &Uri,
    head_timeout: Duration,
) -> Result<ClientResponse<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<>>, Ended> {
    let complete = |request: ClientRequest| {
        request
            .timeout(head_timeout)
            .insert_header((header::ACCEPT, "text/event-stream"))
            .insert_header((header::ACCEPT_ENCODING, "identity"))
            .insert_header((header::CACHE_CONTROL, "no-cache"))
    };
    let mut response = client.get(url, &complete).await.map_err(Ended::NoAnswer)?;
    if !matches!(
        response.status(),
        StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION
    ) {
        let page = fault_of_page(url, &mut response);
        return Err(match actix_rt::time::timeout(head_timeout, page).await {
            Ok(Some(fault)) => Ended::NoAnswer(fault),
            _ => Ended::Refused(response.status()),
        });
    }
    if !is_event_stream(response.headers()) {
        return Err(Ended::NoEventStream);
    }
    if is_encoded(response.headers()) {
        return Err(Ended::Encoded);
    }
    Ok(response)
}

/// The media type, in any case (RFC 9110, 8.3.1), with whatever parameters.
fn is_event_stream(headers: &HeaderMap) -> bool {
    const MEDIA_TYPE: &[u8] = b"text/event-stream";
    let value = headers.get(header::CONTENT_TYPE);
    let beginning = value.and_then(|value| value.as_bytes().get(..MEDIA_TYPE.len()));
    beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(MEDIA_TYPE))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|coding| {
        let coding = coding.as_bytes().trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    })
}
