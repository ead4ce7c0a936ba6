//! Environments: their documents, fetches and event streams.
use std::fmt;

use super::families::{Families, Labels, Unit, alone, flag, number, size};
use crate::metrics::reading::{EnvironmentReading, Reading};

/// What health calls the states of an environment.
const STATUSES: [&str; 5] = ["ok", "stale", "fallback", "key rejected", "not updated"];

/// Characters of a name that are shown. A document may give any number.
const LONGEST_NAME: usize = 100;

/// Writes them.
pub(super) fn write(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    if let Some(environments) = &reading.environments {
        documents(families, environments)?;
        fetches(families, environments)?;
        families.counters(
            "flagsmith_edge_proxy_environment_requests",
            "Requests that brought a key of an environment.",
            environments.iter().map(|each| (labels(each), each.requests)),
        )?;
        families.gauges(
            "flagsmith_edge_proxy_streams",
            "Open event streams.",
            environments
                .iter()
                .filter_map(|each| Some((labels(each), size(each.streams?)))),
        )?;
    }
    families.histograms(
        ("flagsmith_edge_proxy_document_apply_seconds", Unit::Nanoseconds),
        "From when new content has come until it is compiled.",
        alone(&reading.documents.applied),
    )?;
    families.histograms(
        ("flagsmith_edge_proxy_document_publish_seconds", Unit::Nanoseconds),
        "From when new content is sent to the workers until all of them serve it.",
        alone(&reading.documents.published),
    )?;
    let streams = &reading.streams;
    families.counters(
        "flagsmith_edge_proxy_streams_opened",
        "Event streams that were admitted.",
        alone(streams.opened),
    )?;
    families.histograms(
        ("flagsmith_edge_proxy_stream_delivery_seconds", Unit::Nanoseconds),
        "From when all workers serve a change until a stream is sent the event, a spread (realtime.notify_spread_ms) included.",
        alone(&streams.deliveries),
    )?;
    families.counters(
        "flagsmith_edge_proxy_stream_replays",
        "Events that were sent again to who connected after them.",
        alone(streams.replays),
    )
}

fn labels(environment: &EnvironmentReading) -> Labels<'_> {
    let name = &environment.name;
    let end = name
        .char_indices()
        .nth(LONGEST_NAME)
        .map_or(name.len(), |(end, _)| end);
    vec![
        ("environment_id", environment.id.as_str()),
        ("environment", name.get(..end).unwrap_or_default()),
    ]
}

fn labelled<'a>(environment: &'a EnvironmentReading, name: &'static str, value: &'static str) -> Labels<'a> {
    let mut labels = labels(environment);
    labels.push((name, value));
    labels
}

fn documents(families: &mut Families<'_, '_>, environments: &[EnvironmentReading]) -> fmt::Result {
    families.gauges(
        "flagsmith_edge_proxy_environment_status",
        "1 for the status that an environment has, as health says it, and 0 for the others.",
        environments.iter().flat_map(|each| {
            STATUSES
                .into_iter()
                .map(|status| (labelled(each, "status", status), flag(each.status == status)))
        }),
    )?;
    families.gauges(
        "flagsmith_edge_proxy_document_age_seconds",
        "Since the source of an environment last gave or confirmed its document; missing before the first time.",
        environments.iter().filter_map(|each| Some((labels(each), each.age?))),
    )?;
    let served = environments
        .iter()
        .filter_map(|each| Some((labels(each), each.served.as_ref()?)));
    families.gauges(
        "flagsmith_edge_proxy_document_bytes",
        "The size of the document that is served, as JSON.",
        served
            .clone()
            .map(|(labels, served)| (labels, size(served.bytes))),
    )?;
    families.gauges(
        "flagsmith_edge_proxy_document_updated_at_seconds",
        "The updated_at of the document that is served.",
        served.map(|(labels, served)| (labels, served.updated_at)),
    )?;
    families.gauges(
        "flagsmith_edge_proxy_document_warnings",
        "Parts of the document that cannot be understood; the log names them.",
        environments
            .iter()
            .map(|each| (labels(each), number(each.warnings))),
    )
}

fn fetches(families: &mut Families<'_, '_>, environments: &[EnvironmentReading]) -> fmt::Result {
    families.counters(
        "flagsmith_edge_proxy_document_fetches",
        "Fetches of documents, or looks at their files, by what came of them.",
        environments.iter().flat_map(|each| {
            let fetches = each.fetches.iter();
            fetches.map(|(outcome, count)| (labelled(each, "outcome", outcome), *count))
        }),
    )
}
