//! Collectors of OpenTelemetry (`OTEL_EXPORTER_OTLP_ENDPOINT` and its relatives), and what they say of a message that holds nothing.
use actix_web::http::Uri;
use actors::upstream::UpstreamOptions;

use super::address::origin;
use super::finding::{Finding, Subject, Verdict};
use crate::settings::{Export, ProcessSettings};
use crate::telemetry::{Destination, GrpcMethod, Refusal};

/// One that is reached in one way, and what goes there.
#[derive(Debug)]
pub(super) struct Collector {
    pub(super) url: Uri,
    pub(super) sent: Vec<(GrpcMethod, Destination)>,
}

/// All that the settings send to. Signals that go the same way have one.
pub(super) fn collectors(process: &ProcessSettings) -> Vec<Collector> {
    let traces = process.telemetry.traces.as_ref();
    let metrics = process.telemetry.metrics.as_ref();
    let sent: [(GrpcMethod, Option<&Export>); 2] = [
        (GrpcMethod::Traces, traces.map(|traces| &traces.export)),
        (GrpcMethod::Metrics, metrics.map(|metrics| &metrics.export)),
    ];
    let mut collectors: Vec<Collector> = Vec::new();
    for (method, export) in sent {
        let Some(export) = export else { continue };
        // The settings have read it as one.
        let Ok(url) = export.url.parse::<Uri>() else {
            continue;
        };
        let destination = Destination::new(export, process);
        let known = collectors
            .iter_mut()
            .find(|known| known.is_reached_as(&url, &destination));
        match known {
            Some(known) => known.sent.push((method, destination)),
            None => collectors.push(Collector {
                url,
                sent: vec![(method, destination)],
            }),
        }
    }
    collectors
}

impl Collector {
    /// What the ways there are taken with that read files of certificates.
    pub(super) fn needing_certificates(&self) -> impl Iterator<Item = UpstreamOptions> {
        let options = self.sent.iter().map(|(_, destination)| destination.options());
        options
            .filter(|options| options.needs_certificates(&self.url))
            .cloned()
    }

    fn is_reached_as(&self, url: &Uri, destination: &Destination) -> bool {
        let way = |destination: &Destination| {
            let roots = destination.certificate().map(std::path::Path::to_owned);
            (destination.protocol(), destination.connect_timeout(), roots)
        };
        let own = self.sent.first().map(|(_, own)| way(own));
        origin(&self.url) == origin(url) && own == Some(way(destination))
    }
}

/// The name of the check.
pub(super) const fn check(method: GrpcMethod) -> &'static str {
    match method {
        GrpcMethod::Traces => "traces",
        GrpcMethod::Metrics => "metrics",
    }
}

/// What it says; `at`: the path that was asked, by which protocol; pure.
pub(super) fn told(subject: &Subject, method: GrpcMethod, at: &str, outcome: Result<(), Refusal>) -> Finding {
    let check = check(method);
    let what = match method {
        GrpcMethod::Traces => "spans",
        GrpcMethod::Metrics => "metrics",
    };
    let Err(refusal) = outcome else {
        return subject.ok(check, format!("{at} takes {what}"));
    };
    let finding = subject.told(check, Verdict::Failure, &refusal.why);
    let detail = format!("{at}: {}", finding.detail);
    if refusal.is_of_message {
        return subject.warning(
            check,
            format!("{detail}, to a message without any {what}, which collectors are to take"),
            format!(
                "write https:// in the endpoint where its port expects that; else see whether the proxy's log says that {what} do not \
                 reach the collector"
            ),
        );
    }
    let advice = finding
        .advice
        .unwrap_or_else(|| "check that the collector runs there, and see its log".to_owned());
    // One that has no pipeline for them refuses them, whatever it says.
    let unwanted = match refusal.may_be_retried {
        true => String::new(),
        false => format!(
            "; where it is to have no {what}, set OTEL_{}_EXPORTER=none",
            check.to_uppercase()
        ),
    };
    subject.failure(
        check,
        detail,
        format!("{advice}{unwanted}; flags are served meanwhile, and no {what} arrive"),
    )
}

#[cfg(test)]
mod tests;
