//! The way to the origin of a URL, step by step: the name, a connection, the proxy between, TLS.
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use actix_web::http::Uri;
use actors::upstream::{Fault, Journal, Peer, ProxyFault, Stage, Step, UpstreamOptions};

use super::finding::{Finding, Subject, Verdict};
use super::way::Way;

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

/// What was found on the way to an origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reached {
    pub(super) findings: Vec<Finding>,
    /// What is in the way, in a few words; `None`: nothing.
    pub(super) obstacle: Option<String>,
}

/// Goes to the origin of `url`, as requests to it do.
pub(super) async fn examine(
    subject: &Subject,
    url: &Uri,
    options: &UpstreamOptions,
    timeout: Duration,
) -> Reached {
    let journal = Journal::kept();
    let mut noting = options.clone();
    noting.journal = journal.clone();
    let outcome = noting.try_connection(url, timeout).await;
    let way = Way::to(url, &options.proxies);
    told(subject, url, way, &journal.steps(), outcome, SystemTime::now())
}

/// What is to be said of it; pure.
fn told(
    subject: &Subject,
    url: &Uri,
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
            (Err(fault), Some(failed)) if failed == check => failure(subject, check, fault, steps, now),
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

fn failure(subject: &Subject, check: Check, fault: &Fault, steps: &[Step], now: SystemTime) -> Finding {
    let finding = subject.told(check.name(), Verdict::Failure, &fault.to_string());
    match check {
        Check::Tls => refused(subject, finding, fault, steps, now),
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
mod tests {
    use super::*;

    fn found(url: &str, steps: &[Step], outcome: Result<(), Fault>) -> Vec<(&'static str, Verdict)> {
        let url: Uri = url.parse().unwrap();
        let subject = Subject::new("upstream");
        let reached = told(&subject, &url, Way::Direct, steps, outcome, SystemTime::now());
        let checks = reached
            .findings
            .iter()
            .map(|finding| (finding.check, finding.verdict));
        checks.collect()
    }

    #[test]
    fn what_follows_the_step_that_fails_is_not_tried() {
        use Verdict::{Failure, Ok, Skipped};
        let addresses = Step::Addresses(Peer::Server, vec![IpAddr::from([10, 0, 0, 1])]);
        let connected = Step::Connected(Peer::Server, ([10, 0, 0, 1], 443).into());
        let https = "https://flagsmith.test/api/v1";
        for (steps, fault, verdicts) in [
            (
                vec![],
                Fault::NameUnknown("x".to_owned()),
                [Failure, Skipped, Skipped],
            ),
            (vec![addresses.clone()], Fault::Refused, [Ok, Failure, Skipped]),
            (
                vec![addresses.clone(), connected.clone()],
                Fault::CertificateExpired,
                [Ok, Ok, Failure],
            ),
            (
                vec![addresses.clone(), connected.clone()],
                Fault::TlsFile("x".to_owned()),
                [Ok, Ok, Failure],
            ),
        ] {
            let [name, connect, tls] = verdicts;
            let expected = vec![("proxy", Ok), ("name", name), ("connect", connect), ("tls", tls)];
            assert_eq!(found(https, &steps, Err(fault.clone())), expected, "{fault}");
        }
        let plain = found("http://flagsmith.test/", &[addresses, connected], Result::Ok(()));
        assert_eq!(plain, [("proxy", Ok), ("name", Ok), ("connect", Ok)]);
    }

    fn shown_until(years: &[i32]) -> Step {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject as _;
        let authority = test_support::certificates::Authority::new("Root");
        let der = |year: &i32| {
            let issued = authority.issue_between("flagsmith.test", 2000, *year);
            CertificateDer::from_pem_slice(issued.certificate.as_bytes())
                .unwrap()
                .to_vec()
        };
        Step::Certificates(Peer::Server, years.iter().map(der).collect())
    }

    /// The days that are told are those of the certificate which is wrong.
    #[test]
    fn what_is_wrong_with_a_chain_is_told_of_the_one_that_is() {
        let url: Uri = "https://flagsmith.test/".parse().unwrap();
        let tls = |years: &[i32], outcome, now| {
            let steps = [shown_until(years)];
            let reached = told(&Subject::new("upstream"), &url, Way::Direct, &steps, outcome, now);
            reached.findings.last().cloned().unwrap()
        };
        let now = SystemTime::now();
        let expired = tls(&[4000, 2021], Err(Fault::CertificateExpired), now);
        assert!(
            expired.detail.contains("chain, valid until 2021-01-01"),
            "{}",
            expired.detail
        );
        assert!(expired.advice.unwrap().contains("chain"));
        let own = tls(&[2021, 4000], Err(Fault::CertificateExpired), now);
        assert!(
            own.detail.contains("it is valid until 2021-01-01"),
            "{}",
            own.detail
        );
        let before_2030 = std::time::UNIX_EPOCH + Duration::from_secs((60 * 365 + 15 - 3) * 24 * 3600);
        let ending = tls(&[4000, 2030], Ok(()), before_2030);
        assert_eq!(ending.verdict, Verdict::Warning);
        assert!(
            ending.detail.contains("chain is valid until 2030-01-01"),
            "{}",
            ending.detail
        );
        // A root that was replaced long ago is shown by many, and is not needed.
        assert_eq!(tls(&[4000, 2021], Ok(()), now).verdict, Verdict::Ok);
    }

    #[test]
    fn addresses_are_told_by_family() {
        let addresses: Vec<IpAddr> = ["10.0.0.1", "::1"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(listed(&addresses), "10.0.0.1, ::1 (IPv4 and IPv6)");
        assert_eq!(listed(&addresses[1..]), "::1 (IPv6 alone)");
        let many: Vec<IpAddr> = (0..9).map(|last| IpAddr::from([10, 0, 0, last])).collect();
        assert!(listed(&many).ends_with("10.0.0.5 and 3 more (IPv4 alone)"));
    }
}
