//! Flagsmith's realtime service (`realtime.upstream_url`).
use std::time::Duration;

use actors::environment::DocumentReport;
use actors::keys::EnvironmentKey;
use actors::upstream::UpstreamOptions;
use actors::upstream_stream::try_stream;

use super::finding::{Finding, Subject};

/// Opens the stream of one environment.
pub(super) async fn stream(
    subject: &Subject,
    url: &str,
    options: &UpstreamOptions,
    client_side_key: &EnvironmentKey,
    timeout: Duration,
) -> Finding {
    match try_stream(url, options, client_side_key, timeout).await {
        Ok(()) => subject.ok("stream", "the event stream opens (text/event-stream)"),
        Err(problem) => subject.failure(
            "stream",
            format!("the event stream does not open: {problem}"),
            "check realtime.upstream_url (https://realtime.flagsmith.com), and that what is between passes event streams; \
             changes are found by polling meanwhile",
        ),
    }
}

/// Whether the service has anything to tell of the environments that are polled.
pub(super) fn told<'d>(
    subject: &Subject,
    documents: impl Iterator<Item = &'d DocumentReport>,
) -> Option<Finding> {
    let silent: Vec<String> = documents
        .filter(|document| document.has_realtime_updates == Some(false))
        .map(|document| format!("{:?}", document.name))
        .collect();
    (!silent.is_empty()).then(|| {
        subject.warning(
            "project",
            format!(
                "realtime updates are off for the project of {}",
                silent.join(", ")
            ),
            "switch them on (Flagsmith: Project settings, Realtime), else no change is announced",
        )
    })
}
