//! What runs beside the server: what goes to upstream, to the disk and to the log, and the configuration.
use std::fmt;

use super::families::{Families, alone, flag, label, number};
use crate::metrics::reading::Reading;

/// Writes them. Those that are switched off have no samples.
pub(super) fn write(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    analytics(families, reading)?;
    identities(families, reading)?;
    let (answered, unanswered) = reading.writes;
    families.counters(
        "flagsmith_edge_proxy_writes_forwarded",
        "Writes of traits and identities that were sent on to upstream while their caller waited, by whether it answered.",
        [
            (label("outcome", "answered"), answered),
            (label("outcome", "unanswered"), unanswered),
        ],
    )?;
    store(families, reading)?;
    configuration(families, reading)?;
    families.counters(
        "flagsmith_edge_proxy_log_lines_dropped",
        "Log lines that were lost, because standard error was not read fast enough or could not be written.",
        alone(reading.lost_log_lines),
    )
}

fn analytics(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    let totals = reading.analytics.iter();
    families.gauges(
        "flagsmith_edge_proxy_analytics_queued",
        "Evaluations that SDKs have counted and that are still to be sent to upstream; they are sent every ten seconds.",
        totals.clone().map(|totals| (Vec::new(), number(totals.waiting))),
    )?;
    families.counters(
        "flagsmith_edge_proxy_analytics_sent",
        "Evaluations that upstream has taken.",
        totals.clone().map(|totals| (Vec::new(), totals.forwarded)),
    )?;
    families.counters(
        "flagsmith_edge_proxy_analytics_dropped",
        "Evaluations that upstream will not have: no room here, refused there, or of an environment that was removed first, of \
         unknown features, of environments without upstream, or neither sent nor kept when analytics ended.",
        totals.flat_map(|totals| {
            [
                (label("reason", "no_room"), totals.lost.no_room),
                (label("reason", "refused"), totals.lost.refused),
                (label("reason", "removed"), totals.lost.removed),
                (label("reason", "unknown_feature"), totals.unknown),
                (label("reason", "without_upstream"), totals.without_upstream),
                (label("reason", "ended"), totals.ended),
            ]
        }),
    )
}

fn identities(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    let identities = reading.identities.iter();
    families.gauges(
        "flagsmith_edge_proxy_identities_queued",
        "Identities that are still to be written to upstream.",
        identities.clone().map(|each| (Vec::new(), number(each.waiting))),
    )?;
    families.counters(
        "flagsmith_edge_proxy_identities_forwarded",
        "Identities that upstream has taken.",
        identities.clone().map(|each| (Vec::new(), each.written)),
    )?;
    families.counters(
        "flagsmith_edge_proxy_identities_dropped",
        "Identities that were not written to upstream, by reason.",
        identities.flat_map(|each| {
            each.dropped
                .iter()
                .map(|(reason, count)| (label("reason", reason), *count))
        }),
    )
}

fn store(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    let store = reading.store.iter();
    families.counters(
        "flagsmith_edge_proxy_store_writes",
        "Documents that were stored in persistence.directory.",
        store.clone().map(|store| (Vec::new(), store.written)),
    )?;
    families.counters(
        "flagsmith_edge_proxy_store_failures",
        "Attempts to use persistence.directory that failed; each is made again.",
        store.map(|store| (Vec::new(), store.failed)),
    )
}

fn configuration(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    let configuration = &reading.configuration;
    families.counters(
        "flagsmith_edge_proxy_configuration_reloads",
        "New configurations that came while the process ran.",
        [
            (label("outcome", "ok"), configuration.followed),
            (label("outcome", "refused"), configuration.refused),
        ],
    )?;
    families.gauges(
        "flagsmith_edge_proxy_configuration_in_force",
        "1 where all of the newest configuration is in force; 0 where it was refused, or needs a restart.",
        alone(flag(configuration.is_in_force)),
    )?;
    families.gauges(
        "flagsmith_edge_proxy_certificate_expiry_timestamp_seconds",
        "When the certificate of server.tls, or the first of its chain, expires.",
        reading.certificate_expires.map(|expires| (Vec::new(), expires)),
    )
}
