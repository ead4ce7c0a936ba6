//! The server's own certificate (`server.tls`).
use std::time::SystemTime;

use super::certificate::{Certificate, Standing};
use super::finding::{Finding, Subject, Verdict};
use crate::server::tls::{self, leaf_certificate};
use crate::settings::{ListenHost, Settings, TlsSettings};

/// Looks at the server's own certificate. Blocks.
pub(super) fn examine(settings: &Settings, tls: &TlsSettings) -> Finding {
    let subject = Subject::new("server");
    if let Err(error) = tls::check(tls) {
        let finding = subject.told("tls", Verdict::Failure, &error.to_string());
        return match finding.advice {
            Some(_) => finding,
            None => subject.failure(
                "tls",
                finding.detail,
                "give a certificate with its chain, and its key, both in PEM",
            ),
        };
    }
    let Some(certificate) = leaf_certificate(&tls.certificate).and_then(|leaf| Certificate::read(&leaf))
    else {
        return subject.failure("tls", "the certificate cannot be read", "give one in PEM");
    };
    // That of the chain's first one to end.
    let expires = tls::expires(tls)
        .unwrap_or(certificate.expires)
        .min(certificate.expires);
    let certificate = Certificate {
        expires,
        ..certificate
    };
    told(&subject, &certificate, &settings.server.host, SystemTime::now())
}

/// What is to be said of one whose key belongs to it; pure.
fn told(subject: &Subject, certificate: &Certificate, host: &ListenHost, now: SystemTime) -> Finding {
    let detail = format!(
        "the key belongs to the certificate, which is for {}, by {}, and valid {}",
        certificate.hosts(),
        certificate.issuer,
        certificate.time(now)
    );
    let missing = match host {
        ListenHost::Name(name) => (!is_for(certificate, name)).then(|| name.clone()),
        ListenHost::Address(_) => None,
    };
    match (certificate.standing(now), missing) {
        (Standing::Expired, _) => subject.failure("tls", detail, "renew it: clients refuse it"),
        (Standing::NotYetValid, _) => {
            subject.failure("tls", detail, "set this machine's clock right, or wait")
        }
        (Standing::ExpiresSoon, _) => subject.warning(
            "tls",
            detail,
            "renew it, and see why that did not happen by itself",
        ),
        // Some clients take the common name then, and those of a service mesh look for a URI.
        (Standing::Valid, _) if certificate.names.is_empty() => subject.warning(
            "tls",
            format!("{detail}; it has no host in subjectAltName"),
            "issue one with the host that clients call in subjectAltName: most of them look nowhere else",
        ),
        // It need not be the name that clients call.
        (Standing::Valid, Some(name)) => subject.ok(
            "tls",
            format!(
                "{detail}; {name} (server.host) is none of them, which counts where clients call that name"
            ),
        ),
        (Standing::Valid, None) => subject.ok("tls", detail),
    }
}

fn is_for(certificate: &Certificate, name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let wildcard = name.split_once('.').map(|(_, rest)| format!("*.{rest}"));
    certificate.names.iter().any(|known| {
        let known = known.to_ascii_lowercase();
        known == name || Some(&known) == wildcard.as_ref()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_for_its_names_and_one_label_below_a_wildcard() {
        let certificate = Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: vec!["flags.test".to_owned(), "*.Example.test".to_owned()],
            begins: SystemTime::UNIX_EPOCH,
            expires: SystemTime::UNIX_EPOCH,
        };
        for (name, expected) in [
            ("flags.test", true),
            ("Flags.test.", true),
            ("a.example.test", true),
            ("a.b.example.test", false),
            ("example.test", false),
        ] {
            assert_eq!(is_for(&certificate, name), expected, "{name}");
        }
    }

    #[test]
    fn one_without_a_host_is_of_use_to_some() {
        let day = std::time::Duration::from_secs(24 * 3600);
        let now = SystemTime::UNIX_EPOCH + 200 * day;
        let nameless = Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            begins: now - 100 * day,
            expires: now + 100 * day,
        };
        let verdict = |certificate: &Certificate| {
            let host = ListenHost::Address([0, 0, 0, 0].into());
            told(&Subject::new("server"), certificate, &host, now).verdict
        };
        assert_eq!(verdict(&nameless), Verdict::Warning);
        let named = Certificate {
            names: vec!["flags.test".to_owned()],
            ..nameless.clone()
        };
        assert_eq!(verdict(&named), Verdict::Ok);
        let expired = Certificate {
            expires: now - day,
            ..nameless
        };
        assert_eq!(verdict(&expired), Verdict::Failure);
    }
}
