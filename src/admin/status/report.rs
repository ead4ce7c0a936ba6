//! What the page shows and the JSON says.
use std::sync::Arc;

use actors::analytics::{AnalyticsHandle, Totals};
use actors::environment::EnvironmentStatus;
use actors::store::StoreHandle;
use actors::write_through::{WriteThroughCounts, WriteThroughHandle};
use serde::Serialize;
use tokio::join;
use tokio::time::Instant;

use super::environments::EnvironmentReport;
use super::process::{ProcessReport, State};
use super::rates::RatesNow;
use crate::admin::AdminContext;
use crate::logging;
use crate::routes::ConfigurationHealth;

/// How the process fares.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(super) process: ProcessReport,
    pub(super) queues: QueuesReport,
    /// `None`: all of the newest configuration is in force.
    pub(super) configuration: Option<ConfigurationHealth>,
    /// `None`: whoever owns them does not answer.
    pub(super) environments: Option<Vec<EnvironmentReport>>,
}

/// What waits to be sent or written; `None`: it is switched off, or does not answer.
#[derive(Debug, Clone, Serialize)]
pub(super) struct QueuesReport {
    /// Evaluation counts that upstream has not taken yet.
    pub(super) analytics_waiting: Option<u64>,
    /// Those that were lost since the start.
    pub(super) analytics_lost: Option<u64>,
    /// Identities that upstream has not taken yet.
    pub(super) identities_waiting: Option<u64>,
    /// Those that were not written since the start; each will be when it is seen again.
    pub(super) identities_lost: Option<u64>,
    /// Documents that are not on the disk yet.
    pub(super) store_waiting: Option<usize>,
    /// Bytes of log lines that standard error has not taken yet.
    pub(super) log_bytes_waiting: usize,
}

impl Report {
    /// What there is now.
    pub(super) async fn now(context: &AdminContext) -> Arc<Self> {
        Self::since(Instant::now(), context).await
    }

    /// What there was at this moment, or later.
    pub(super) async fn since(moment: Instant, context: &AdminContext) -> Arc<Self> {
        context.reports.since(moment, Self::take(context)).await
    }

    /// Asks everybody, at the same time.
    async fn take(context: &AdminContext) -> Self {
        let parts = context.parts.newest();
        let (statuses, counts, totals, store_waiting) = join!(
            context.environments.statuses(),
            context.hub.counts(),
            totals(parts.analytics.as_ref()),
            waiting(parts.store.as_ref()),
        );
        let streams = |id| {
            let counts = counts.as_ref()?;
            Some(counts.by_environment.get(&id).copied().unwrap_or(0))
        };
        let rates = context.rates.now();
        let write_through = parts.write_through.as_ref().map(WriteThroughHandle::counts);
        let environments = statuses.ok().map(|statuses| {
            let report = |status: EnvironmentStatus| {
                let id = status.environment;
                let rate = rates.as_ref().map(|rates| rates.of(id));
                EnvironmentReport::new(status, streams(id), rate)
            };
            statuses.into_iter().map(report).collect()
        });
        let all_streams = counts.as_ref().map(|counts| counts.by_environment.values().sum());
        Self {
            process: ProcessReport {
                requests_per_second: rates.as_ref().map(RatesNow::sum),
                ..ProcessReport::take(context, State::of(&context.state), all_streams)
            },
            queues: QueuesReport {
                analytics_waiting: totals.map(|totals| totals.waiting),
                analytics_lost: totals.map(|totals| totals.lost.sum()),
                identities_waiting: parts.write_through.as_ref().map(WriteThroughHandle::waiting),
                identities_lost: write_through.map(WriteThroughCounts::lost),
                store_waiting,
                log_bytes_waiting: logging::waiting_bytes(),
            },
            configuration: ConfigurationHealth::of(context.state.configuration()),
            environments,
        }
    }
}

async fn totals(analytics: Option<&AnalyticsHandle>) -> Option<Totals> {
    analytics?.totals().await.ok()
}

async fn waiting(store: Option<&StoreHandle>) -> Option<usize> {
    store?.waiting().await
}
