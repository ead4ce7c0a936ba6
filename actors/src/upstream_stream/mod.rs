//! Listens to Flagsmith's realtime service, one stream per environment, as an SDK does. Each event triggers the same
//! fetch, serve, tell as a push; polling goes on underneath as the safety net.
//!
//! # Layout
//! - `parser`: from bytes to announcements.
//! - `backoff`: how long to wait before the next connection.
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use awc::http::{StatusCode, header};
use engine::UpdatedAt;
use futures::StreamExt as _;

mod backoff;
mod parser;

use backoff::Backoff;
use parser::EventParser;

use crate::keys::{EnvironmentIndex, EnvironmentKey};
use crate::lifeline::{Lifeline, Lifelines};
use crate::upstream;

/// How long connecting may take, a part of what the head of an answer may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Where and how to listen. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone)]
pub struct UpstreamStreamOptions {
    /// `realtime.upstream_url` without a trailing slash.
    pub url: String,
    /// How long the head of an answer may take, connecting included.
    pub head_timeout: Duration,
    /// The watchdog: a stream that is silent for so long is given up. Flagsmith's service sends something every 15 s.
    pub silence: Duration,
    /// A connection that lived so long was a good one: the next follows without a growing wait.
    pub settled_after: Duration,
    /// Bound of the first wait after a connection ended.
    pub shortest_wait: Duration,
    /// Bound of the waits while connections fail.
    pub longest_wait: Duration,
}

impl UpstreamStreamOptions {
    /// The usual durations for this `realtime.upstream_url`.
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            head_timeout: Duration::from_secs(10),
            silence: Duration::from_secs(45),
            settled_after: Duration::from_secs(5),
            shortest_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// Told of each announcement: fetch this environment now, until it is as new as announced.
type Refresh = Rc<dyn Fn(EnvironmentIndex, Option<UpdatedAt>)>;

/// Holds the streams of all environments.
pub struct UpstreamStreams {
    options: Rc<UpstreamStreamOptions>,
    environments: Vec<(EnvironmentIndex, EnvironmentKey)>,
    refresh: Refresh,
    _lifeline: Lifeline,
}

impl UpstreamStreams {
    /// Starts listening on an arbiter of its own. Needs a running actix `System`.
    pub fn start_on_arbiter(
        options: UpstreamStreamOptions,
        environments: Vec<(EnvironmentIndex, EnvironmentKey)>,
        lifelines: &Lifelines,
        refresh: impl Fn(EnvironmentIndex, Option<UpdatedAt>) + Send + 'static,
    ) -> Addr<Self> {
        let lifeline = lifelines.guard("UpstreamStreams");
        Self::start_in_arbiter(&Arbiter::new().handle(), move |_| Self {
            options: Rc::new(options),
            environments,
            refresh: Rc::new(refresh),
            _lifeline: lifeline,
        })
    }
}

impl Actor for UpstreamStreams {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        let client = match client(&self.options.url) {
            Ok(client) => client,
            Err(problem) => {
                log::error!("no upstream event streams: {problem}; changes are found by polling alone");
                return;
            }
        };
        for (index, key) in std::mem::take(&mut self.environments) {
            let stream = EnvironmentStream {
                options: Rc::clone(&self.options),
                client: client.clone(),
                refresh: Rc::clone(&self.refresh),
                url: stream_url(&self.options.url, &key),
                index,
                announced: None,
                is_up: true,
            };
            ctx.spawn(stream.listen().into_actor(self));
        }
    }
}

fn client(url: &str) -> Result<awc::Client, String> {
    let url = url
        .parse()
        .map_err(|error| format!("realtime.upstream_url is no URL: {error}"))?;
    upstream::client(&url, CONNECT_TIMEOUT).map_err(|error| format!("TLS cannot be set up: {error}"))
}

/// `{url}/sse/environments/{client-side key}/stream`, the key percent-encoded.
fn stream_url(url: &str, key: &EnvironmentKey) -> String {
    let mut path = String::with_capacity(key.reveal().len());
    for byte in key.reveal().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push_str(&format!("%{byte:02X}"));
        }
    }
    format!("{url}/sse/environments/{path}/stream")
}

/// The stream of one environment, over all its connections.
struct EnvironmentStream {
    options: Rc<UpstreamStreamOptions>,
    client: awc::Client,
    refresh: Refresh,
    url: String,
    index: EnvironmentIndex,
    /// The newest time announced: upstream repeats it at every reconnect, which is no news.
    announced: Option<UpdatedAt>,
    /// Whether the last connection was good; a change of it is logged once.
    is_up: bool,
}

/// Why a connection ended.
#[derive(Debug)]
enum Ended {
    /// By upstream, in order: it does so every 30 s.
    Cleanly,
    NoAnswer(String),
    Refused(StatusCode),
    NoEventStream,
    Silent(Duration),
    Cut(String),
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
            Self::NoAnswer(problem) => write!(f, "no answer: {problem}"),
            Self::Refused(status) => write!(f, "it answers {status}"),
            Self::NoEventStream => f.write_str("the answer is no event stream"),
            Self::Silent(silence) => write!(f, "silent for {} s", silence.as_secs()),
            Self::Cut(problem) => write!(f, "cut: {problem}"),
        }
    }
}

impl EnvironmentStream {
    async fn listen(mut self) {
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
    async fn follow(&mut self) -> Ended {
        let request = self
            .client
            .get(&self.url)
            .no_decompress()
            .timeout(self.options.head_timeout)
            .insert_header((header::ACCEPT, "text/event-stream"))
            .insert_header((header::ACCEPT_ENCODING, "identity"))
            .insert_header((header::CACHE_CONTROL, "no-cache"));
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Ended::NoAnswer(error.to_string()),
        };
        if response.status() != StatusCode::OK {
            return Ended::Refused(response.status());
        }
        let content_type = response.headers().get(header::CONTENT_TYPE);
        if !content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream")) {
            return Ended::NoEventStream;
        }
        let mut parser = EventParser::default();
        loop {
            match actix_rt::time::timeout(self.options.silence, response.next()).await {
                Err(_) => return Ended::Silent(self.options.silence),
                Ok(None) => return Ended::Cleanly,
                Ok(Some(Err(error))) => return Ended::Cut(error.to_string()),
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
            (self.refresh)(self.index, updated_at);
        }
    }

    fn log_once(&mut self, ended: &Ended, is_up: bool) {
        if self.is_up && !is_up {
            log::warn!(
                "environment {}: the upstream event stream fails ({ended}); changes are found by polling meanwhile. \
                 Check realtime.upstream_url",
                self.index.0 + 1
            );
        } else if !self.is_up && is_up {
            log::info!(
                "environment {}: the upstream event stream works again",
                self.index.0 + 1
            );
        }
        self.is_up = is_up;
    }
}

#[cfg(test)]
mod tests;
