//! The way to the origin of a URL, step by step: the name, a connection, the proxy between, TLS.
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use actix_web::http::Uri;
use actors::upstream::{Fault, Journal, Peer, ProxyFault, Stage, Step, UpstreamOptions};

use super::finding::{Finding, Subject, Verdict};
use super::way::Way;
use crate::settings::OtlpProtocol;
use crate::telemetry::{self, Refusal};

mod shown;

use shown::{refused, shown, trusted};

/// One step on the way, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Check {
    Name,
    Connect,
    /// Only where a proxy is on the way.
    Tunnel,
    /// Only with https.
    Tls,
}

impl Check {
    const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Connect => "connect",
            Self::Tunnel => "tunnel",
            Self::Tls => "tls",
        }
    }

    /// Where a fault belongs.
    fn of(fault: &Fault, is_tls: bool) -> Self {
        match fault {
            Fault::NameUnknown(_) | Fault::Late(Stage::Name) => Self::Name,
            Fault::Refused | Fault::Unreachable | Fault::System(_) | Fault::Late(Stage::Connect) => {
                Self::Connect
            }
            Fault::Proxy(ProxyFault::NotReached(fault)) => Self::of(fault, false),
            Fault::Proxy(_) => Self::Tunnel,
            _ if is_tls => Self::Tls,
            _ => Self::Connect,
        }
    }
}

/// Whose address it is, and so which options have to do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Flagsmith,
    /// A collector's, which is spoken to by this protocol.
    Collector(OtlpProtocol),
}

impl Whose {
    /// What is wrong, and what to do.
    fn line(self, fault: &Fault) -> String {
        match self {
            Self::Flagsmith => fault.to_string(),
            Self::Collector(_) => Refusal::from(fault.clone()).why,
        }
    }

    /// What names a file of root certificates.
    const fn roots(self) -> &'static str {
        match self {
            Self::Flagsmith => "upstream.ca_file",
            Self::Collector(_) => "OTEL_EXPORTER_OTLP_CERTIFICATE",
        }
    }
}

/// An address to be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'t> {
    pub(super) url: &'t Uri,
    pub(super) whose: Whose,
}

/// What was found on the way to an origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) findings: Vec<Finding>,
    /// What is in the way, in a few words; `None`: nothing.
    pub(super) obstacle: Option<String>,
}

/// Goes to the origin of a URL, as requests to it do.
pub(super) async fn examine(
    subject: &Subject,
    target: Target<'_>,
    options: &UpstreamOptions,
    timeout: Duration,
) -> Reached {
    let url = target.url;
    let journal = Journal::kept();
    let mut noting = options.clone();
    noting.journal = journal.clone();
    let outcome = match target.whose {
        Whose::Flagsmith => noting.try_connection(url, timeout).await,
        Whose::Collector(protocol) => telemetry::try_connection(&noting, protocol, url, timeout).await,
    };
    let way = Way::to(url, &options.proxies);
    told(subject, target, way, &journal.steps(), outcome, SystemTime::now())
}

/// What is to be said of it; pure.
fn told(
    subject: &Subject,
    Target { url, whose }: Target<'_>,
    way: Way<'_>,
    steps: &[Step],
    outcome: Result<(), Fault>,
    now: SystemTime,
) -> Reached {
    let is_tls = url.scheme_str() == Some("https");
    let is_through = matches!(way, Way::Through(..));
    let peer = if is_through { Peer::Proxy } else { Peer::Server };
    let mut findings = vec![way.finding(subject, url)];
    let failed = outcome.as_ref().err().map(|fault| Check::of(fault, is_tls));
    let obstacle = failed.map(|check| format!("see {}", check.name()));
    for check in [Check::Name, Check::Connect, Check::Tunnel, Check::Tls] {
        let is_there = match check {
            Check::Tunnel => is_through,
            Check::Tls => is_tls,
            Check::Name | Check::Connect => true,
        };
        if !is_there {
            continue;
        }
        findings.push(match (&outcome, failed) {
            (Err(fault), Some(failed)) if failed == check => {
                failure(subject, whose, check, (fault, steps), now)
            }
            (_, Some(failed)) if check > failed => {
                subject.skipped(check.name(), &format!("see {}", failed.name()))
            }
            _ => success(subject, check, peer, steps, now),
        });
    }
    Reached { findings, obstacle }
}

fn success(subject: &Subject, check: Check, peer: Peer, steps: &[Step], now: SystemTime) -> Finding {
    let of_proxy = if peer == Peer::Proxy {
        " (of the proxy)"
    } else {
        ""
    };
    match check {
        Check::Name => {
            let found = steps.iter().find_map(|step| match step {
                Step::Addresses(of, addresses) if *of == peer => Some(addresses.as_slice()),
                _ => None,
            });
            subject.ok("name", format!("{}{of_proxy}", listed(found.unwrap_or_default())))
        }
        Check::Connect => {
            let at = steps.iter().find_map(|step| match step {
                Step::Connected(of, address) if *of == peer => Some(address.to_string()),
                _ => None,
            });
            let at = at.unwrap_or_else(|| "the address".to_owned());
            subject.ok("connect", format!("{at} takes connections{of_proxy}"))
        }
        Check::Tunnel => subject.ok("tunnel", "the proxy opens the way (CONNECT)"),
        Check::Tls => {
            let version = steps.iter().find_map(|step| match step {
                Step::Tls(Peer::Server, version) => Some(version.replacen("TLSv1_", "TLS 1.", 1)),
                _ => None,
            });
            let version = version.unwrap_or_else(|| "TLS".to_owned());
            match shown(steps).as_slice() {
                [] => subject.ok("tls", version),
                [certificate, above @ ..] => trusted(subject, &version, certificate, above, now),
            }
        }
    }
}

fn failure(
    subject: &Subject,
    whose: Whose,
    check: Check,
    (fault, steps): (&Fault, &[Step]),
    now: SystemTime,
) -> Finding {
    let finding = subject.told(check.name(), Verdict::Failure, &whose.line(fault));
    match check {
        Check::Tls => refused(subject, whose.roots(), finding, (fault, steps), now),
        _ => finding,
    }
}

/// Addresses, with their families.
fn listed(addresses: &[IpAddr]) -> String {
    let families = match (
        addresses.iter().any(IpAddr::is_ipv4),
        addresses.iter().any(IpAddr::is_ipv6),
    ) {
        (true, true) => "IPv4 and IPv6",
        (false, true) => "IPv6 alone",
        _ => "IPv4 alone",
    };
    let texts: Vec<String> = addresses.iter().take(6).map(IpAddr::to_string).collect();
    let more = addresses.len().saturating_sub(texts.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more} ({families})", texts.join(", "))
}

/// What to call an origin: scheme, host and port alone.
pub(super) fn origin(url: &Uri) -> String {
    let port = url.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    format!(
        "{}://{}{port}",
        url.scheme_str().unwrap_or_default(),
        url.host().unwrap_or_default()
    )
}

#[cfg(test)]
mod tests;
