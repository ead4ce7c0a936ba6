use std::cell::Cell;
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use actix_rt::time::timeout;
use awc::error::PayloadError;
use awc::http::header::{self, HeaderMap, HeaderValue};
use awc::http::{StatusCode, Uri};
use awc::{ClientRequest, ClientResponse};
use bytes::Bytes;
use engine::UpdatedAt;
use futures::Stream;

use super::body::{self, Room};
use super::memory::{Claim, DocumentMemory};
use super::port::port;
use super::said::{self, Said};
use super::{
    AnswerHead, Fault, FetchFailure, Journal, Stage, Step, UpstreamClient, UpstreamOptions, confided, link,
    misdirected,
};
use crate::keys::EnvironmentKey;

/// Pages of one document; Flagsmith's own limit is not known, this one ends a circle of ever new links.
const MAX_PAGES: usize = 10_000;
/// Redirects of one request; a slash or a version in the path takes one or two.
pub(super) const MAX_REDIRECTS: usize = 5;
/// Bytes of one document, decompressed, all pages together. Documents of 50 MB happen; five times that still fits the
/// memory that such an installation has, and a decompression bomb ends here.
pub(crate) const MAX_DOCUMENT_BYTES: usize = 256 * 1024 * 1024;
/// The part of a fetch's time that connecting may take: what is left would be too short for an answer, and the failure can say
/// what was waited for.
pub(super) const CONNECTING: f64 = 0.8;

/// What a fetch gave.
#[derive(Debug)]
pub enum FetchOutcome {
    /// Upstream says that its document is not newer than what was asked for.
    NotModified {
        /// Upstream's clock.
        date: Option<SystemTime>,
    },
    /// All pages of a document, not yet looked into.
    Document {
        /// The first page and those that add identity overrides.
        pages: Vec<Bytes>,
        /// Upstream's clock, from the first page.
        date: Option<SystemTime>,
        /// The memory that the pages take.
        memory: Claim,
    },
    /// No document.
    Failure(FetchFailure),
}

/// Fetches environment documents. Belongs to the thread that makes it; a clone shares its connections.
#[derive(Clone)]
pub struct Upstream {
    client: UpstreamClient,
    document_url: Uri,
    timeout: Duration,
    memory: DocumentMemory,
    journal: Journal,
}

/// One good answer.
struct Page {
    bytes: Bytes,
    next: Option<Uri>,
    date: Option<SystemTime>,
}

/// What all answers of a fetch come to.
enum Pages {
    NotModified {
        date: Option<SystemTime>,
    },
    Document {
        pages: Vec<Bytes>,
        date: Option<SystemTime>,
    },
}

enum Answer {
    NotModified(Option<SystemTime>),
    Page(Page),
}

impl Upstream {
    /// For the API that `options` names; `timeout` bounds a whole fetch, bodies included.
    ///
    /// # Errors
    /// [`FetchFailure::Unusable`] where no request can ever be made.
    pub fn new(options: &UpstreamOptions, timeout: Duration) -> Result<Self, FetchFailure> {
        // With the slash: without it Flagsmith answers 301.
        let document_url: Uri = format!("{}/environment-document/", options.api_url)
            .parse()
            .map_err(|_| FetchFailure::Unusable)?;
        if document_url.host().is_none() || port(&document_url).is_none() {
            return Err(FetchFailure::Unusable);
        }
        Ok(Self {
            client: options.client(&document_url, timeout.mul_f64(CONNECTING)),
            document_url,
            timeout,
            memory: options.document_memory.clone(),
            journal: options.journal.clone(),
        })
    }

    /// The host that is asked, and its port.
    pub(crate) fn place(&self) -> Option<(&str, u16)> {
        Some((self.document_url.host()?, port(&self.document_url)?))
    }

    /// Fetches one environment's document: conditionally, if it is newer than `if_modified_since`, or whatever it is.
    pub async fn fetch(&self, key: &EnvironmentKey, if_modified_since: Option<UpdatedAt>) -> FetchOutcome {
        let mut memory = self.memory.claim();
        let stage = Cell::new(Stage::Head);
        let room = Room {
            bytes: MAX_DOCUMENT_BYTES,
            memory: &mut memory,
            stage: &stage,
        };
        let fetched = self.fetch_pages(key, if_modified_since, room);
        match timeout(self.timeout, fetched).await {
            Err(_) => FetchOutcome::Failure(FetchFailure::NoAnswer(Fault::Late(stage.get()))),
            Ok(Err(failure)) => FetchOutcome::Failure(failure),
            Ok(Ok(Pages::NotModified { date })) => FetchOutcome::NotModified { date },
            Ok(Ok(Pages::Document { pages, date })) => FetchOutcome::Document { pages, date, memory },
        }
    }

    async fn fetch_pages(
        &self,
        key: &EnvironmentKey,
        if_modified_since: Option<UpdatedAt>,
        mut room: Room<'_>,
    ) -> Result<Pages, FetchFailure> {
        let mut key = HeaderValue::try_from(key.reveal()).map_err(|_| FetchFailure::UnusableKey)?;
        key.set_sensitive(true);
        let first = match self
            .page(&self.document_url, &key, if_modified_since, &mut room)
            .await?
        {
            Answer::NotModified(date) => return Ok(Pages::NotModified { date }),
            Answer::Page(page) => page,
        };
        let (mut pages, mut next) = (vec![first.bytes], first.next);
        let mut seen = HashSet::from([self.document_url.to_string()]);
        while let Some(url) = next {
            // A repeated page ends the document.
            if !seen.insert(url.to_string()) {
                break;
            }
            if pages.len() >= MAX_PAGES {
                return Err(FetchFailure::TooManyPages);
            }
            let Answer::Page(page) = self.page(&url, &key, None, &mut room).await? else {
                return Err(FetchFailure::Status(StatusCode::NOT_MODIFIED.as_u16()));
            };
            pages.push(page.bytes);
            next = page.next;
        }
        Ok(Pages::Document {
            pages,
            date: first.date,
        })
    }

    /// One page, redirects within its origin followed.
    async fn page(
        &self,
        url: &Uri,
        key: &HeaderValue,
        if_modified_since: Option<UpdatedAt>,
        room: &mut Room<'_>,
    ) -> Result<Answer, FetchFailure> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            room.stage.set(Stage::Head);
            let mut response = self.send(&url, key, if_modified_since).await?;
            room.stage.set(Stage::Body);
            self.note(&url, &response, key);
            let date = http_date(response.headers(), &header::DATE);
            match response.status() {
                // 203: something between has changed it, which gateways say of a header that they added.
                StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                    let next = next_page(&url, response.headers())?;
                    let bytes = body::read(&mut response, room).await?;
                    return Ok(Answer::Page(Page { bytes, next, date }));
                }
                StatusCode::NOT_MODIFIED if if_modified_since.is_some() => {
                    return Ok(Answer::NotModified(date));
                }
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = redirect_target(&url, response.headers())?,
                status => {
                    return Err(match misdirected::fault(&url, &mut response).await {
                        Some(fault) => FetchFailure::NoAnswer(fault),
                        None => self.refusal(status, &mut response, key).await,
                    });
                }
            }
        }
        Err(FetchFailure::Redirect)
    }

    fn note<S>(&self, url: &Uri, response: &ClientResponse<S>, key: &HeaderValue) {
        self.journal.note(|| {
            let bare = said::bare(key.to_str().unwrap_or_default());
            let is_secret =
                |text: &str| self.client.is_secret_in(text) || confided::is_repeated_in(text, bare);
            let head = (response.status().as_u16(), response.headers());
            Step::Answer(AnswerHead::of(url, head, is_secret))
        });
    }

    /// What an answer of another status means.
    async fn refusal<S>(
        &self,
        status: StatusCode,
        response: &mut ClientResponse<S>,
        key: &HeaderValue,
    ) -> FetchFailure
    where
        S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                let sentence = match said::read(response, key).await {
                    Said::Nothing => return FetchFailure::KeyRejected(status.as_u16(), None),
                    Said::Withheld => None,
                    Said::Sentence(sentence) => Some(sentence),
                };
                let sentence = sentence.filter(|sentence| !self.client.is_secret_in(sentence));
                self.journal.note(|| Step::Refusal);
                FetchFailure::KeyRejected(status.as_u16(), sentence)
            }
            StatusCode::TOO_MANY_REQUESTS => {
                let date = http_date(response.headers(), &header::DATE);
                FetchFailure::RateLimited(retry_after(response.headers(), date))
            }
            status => FetchFailure::Status(status.as_u16()),
        }
    }

    async fn send(
        &self,
        url: &Uri,
        key: &HeaderValue,
        if_modified_since: Option<UpdatedAt>,
    ) -> Result<ClientResponse<impl Stream<Item = Result<Bytes, PayloadError>> + Unpin + use<>>, FetchFailure>
    {
        let complete = |request: ClientRequest| {
            let request = request
                .insert_header((header::ACCEPT, "application/json"))
                .insert_header((header::ACCEPT_ENCODING, "gzip"))
                .insert_header(("X-Environment-Key", key.clone()));
            match if_modified_since {
                Some(updated_at) => {
                    request.insert_header((header::IF_MODIFIED_SINCE, updated_at.to_http_date()))
                }
                None => request,
            }
        };
        let response = self.client.get(url, &complete).await;
        response.map_err(FetchFailure::NoAnswer)
    }
}

fn retry_after(headers: &HeaderMap, date: Option<SystemTime>) -> Option<Duration> {
    asked_wait(headers.get(header::RETRY_AFTER)?, date)
}

/// How long `Retry-After` asks to wait: seconds or a date (RFC 9110 10.2.3); a date counts from upstream's own clock, where it
/// says its time.
pub(crate) fn asked_wait(retry_after: &HeaderValue, date: Option<SystemTime>) -> Option<Duration> {
    let value = retry_after.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let until = httpdate::parse_http_date(value).ok()?;
            Some(
                until
                    .duration_since(date.unwrap_or_else(SystemTime::now))
                    .unwrap_or_default(),
            )
        }
    }
}

pub(super) fn redirect_target(url: &Uri, headers: &HeaderMap) -> Result<Uri, FetchFailure> {
    let location = headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let target = location
        .and_then(|location| link::resolve(url, location))
        .ok_or(FetchFailure::Redirect)?;
    if link::is_same_origin(url, &target) {
        Ok(target)
    } else {
        Err(FetchFailure::Redirect)
    }
}

/// The next page: of the same origin only, for the key goes with the request.
fn next_page(url: &Uri, headers: &HeaderMap) -> Result<Option<Uri>, FetchFailure> {
    let mut links = headers
        .get_all(header::LINK)
        .filter_map(|value| value.to_str().ok());
    let Some(target) = links.find_map(link::next_target) else {
        return Ok(None);
    };
    let target = link::resolve(url, target).ok_or(FetchFailure::PageElsewhere)?;
    if link::is_same_origin(url, &target) {
        Ok(Some(target))
    } else {
        Err(FetchFailure::PageElsewhere)
    }
}

fn http_date(headers: &HeaderMap, name: &header::HeaderName) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok()
}
