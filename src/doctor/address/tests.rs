//! The way to an origin: what is told of it.
use super::*;

fn to(url: &Uri) -> Target<'_> {
    let whose = Whose::Flagsmith;
    Target { url, whose }
}

fn found(url: &str, steps: &[Step], outcome: Result<(), Fault>) -> Vec<(&'static str, Verdict)> {
    let url: Uri = url.parse().unwrap();
    let subject = Subject::new("upstream");
    let reached = told(&subject, to(&url), Way::Direct, steps, outcome, SystemTime::now());
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
        let reached = told(
            &Subject::new("upstream"),
            to(&url),
            Way::Direct,
            &steps,
            outcome,
            now,
        );
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

#[test]
fn of_a_collector_no_option_of_upstream_is_named() {
    let url: Uri = "https://collector.test:4318/".parse().unwrap();
    let steps = [shown_until(&[4000])];
    let told = |whose, fault: Fault| {
        let target = Target { url: &url, whose };
        let subject = Subject::new("telemetry");
        let now = SystemTime::now();
        let reached = told(&subject, target, Way::Direct, &steps, Err(fault), now);
        let failed = reached.findings.last().cloned().unwrap();
        assert_eq!((failed.check, failed.verdict), ("tls", Verdict::Failure));
        failed.advice.unwrap()
    };
    let collector = Whose::Collector(OtlpProtocol::Grpc);
    for fault in [Fault::CertificateAuthorityUnknown, Fault::HandshakeRefused] {
        assert!(
            told(Whose::Flagsmith, fault.clone()).contains("upstream."),
            "{fault}"
        );
        assert!(!told(collector, fault.clone()).contains("upstream."), "{fault}");
    }
    let advice = told(collector, Fault::CertificateAuthorityUnknown);
    assert!(advice.contains("OTEL_EXPORTER_OTLP_CERTIFICATE"), "{advice}");
}
