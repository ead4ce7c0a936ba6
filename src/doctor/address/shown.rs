//! What the certificates say that a server has shown; pure.
use std::time::SystemTime;

use actors::upstream::{Fault, Peer, Step};

use crate::doctor::certificate::{Certificate, Standing};
use crate::doctor::finding::{Finding, Subject};

/// One that is trusted, and those above it.
pub(super) fn trusted(
    subject: &Subject,
    version: &str,
    certificate: &Certificate,
    above: &[Certificate],
    now: SystemTime,
) -> Finding {
    let Certificate { issuer, .. } = certificate;
    let detail = format!(
        "{version}, a trusted certificate by {issuer} for {}, valid {}",
        certificate.hosts(),
        certificate.time(now)
    );
    // One that has expired is not needed: the certificate is trusted without it.
    let ending = above
        .iter()
        .find(|above| above.standing(now) == Standing::ExpiresSoon);
    match (certificate.standing(now), ending) {
        (Standing::Valid, Some(ending)) => subject.warning(
            "tls",
            format!(
                "{detail}; {} of its chain is valid {}",
                ending.subject,
                ending.time(now)
            ),
            "renew the chain there",
        ),
        (Standing::Valid, None) if certificate.is_of_an_interceptor() => subject.ok(
            "tls",
            format!("{detail}; its issuer looks into connections on their way, keys included"),
        ),
        (Standing::Valid, None) => subject.ok("tls", detail),
        _ => subject.warning("tls", detail, "renew the certificate there"),
    }
}

/// What is wrong with a certificate that was shown, with what it says itself; `roots`: what names a file of root certificates,
/// `finding`: what TLS says of it.
pub(super) fn refused(
    subject: &Subject,
    roots: &str,
    finding: Finding,
    (fault, steps): (&Fault, &[Step]),
    now: SystemTime,
) -> Finding {
    let chain = shown(steps);
    let Some(certificate) = chain.first() else {
        return finding;
    };
    let wrong = match fault {
        Fault::CertificateExpired => Some(Standing::Expired),
        Fault::CertificateNotYetValid => Some(Standing::NotYetValid),
        _ => None,
    };
    let of_chain = chain
        .iter()
        .enumerate()
        .find(|(_, shown)| Some(shown.standing(now)) == wrong);
    if let Some((1.., wrong)) = of_chain {
        return subject.failure(
            "tls",
            format!(
                "{} (it is {} of the server's chain, valid {} and by {}; the server's own is valid {})",
                finding.detail,
                wrong.subject,
                wrong.time(now),
                wrong.issuer,
                certificate.time(now)
            ),
            "give the server the newest chain of its certificate's issuer",
        );
    }
    let seen = match fault {
        Fault::CertificateExpired | Fault::CertificateNotYetValid => {
            format!(
                "it is valid {} and by {}",
                certificate.time(now),
                certificate.issuer
            )
        }
        Fault::CertificateForAnotherHost => {
            format!("it is for {} and by {}", certificate.hosts(), certificate.issuer)
        }
        _ => format!("it is by {} and for {}", certificate.issuer, certificate.hosts()),
    };
    let detail = format!("{} ({seen})", finding.detail);
    let advice = match fault {
        Fault::CertificateAuthorityUnknown if certificate.is_of_an_interceptor() => Some(format!(
            "{} looks into TLS on its way: have the host exempted there, or name a file with its root certificate in {roots}",
            certificate.issuer
        )),
        Fault::CertificateAuthorityUnknown => Some(format!(
            "where {} is your organisation's own, or that of a proxy which looks into TLS on its way, name a file with its \
             root certificate in {roots}",
            certificate.issuer
        )),
        _ => finding.advice,
    };
    subject.failure("tls", detail, advice.unwrap_or_default())
}

/// The certificates that the server has shown, its own first.
pub(super) fn shown(steps: &[Step]) -> Vec<Certificate> {
    let chain = steps.iter().rev().find_map(|step| match step {
        Step::Certificates(Peer::Server, chain) => Some(chain),
        _ => None,
    });
    let read = |der: &Vec<u8>| Certificate::read(der);
    chain.map_or_else(Vec::new, |chain| chain.iter().map_while(read).collect())
}
