//! What runs beside the server: it starts with the settings, and follows a new configuration.
use std::io;
use std::sync::Arc;

use actors::analytics::{AnalyticsCounts, AnalyticsHandle};
use actors::environment::EnvironmentHandle;
use actors::forwarding::ForwardingHandle;
use actors::lifeline::Lifelines;
use actors::sse_hub::SseHubHandle;
use actors::store::StoreHandle;
use actors::upstream::{DocumentMemory, ProxyAdmissions, UpstreamOptions};
use actors::upstream_stream::UpstreamStreamsHandle;
use actors::write_through::{WriteThroughCounts, WriteThroughHandle};

use super::parts::{self, Part, Parts};
use super::unfollowed::Unfollowed;
use super::{Limits, upstream};
use crate::metrics::SwitchedParts;
use crate::routes::{BodyLimits, RefusedStreams, RouteOptions};
use crate::server::open_files::Shares;
use crate::settings::Settings;
use crate::telemetry::Telemetry;

/// The parts of a process, and what new ones are started from.
pub(super) struct Running {
    limits: Limits,
    lifelines: Lifelines,
    document_memory: DocumentMemory,
    /// What is known of the proxies on the way, whatever the configuration.
    admissions: ProxyAdmissions,
    /// `None`: nothing is sent to a collector.
    pub(super) telemetry: Option<Telemetry>,
    /// `None` where `persistence.directory` is not set.
    pub(super) store: Option<StoreHandle>,
    pub(super) hub: SseHubHandle,
    pub(super) environments: EnvironmentHandle,
    pub(super) forwarding: ForwardingHandle,
    /// `None` where `forward_identities` is off.
    write_through: Option<WriteThroughHandle>,
    /// Since the process began, whatever is switched off and on.
    write_through_counts: Arc<WriteThroughCounts>,
    /// `None`: evaluations are not counted.
    analytics: Option<AnalyticsHandle>,
    /// Likewise.
    analytics_counts: Arc<AnalyticsCounts>,
    /// `None` where `realtime.upstream_url` is not set.
    upstream_streams: Option<UpstreamStreamsHandle>,
    /// All of them, in the order of their start.
    parts: Parts,
    /// Those that a configuration has switched off, and that are not stopped yet.
    ended: Vec<Box<dyn Part>>,
}

impl Running {
    /// Adds a part that has just started, and that no configuration changes.
    pub(super) fn started(&mut self, part: impl Part + 'static) {
        self.parts.started(part);
    }

    /// Starts what runs beside the server, in order: who is told before who tells.
    ///
    /// # Errors
    /// Where the system allows no thread for one of them.
    pub(super) fn start(settings: &Settings, limits: &Limits, lifelines: &Lifelines) -> io::Result<Self> {
        let document_memory = DocumentMemory::new(settings.upstream.document_memory);
        let upstream = upstream::options(settings, &document_memory);
        let admissions = upstream.admissions.clone();
        upstream::tell_of_proxy(&upstream);
        let mut parts = Parts::default();
        let telemetry = Telemetry::start(&settings.process)?;
        if let Some(telemetry) = &telemetry {
            // Before all that is traced, so that it stops after them.
            parts.started(telemetry.clone());
        }
        let hub = SseHubHandle::start(limits.hub_options(settings), lifelines)?;
        parts.started(hub.clone());
        let mut options = limits.actor_options(settings, upstream.clone());
        let store = limits
            .store_options(settings)
            .map(|options| StoreHandle::start(options, lifelines))
            .transpose()?;
        if let Some(store) = &store {
            // Before whoever has it keep something, so that it stops after them.
            parts.started(store.clone());
        }
        options.store.clone_from(&store);
        options.tracer = telemetry.as_ref().and_then(Telemetry::tracer).cloned();
        let (configured, listeners) = (settings.environments.clone(), vec![hub.listener()]);
        let environments = EnvironmentHandle::start(configured, options, listeners, lifelines)?;
        parts.started(environments.clone());
        let forwarding = ForwardingHandle::start(limits.forwarding, upstream.clone(), lifelines)?;
        parts.started(forwarding.clone());
        let mut running = Self {
            limits: limits.clone(),
            lifelines: lifelines.clone(),
            document_memory,
            admissions,
            telemetry,
            store,
            hub,
            environments,
            forwarding,
            write_through: None,
            write_through_counts: Arc::default(),
            analytics: None,
            analytics_counts: Arc::default(),
            upstream_streams: None,
            parts,
            ended: Vec::new(),
        };
        running.start_what_is_missing(settings, &upstream)?;
        running.tell_of_shortages(None, settings);
        Ok(running)
    }

    /// Warns of what is asked for and there is no room for, but not of what `before` was warned of.
    fn tell_of_shortages(&self, before: Option<&Settings>, now: &Settings) {
        let told: Vec<_> = before
            .into_iter()
            .flat_map(|before| self.limits.shortages(before))
            .collect();
        for shortage in self.limits.shortages(now).filter(|line| !told.contains(line)) {
            log::warn!("{shortage}");
        }
    }

    /// Starts the parts that the settings switch on and that do not run.
    fn start_what_is_missing(&mut self, settings: &Settings, upstream: &UpstreamOptions) -> io::Result<()> {
        let (limits, lifelines, environments) = (&self.limits, &self.lifelines, &self.environments);
        if settings.forward_identities && self.write_through.is_none() {
            let (options, configured) = (limits.write_through.clone(), environments.configured());
            let counts = Arc::clone(&self.write_through_counts);
            let started =
                WriteThroughHandle::start(options, upstream.clone(), configured, counts, lifelines)?;
            self.parts.started(started.clone());
            self.write_through = Some(started);
        }
        if settings.analytics && self.analytics.is_none() {
            let started = AnalyticsHandle::start(
                limits.analytics.clone(),
                upstream.clone(),
                environments.clone(),
                self.store.as_ref().map(StoreHandle::unsent),
                Arc::clone(&self.analytics_counts),
                lifelines,
            )?;
            self.parts.started(started.clone());
            self.analytics = Some(started);
        }
        if let Some(options) = limits.upstream_stream_options(settings)
            && self.upstream_streams.is_none()
        {
            let (configured, told) = (environments.configured(), environments.clone());
            let refresh = move |id, announced| told.refresh_for_stream(id, announced);
            let upstream = upstream.clone();
            let started = UpstreamStreamsHandle::start(options, upstream, configured, lifelines, refresh)?;
            self.parts.started(started.clone());
            self.upstream_streams = Some(started);
        }
        Ok(())
    }

    /// How descriptors are shared out by these settings.
    pub(super) fn shares(&self, settings: &Settings) -> Shares {
        self.limits.shares(settings)
    }

    /// Those that a configuration switches on and off, as they are now.
    pub(super) fn switched_parts(&self) -> SwitchedParts {
        SwitchedParts {
            store: self.store.clone(),
            write_through: self.write_through.clone(),
            analytics: self.analytics.clone(),
        }
    }

    /// What routes do by these settings; `before`: what they have done so far.
    pub(super) fn route_options(&self, settings: &Settings, before: Option<&RouteOptions>) -> RouteOptions {
        let streams = self.limits.stream_options(settings);
        // Those that wait now are counted there.
        let kept = before.filter(|before| before.streams == streams);
        RouteOptions {
            body_limits: BodyLimits {
                bytes: settings.server.door.max_body_bytes,
                duration: settings.server.door.request_body_timeout,
            },
            write_through: self.write_through.clone(),
            tallies: self.analytics.as_ref().map(AnalyticsHandle::tallies),
            stale_is_unready: settings.health_check.stale_is_unready,
            refused_streams: kept.map_or_else(
                || Arc::new(RefusedStreams::new(&streams)),
                |before| Arc::clone(&before.refused_streams),
            ),
            streams,
            authentication_token: settings.realtime.authentication_token.clone(),
        }
    }

    /// Follows a new configuration: no request and no stream is lost by it. Parts that it switches off go on until
    /// [`Running::stop_what_ended`], once no route uses them any more.
    ///
    /// # Errors
    /// What could not be followed; everything else is.
    pub(super) async fn follow(&mut self, before: &Settings, now: &Settings) -> Result<(), Unfollowed> {
        self.document_memory.resize(now.upstream.document_memory);
        self.tell_of_shortages(Some(before), now);
        let hub_options = self.limits.hub_options(now);
        if hub_options != self.limits.hub_options(before) {
            self.hub.reconfigure(hub_options).await;
        }
        let mut upstream = upstream::options(now, &self.document_memory);
        upstream.admissions.clone_from(&self.admissions);
        let is_reached_otherwise = !upstream::is_reached_alike(before, now);
        let configured = self
            .configure_environments(before, now, is_reached_otherwise.then(|| upstream.clone()))
            .await;
        self.take_what_ends(before, now);
        let started = self.start_what_is_missing(now, &upstream);
        if is_reached_otherwise {
            upstream::tell_of_proxy(&upstream);
            self.forwarding.reconnect(upstream.clone()).await;
            if let Some(write_through) = &self.write_through {
                write_through.reconnect(upstream.clone()).await;
            }
            if let Some(analytics) = &self.analytics {
                analytics.reconnect(upstream).await;
            }
        }
        configured.and(started.map_err(Unfollowed::from))
    }

    /// Stops the parts that were switched off.
    pub(super) async fn stop_what_ended(&mut self) {
        while let Some(part) = self.ended.last() {
            parts::stop(&**part, part.stop_patience()).await;
            self.ended.pop();
        }
    }

    /// Everything that is to be stopped at the end of the process.
    pub(super) fn into_parts(mut self) -> Parts {
        for part in self.ended {
            self.parts.add(part);
        }
        self.parts
    }

    async fn configure_environments(
        &self,
        before: &Settings,
        now: &Settings,
        upstream: Option<UpstreamOptions>,
    ) -> Result<(), Unfollowed> {
        let polling = self.limits.polling_options(now);
        let polling = (polling != self.limits.polling_options(before)).then_some(polling);
        // Whatever was wrong with the file of a fallback may be mended.
        let has_fallbacks = now
            .environments
            .iter()
            .any(|environment| environment.fallback.is_some());
        if before.environments == now.environments
            && !has_fallbacks
            && polling.is_none()
            && upstream.is_none()
        {
            return Ok(());
        }
        let environments = now.environments.clone();
        Ok(self
            .environments
            .reconfigure(environments, polling, upstream)
            .await?)
    }

    /// Takes out the parts that are switched off, and those that are to begin anew.
    fn take_what_ends(&mut self, before: &Settings, now: &Settings) {
        let mut ended: Vec<Box<dyn Part>> = Vec::new();
        // It remembers what it has written, which another Flagsmith does not have.
        if !now.forward_identities || before.api_url != now.api_url {
            ended.extend(self.write_through.take().map(boxed));
        }
        if !now.analytics {
            ended.extend(self.analytics.take().map(boxed));
        }
        if before.realtime.upstream_url != now.realtime.upstream_url
            || !upstream::is_reached_alike(before, now)
        {
            ended.extend(self.upstream_streams.take().map(boxed));
        }
        for part in &ended {
            self.parts.forget(part.name());
        }
        self.ended.extend(ended);
    }
}

fn boxed(part: impl Part + 'static) -> Box<dyn Part> {
    Box::new(part)
}
