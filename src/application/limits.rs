//! Durations and limits that no option sets, and how they join the settings.
use std::time::Duration;

use actors::analytics::AnalyticsOptions;
use actors::environment::{ActorOptions, PollingOptions, ReplicaOptions, UnconditionalFetches};
use actors::forwarding::ForwardingOptions;
use actors::sse_hub::HubOptions;
use actors::store::StoreOptions;
use actors::upstream::UpstreamOptions;
use actors::upstream_stream::UpstreamStreamOptions;
use actors::write_through::WriteThroughOptions;

use super::StopLimits;
use crate::admin::CONNECTIONS;
use crate::routes::StreamOptions;
use crate::server::open_files::{self, Shares};
use crate::server::{Places, SocketOptions};
use crate::settings::{NotifySpread, Settings};

/// The identities that take much work, for each thread that evaluates them: the last of them has its answer after less
/// than a tenth of a second, since the worst takes 5 ms.
const HEAVY_EVALUATIONS: usize = 16;

/// Descriptors of the admin port: its connections, its runtime 4, the thread that accepts 3, and its listeners.
const ADMIN_FILES: usize = CONNECTIONS + 9;

/// Durations and limits that no option sets; tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long the server reads off what a client still sends after an answer that ends the connection, or after the end
    /// of a connection was announced. actix-http's clock is up to half a second late, so it must be more.
    pub disconnect: Duration,
    /// The limit of open files, which is shared out; `None` = the system's own. Tests make it small.
    pub open_files: Option<usize>,
    /// The most identities that take much work, for each thread that evaluates them; past it they are refused.
    pub heavy_evaluations: usize,
    /// How writes that are sent on to upstream are bounded.
    pub forwarding: ForwardingOptions,
    /// How identities are written to upstream where `forward_identities` is on.
    pub write_through: WriteThroughOptions,
    /// How often a file source looks for a change.
    pub file_period: Duration,
    /// How long the store waits after its first failure, and between two looks at a directory that another process has.
    pub store_retry: Duration,
    /// How a stop is timed; `server.shutdown_timeout_seconds` bounds all of it.
    pub stop: StopLimits,
    /// How event streams are timed; the option `realtime.max_stream_age_seconds` overrides that of its age.
    pub streams: StreamOptions,
    /// How long a peer may leave bytes unread or unacknowledged before its connection is dropped: a subscriber that
    /// never reads would else hold it for ever.
    pub unacknowledged: Duration,
    /// The kernel's send buffer of each connection; `None` = the system's own. Tests make it small.
    pub send_buffer: Option<usize>,
    /// How the streams from `realtime.upstream_url` are timed; the option overrides that of its URL.
    pub upstream_streams: UpstreamStreamOptions,
    /// How the HTTP workers are watched.
    pub replicas: ReplicaOptions,
    /// How long a change is replayed to subscribers who connect.
    pub replay_age: Duration,
    /// How evaluations are counted and sent on.
    pub analytics: AnalyticsOptions,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            disconnect: Duration::from_secs(1),
            open_files: None,
            heavy_evaluations: HEAVY_EVALUATIONS,
            forwarding: ForwardingOptions::default(),
            write_through: WriteThroughOptions::default(),
            file_period: PollingOptions::default().file_period,
            store_retry: Duration::from_secs(5),
            stop: StopLimits::default(),
            streams: StreamOptions::default(),
            unacknowledged: Duration::from_secs(60),
            send_buffer: None,
            upstream_streams: UpstreamStreamOptions::new(String::new()),
            replicas: ReplicaOptions::default(),
            replay_age: HubOptions::default().replay_age,
            analytics: AnalyticsOptions::default(),
        }
    }
}

impl Limits {
    fn open_files(&self) -> usize {
        self.open_files.unwrap_or_else(open_files::limit)
    }

    /// What is set on the socket of each connection.
    pub(super) fn socket(&self) -> SocketOptions {
        SocketOptions {
            unacknowledged: self.unacknowledged,
            send_buffer: self.send_buffer,
        }
    }

    /// How the descriptors are shared out.
    pub(crate) fn shares(&self, settings: &Settings) -> Shares {
        let environments = settings.environments.len();
        let limit = self.open_files();
        let admin = settings.admin.port.map_or(0, |_| ADMIN_FILES.min(limit / 4));
        let shares = Shares::of(limit - admin, settings.process.workers, environments);
        match settings.server.door.max_connections {
            Some(most) => shares.at_most(most),
            None => shares,
        }
    }

    /// The places of connections.
    pub(super) fn places(&self, settings: &Settings) -> Places {
        Places::new(self.shares(settings))
    }

    /// What is asked for and there is no room for, as lines for the operator.
    pub(crate) fn shortages(&self, settings: &Settings) -> impl Iterator<Item = String> + use<> {
        let shares = self.shares(settings);
        let (served, streams) = (shares.served, shares.streams());
        let connections = settings.server.door.max_connections;
        let connections = connections.filter(|asked| *asked > served).map(|asked| {
            format!(
                "server.max_connections is {asked}, but the limit of open files leaves room for {served}; raise that limit"
            )
        });
        let subscribers = settings.realtime.max_subscribers;
        let subscribers = subscribers.filter(|asked| *asked > streams).map(|asked| {
            format!(
                "realtime.max_subscribers is {asked}, but there are {served} connections, of which a quarter is left for requests, \
                 so {streams} are admitted; raise the limit of open files, and server.max_connections where it is set"
            )
        });
        connections.into_iter().chain(subscribers)
    }

    pub(crate) fn max_subscribers(&self, settings: &Settings) -> usize {
        let asked = settings.realtime.max_subscribers;
        let most = self.shares(settings).streams();
        asked.unwrap_or(self.open_files() / 2).min(most)
    }

    /// How event streams are timed, and how many that are refused may wait. They have half of the places that admitted ones
    /// leave, the other half is for requests; and half of that is for those who are put off.
    pub(super) fn stream_options(&self, settings: &Settings) -> StreamOptions {
        let left = self.shares(settings).served - self.max_subscribers(settings);
        let waiting = left / 2;
        let put_offs = self.streams.put_offs.min(waiting / 2);
        StreamOptions {
            max_age: settings.realtime.max_stream_age,
            held_refusals: self.streams.held_refusals.min(waiting - put_offs),
            put_offs,
            ..self.streams.clone()
        }
    }

    pub(super) fn hub_options(&self, settings: &Settings) -> HubOptions {
        HubOptions {
            notify_spread: match settings.realtime.notify_spread {
                NotifySpread::Auto => actors::sse_hub::NotifySpread::Auto,
                NotifySpread::Fixed(window) => actors::sse_hub::NotifySpread::Fixed(window),
            },
            max_subscribers: self.max_subscribers(settings),
            room: self.shares(settings).streams(),
            replay_age: self.replay_age,
        }
    }

    /// How documents are polled.
    pub(super) fn polling_options(&self, settings: &Settings) -> PollingOptions {
        PollingOptions {
            period: settings.api_poll_frequency,
            timeout: settings.api_poll_timeout,
            unconditional: settings
                .api_poll_unconditional
                .map_or(UnconditionalFetches::WhileCheap, UnconditionalFetches::Every),
            file_period: self.file_period,
            grace_period: settings.health_check.grace_period,
        }
    }

    pub(super) fn actor_options(&self, settings: &Settings, upstream: UpstreamOptions) -> ActorOptions {
        ActorOptions {
            replicas: self.replicas,
            ..ActorOptions::new(self.polling_options(settings), upstream)
        }
    }

    /// `None` where `persistence.directory` is not set.
    pub(super) fn store_options(&self, settings: &Settings) -> Option<StoreOptions> {
        let directory = settings.persistence.directory.clone()?;
        let environments = settings.environments.iter();
        let environments = environments.map(|environment| environment.client_side_key.clone());
        Some(StoreOptions {
            retry: self.store_retry,
            ..StoreOptions::new(directory, environments.collect())
        })
    }

    /// `None` where `realtime.upstream_url` is not set.
    pub(super) fn upstream_stream_options(&self, settings: &Settings) -> Option<UpstreamStreamOptions> {
        let url = settings.realtime.upstream_url.clone()?;
        Some(UpstreamStreamOptions {
            url,
            ..self.upstream_streams.clone()
        })
    }
}
