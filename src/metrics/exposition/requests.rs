//! Requests, refusals and connections of the public port.
use std::fmt;

use super::families::{Families, Labels, Unit, alone, label, size};
use crate::error::Refusals;
use crate::metrics::reading::Reading;
use crate::server::Protocol;

/// Writes them. The first three have the names and labels of Flagsmith's own (flagsmith-common).
pub(super) fn write(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    let series = reading.requests.series();
    families.counters(
        "flagsmith_http_server_requests",
        "Requests that were answered, by the route's pattern, method and status. What is refused before its head is whole is among \
         flagsmith_edge_proxy_refused_requests alone.",
        series
            .clone()
            .map(|(of, sums)| (labels(of), sums.durations.count())),
    )?;
    families.histograms(
        ("flagsmith_http_server_request_duration_seconds", Unit::Nanoseconds),
        "From a request's head, and the end of its body where that comes later, to its answer's head. A refusal of an event stream is \
         held on purpose for a second or two.",
        series.clone().map(|(of, sums)| (labels(of), &sums.durations)),
    )?;
    families.histograms(
        ("flagsmith_http_server_response_size_bytes", Unit::Bytes),
        "Bodies of answers as they are sent, save those of event streams; those to HEAD are none.",
        series.map(|(of, sums)| (labels(of), &sums.sizes)),
    )?;
    refusals(families, reading)?;
    connections(families, reading)
}

fn labels([route, method, status]: [&str; 3]) -> Labels<'_> {
    vec![("route", route), ("method", method), ("response_status", status)]
}

fn refusals(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    for (refusals, name, help) in [
        (
            Refusals::AtTheDoor,
            "flagsmith_edge_proxy_refused_requests",
            "What is no good request, by what is wrong with it. Those with a bad body are among flagsmith_http_server_requests too; those \
             without a whole or a good head are in no other metric.",
        ),
        (
            Refusals::Shed,
            "flagsmith_edge_proxy_shed_requests",
            "Requests that got 503, or found no place for their connection, by what there was too much or none of.",
        ),
        (
            Refusals::OfStreams,
            "flagsmith_edge_proxy_refused_streams",
            "Event streams that were refused or put off, by reason.",
        ),
    ] {
        let counts = reading.refusals.iter().filter_map(|(reason, count)| {
            let (of, name) = reason.label();
            (of == refusals).then(|| (label("reason", name), *count))
        });
        families.counters(name, help, counts)?;
    }
    Ok(())
}

fn connections(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    let of = |protocol| {
        let name = match protocol {
            Protocol::Http1 => "http/1",
            Protocol::Http2 => "http/2",
        };
        label("protocol", name)
    };
    let counts = &reading.connections;
    families.gauges(
        "flagsmith_edge_proxy_connections",
        "Open connections of the public port, by what is spoken over them.",
        counts.iter().map(|each| (of(each.protocol), size(each.open))),
    )?;
    families.counters(
        "flagsmith_edge_proxy_connections_opened",
        "Connections of the public port that have begun to speak.",
        counts
            .iter()
            .map(|each| (of(each.protocol), u64::try_from(each.opened).unwrap_or(u64::MAX))),
    )?;
    families.gauges(
        "flagsmith_edge_proxy_connections_max",
        "Connections that are served at a time (server.max_connections, and what the limit of open files leaves).",
        alone(size(reading.most_connections)),
    )?;
    families.gauges(
        "flagsmith_edge_proxy_held_bytes",
        "What requests hold of the budgets of the process: bodies that still come, answers that nobody has read yet.",
        [
            (label("budget", "bodies"), size(reading.held.bodies)),
            (label("budget", "answers"), size(reading.held.answers)),
        ],
    )
}
