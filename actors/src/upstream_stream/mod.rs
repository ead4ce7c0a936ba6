//! Listens to Flagsmith's realtime service, one stream per environment, as an SDK does. Each event triggers the same
//! fetch, serve, tell as a push; polling goes on underneath as the safety net.
//!
//! # Layout
//! - `stream`: one environment's stream over all its connections; `parser`: from bytes to announcements.
//! - `backoff`: how long to wait before the next connection.
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use engine::UpdatedAt;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::watch;

mod backoff;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod parser;
mod stream;

use stream::EnvironmentStream;

use crate::actor_thread::ActorThread;
use crate::environment::{ConfiguredEnvironment, DocumentSource};
use crate::keys::{ById, EnvironmentId, EnvironmentKey};
use crate::lifeline::{Lifeline, Lifelines, Release};
use crate::upstream::{UpstreamClient, UpstreamOptions};

/// How long connecting may take, a part of what the head of an answer may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the actor, whose handlers take microseconds, may take to answer before it counts as dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

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
type Refresh = Rc<dyn Fn(EnvironmentId, Option<UpdatedAt>)>;

/// The environments in force.
type Configured = Arc<[ConfiguredEnvironment]>;

/// What the composition root holds of the listeners.
#[derive(Debug, Clone)]
pub struct UpstreamStreamsHandle {
    address: Addr<UpstreamStreams>,
    thread: ActorThread,
    release: Release,
}

impl UpstreamStreamsHandle {
    /// Starts listening, on a thread of its own, for every environment that is fetched from upstream, and follows
    /// `configured`. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(
        options: UpstreamStreamOptions,
        upstream: UpstreamOptions,
        configured: watch::Receiver<Configured>,
        lifelines: &Lifelines,
        refresh: impl Fn(EnvironmentId, Option<UpdatedAt>) + Send + 'static,
    ) -> io::Result<Self> {
        let (thread, arbiter) = ActorThread::start()?;
        let lifeline = lifelines.guard("UpstreamStreams");
        let release = lifeline.release();
        let address = UpstreamStreams::start_in_arbiter(&arbiter, move |_| UpstreamStreams {
            client: client(&options.url, &upstream),
            options: Rc::new(options),
            configured,
            listening: ById::default(),
            refresh: Rc::new(refresh),
            lifeline,
        });
        Ok(Self {
            address,
            thread,
            release,
        })
    }

    /// Stops listening and ends the thread; waits at most `patience` for that. Whether the thread is gone.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.release.now();
        // Where it is dead it does not answer; its thread ends all the same.
        let _ = self.address.send(Stop).timeout(ANSWER_TIMEOUT).await;
        self.thread.end(patience).await
    }
}

/// Holds the streams of all environments.
struct UpstreamStreams {
    options: Rc<UpstreamStreamOptions>,
    client: Result<UpstreamClient, String>,
    configured: watch::Receiver<Configured>,
    listening: ById<Listening>,
    refresh: Refresh,
    lifeline: Lifeline,
}

/// One environment's stream under way.
struct Listening {
    client_side_key: EnvironmentKey,
    stream: SpawnHandle,
}

impl UpstreamStreams {
    /// Listens for each environment that is fetched from upstream, and for no other.
    fn follow(&mut self, configured: &Configured, ctx: &mut Context<Self>) {
        let client_side_keys: ById<&EnvironmentKey> = configured
            .iter()
            .filter(|environment| matches!(environment.options.source, DocumentSource::Upstream))
            .map(|environment| (environment.id, &environment.options.client_side_key))
            .collect();
        self.listening.retain(|id, listening| {
            let stays = client_side_keys.get(id) == Some(&&listening.client_side_key);
            if !stays {
                ctx.cancel_future(listening.stream);
            }
            stays
        });
        let Ok(client) = self.client.clone() else { return };
        for (id, client_side_key) in client_side_keys {
            if self.listening.contains_key(&id) {
                continue;
            }
            let Ok(url) = stream_url(&self.options.url, client_side_key).parse() else {
                log::error!("environment {id}: no upstream event stream; realtime.upstream_url is no URL");
                continue;
            };
            let stream = EnvironmentStream {
                options: Rc::clone(&self.options),
                client: client.clone(),
                refresh: Rc::clone(&self.refresh),
                url,
                id,
                announced: None,
                is_up: true,
            };
            let listening = Listening {
                client_side_key: client_side_key.clone(),
                stream: ctx.spawn(stream.listen().into_actor(self)),
            };
            self.listening.insert(id, listening);
        }
    }
}

impl Actor for UpstreamStreams {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        if let Err(problem) = &self.client {
            log::error!("no upstream event streams: {problem}; changes are found by polling alone");
            return;
        }
        let now = self.configured.borrow_and_update().clone();
        self.follow(&now, ctx);
        let changes = futures::stream::unfold(self.configured.clone(), |mut configured| async {
            configured.changed().await.ok()?;
            let now = configured.borrow_and_update().clone();
            Some((now, configured))
        });
        ctx.add_stream(changes);
    }
}

impl StreamHandler<Configured> for UpstreamStreams {
    fn handle(&mut self, configured: Configured, ctx: &mut Context<Self>) {
        self.follow(&configured, ctx);
    }

    fn finished(&mut self, _ctx: &mut Context<Self>) {
        // The EnvironmentActor is gone, which its own lifeline tells.
    }
}

/// An orderly stop.
#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Stop> for UpstreamStreams {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.lifeline.disarm();
        ctx.stop();
    }
}

/// Opens one environment's stream as the proxy does, and closes it. Its head may take `head_timeout`, connecting included.
///
/// # Errors
/// Why it is none, in words that follow "the event stream".
pub async fn try_stream(
    url: &str,
    upstream: &UpstreamOptions,
    client_side_key: &EnvironmentKey,
    head_timeout: Duration,
) -> Result<(), String> {
    let stream_url = stream_url(url, client_side_key)
        .parse()
        .map_err(|_| "has a URL that is none".to_owned())?;
    let client = upstream.client(&stream_url, head_timeout);
    let opened = stream::open(&client, &stream_url, head_timeout).await;
    opened.map(drop).map_err(|ended| ended.to_string())
}

fn client(url: &str, upstream: &UpstreamOptions) -> Result<UpstreamClient, String> {
    let url = url
        .parse()
        .map_err(|error| format!("realtime.upstream_url is no URL: {error}"))?;
    Ok(upstream.client(&url, CONNECT_TIMEOUT))
}

/// `{url}/sse/environments/{client-side key}/stream`, the key percent-encoded.
fn stream_url(url: &str, key: &EnvironmentKey) -> String {
    /// All but the unreserved characters of RFC 3986, 2.3.
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    let key = utf8_percent_encode(key.reveal(), RESERVED);
    format!("{url}/sse/environments/{key}/stream")
}

#[cfg(test)]
mod tests;
