//! One environment's stream.
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

use awc::http::{StatusCode, header};
use engine::UpdatedAt;
use futures::StreamExt as _;

use super::backoff::Backoff;
use super::parser::EventParser;
use super::{Refresh, UpstreamStreamOptions};
use crate::keys::EnvironmentId;

/// The stream of one environment, over all its connections.
pub(super) struct EnvironmentStream {
    pub(super) options: Rc<UpstreamStreamOptions>,
    pub(super) client: awc::Client,
    pub(super) refresh: Refresh,
    pub(super) url: String,
    pub(super) id: EnvironmentId,
    /// The newest time announced: upstream repeats it at every reconnect, which is no news.
    pub(super) announced: Option<UpdatedAt>,
    /// Whether the last connection was good; a change of it is logged once.
    pub(super) is_up: bool,
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
