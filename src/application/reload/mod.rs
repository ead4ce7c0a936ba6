//! A new configuration while the process runs: it is read when its file changes, or on SIGHUP, and put in force without a lost
//! request or stream; or refused as a whole, and the one before stays.
//!
//! # Layout
//! - `watch`: when what is found counts; pure. `watcher`: the thread that looks and reads.
//! - What changes by it, and what needs a restart, is `settings`' to say; who follows it, [`Running`]'s.
use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream::{LocalBoxStream, Stream};

use super::admin::AdminPort;
use super::connection_terms;
use super::running::Running;
use super::unfollowed::Unfollowed;
use crate::budget::Budgets;
use crate::layers::LayerOptions;
use crate::live::Live;
use crate::logging;
use crate::metrics::Metrics;
use crate::routes::RouteOptions;
use crate::server::{ConnectionTerms, Places};
use crate::service_state::{ConfigurationStanding, ServiceState};
use crate::settings::{ConfigurationSource, Followed, Loaded, Notice, Settings};
use crate::telemetry::RequestTraces;

mod watch;
mod watcher;

use watcher::{Reading, Watcher};

/// What of the server and its routes a new configuration changes.
pub(super) struct Changeable {
    pub(super) admin: AdminPort,
    pub(super) routes: Live<RouteOptions>,
    pub(super) layers: Live<LayerOptions>,
    /// Where requests are counted.
    pub(super) metrics: Metrics,
    /// Who traces requests, which no configuration changes.
    pub(super) traces: Option<RequestTraces>,
    pub(super) budgets: Budgets,
    pub(super) places: Places,
    pub(super) connections: Live<ConnectionTerms>,
    pub(super) state: Arc<ServiceState>,
}

/// Follows the configuration of a process.
pub(super) struct Reload {
    watcher: Watcher,
    hang_ups: LocalBoxStream<'static, ()>,
    /// What the configuration in force is warned of, which was told.
    notices: Vec<Notice>,
}

impl Reload {
    /// Starts to watch; `loaded`: what is in force, `hang_ups`: when to read it again, changed or not.
    ///
    /// # Errors
    /// Where the system allows no thread.
    pub(super) fn start(
        source: ConfigurationSource,
        loaded: &Loaded,
        hang_ups: impl Stream<Item = ()> + 'static,
    ) -> io::Result<Self> {
        Ok(Self {
            watcher: Watcher::start(source, loaded.file.clone())?,
            // A stream that ends asks for nothing more.
            hang_ups: hang_ups.chain(futures::stream::pending()).boxed_local(),
            notices: loaded.notices.clone(),
        })
    }

    /// Follows whatever comes. Dropping this between two of its steps leaves everything as far as it has come.
    pub(super) async fn run(
        &mut self,
        in_force: &mut Settings,
        running: &mut Running,
        changeable: &Changeable,
    ) -> Infallible {
        loop {
            tokio::select! {
                Some(()) = self.hang_ups.next() => self.watcher.ask(),
                reading = self.watcher.next() => match reading {
                    Reading::Usable(loaded) => self.put_in_force(*loaded, in_force, running, changeable).await,
                    Reading::Refused(why) => {
                        log::error!("the configuration is refused, and the one before stays in force: {why}");
                        changeable
                            .state
                            .note_configuration(ConfigurationStanding::Refused(why));
                    }
                    Reading::Nothing(why) => log::warn!("SIGHUP has no effect: {why}"),
                },
            }
        }
    }

    async fn put_in_force(
        &mut self,
        loaded: Loaded,
        in_force: &mut Settings,
        running: &mut Running,
        changeable: &Changeable,
    ) {
        for notice in loaded
            .notices
            .iter()
            .filter(|notice| !self.notices.contains(notice))
        {
            notice.log();
        }
        self.notices = loaded.notices;
        let Followed {
            settings,
            live,
            restart,
        } = in_force.follow(loaded.settings);
        let before = std::mem::replace(in_force, settings);
        let now = &*in_force;
        logging::reconfigure(&now.logging);
        changeable.budgets.resize(&now.server.door);
        changeable.places.serve(running.shares(now).served);
        changeable.connections.replace(connection_terms(now));
        changeable.layers.replace(LayerOptions::new(
            now,
            &changeable.metrics,
            changeable.traces.clone(),
        ));
        let outcomes = [
            running.follow(&before, now).await,
            changeable
                .admin
                .follow(&now.admin, running.switched_parts())
                .await
                .map_err(Unfollowed::Admin),
        ];
        let known = changeable.routes.newest();
        changeable
            .routes
            .replace(running.route_options(now, Some(&known)));
        let unfollowed: Vec<_> = outcomes.into_iter().filter_map(Result::err).collect();
        let live = live
            .into_iter()
            .filter(|name| !unfollowed.iter().any(|what| what.is_of(name)));
        let live: Vec<_> = live.collect();
        let is_whole = unfollowed.is_empty();
        let standing = if !is_whole {
            let unfollowed: Vec<_> = unfollowed.iter().map(ToString::to_string).collect();
            let unfollowed = unfollowed.join("; ");
            log::error!("the configuration is in force but in part: {unfollowed}");
            ConfigurationStanding::Refused(unfollowed)
        } else if restart.is_empty() {
            ConfigurationStanding::InForce
        } else {
            ConfigurationStanding::NeedsRestart(restart.clone())
        };
        changeable.state.note_configuration(standing);
        tell(&live, &restart, is_whole);
        running.stop_what_ended().await;
    }
}

/// Says what a new configuration has changed, and what it has not; what is not in force for another reason was told before.
fn tell(live: &[&str], restart: &[&str], is_whole: bool) {
    if !is_whole {
        let changed = if live.is_empty() {
            "nothing else changes".to_owned()
        } else {
            format!(
                "{} changed, in force but for what was told before",
                live.join(", ")
            )
        };
        log::info!("the configuration was read again: {changed}");
    } else if live.is_empty() {
        log::info!("the configuration was read again: nothing changes");
    } else {
        log::info!(
            "the configuration was read again, and is in force: {} changed",
            live.join(", ")
        );
    }
    if !restart.is_empty() {
        log::warn!(
            "the configuration also changes {}, which stays as it is until the process is restarted",
            restart.join(", ")
        );
    }
}
