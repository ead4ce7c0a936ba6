//! What a certificate says of itself; pure.
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Name;
use x509_parser::time::ASN1Time;

/// How long before its end a certificate is warned of, as the server does of its own.
/// One that lives short is renewed often: the last third of its time counts, where that is less.
const SOON: Duration = Duration::from_secs(14 * 24 * 3600);
const SOON_PART: u32 = 3;
/// Names that are told of one.
const MOST_NAMES: usize = 4;

/// Who signs certificates in the place of those whose connections they look into. Words of their issuer's name in lower case.
const INTERCEPTORS: [&str; 26] = [
    "zscaler",
    "netskope",
    "fortinet",
    "fortigate",
    "palo alto",
    "blue coat",
    "bluecoat",
    "mcafee",
    "skyhigh",
    "cisco umbrella",
    "cisco secure",
    "check point",
    "sophos",
    "forcepoint",
    "websense",
    "barracuda",
    "watchguard",
    "sonicwall",
    "trend micro",
    "iboss",
    "menlo",
    "cloudflare gateway",
    "gateway ca - cloudflare",
    "mitmproxy",
    "squid",
    "burp",
];

/// What counts of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Certificate {
    /// Whose it is.
    pub(super) subject: String,
    /// Who signed it.
    pub(super) issuer: String,
    /// Hosts and addresses that it is for.
    pub(super) names: Vec<String>,
    pub(super) begins: SystemTime,
    pub(super) expires: SystemTime,
}

/// How it stands with a certificate's time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Valid,
    ExpiresSoon,
    Expired,
    NotYetValid,
}

impl Certificate {
    /// Reads one in DER; `None`: it is none.
    pub(super) fn read(der: &[u8]) -> Option<Self> {
        let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
        let names = certificate.subject_alternative_name().ok().flatten();
        let names = names.map_or_else(Vec::new, |names| {
            names.value.general_names.iter().filter_map(name).collect()
        });
        Some(Self {
            subject: called(certificate.subject()),
            issuer: called(certificate.issuer()),
            names,
            begins: time(certificate.validity().not_before),
            expires: time(certificate.validity().not_after),
        })
    }

    pub(super) fn standing(&self, now: SystemTime) -> Standing {
        if now < self.begins {
            return Standing::NotYetValid;
        }
        let lives = self.expires.duration_since(self.begins).unwrap_or_default();
        let soon = SOON.min(lives / SOON_PART);
        match self.expires.duration_since(now) {
            Ok(left) if left > soon => Standing::Valid,
            Ok(_) => Standing::ExpiresSoon,
            Err(_) => Standing::Expired,
        }
    }

    /// Until when it is valid, as `until 2027-02-24, for 90 days`.
    pub(super) fn time(&self, now: SystemTime) -> String {
        let span = |time: Duration| match time.as_secs() / 3600 {
            hours @ ..48 => format!("{hours} hours"),
            hours => format!("{} days", hours / 24),
        };
        if now < self.begins {
            return format!("from {} on", date(self.begins));
        }
        match (self.expires.duration_since(now), now.duration_since(self.expires)) {
            (Ok(left), _) => format!("until {}, for {}", date(self.expires), span(left)),
            (Err(_), Ok(past)) => format!("until {}, {} ago", date(self.expires), span(past)),
            (Err(_), Err(_)) => format!("until {}", date(self.expires)),
        }
    }

    /// The hosts that it is for, the first of them.
    pub(super) fn hosts(&self) -> String {
        if self.names.is_empty() {
            return "no host".to_owned();
        }
        let told: Vec<&str> = self.names.iter().take(MOST_NAMES).map(String::as_str).collect();
        match self.names.len().checked_sub(MOST_NAMES) {
            None | Some(0) => told.join(", "),
            Some(more) => format!("{} and {more} more", told.join(", ")),
        }
    }

    /// Whether its issuer is known to sign in others' places.
    pub(super) fn is_of_an_interceptor(&self) -> bool {
        let issuer = self.issuer.to_lowercase();
        INTERCEPTORS
            .iter()
            .any(|interceptor| issuer.contains(interceptor))
    }
}

/// A day, as `2027-02-24`.
pub(super) fn date(time: SystemTime) -> String {
    let timestamp = Timestamp::try_from(time).map(|timestamp| timestamp.to_string());
    timestamp.map_or_else(|_| "?".to_owned(), |text| text.chars().take(10).collect())
}

fn called(name: &X509Name<'_>) -> String {
    let first = |attribute: Option<&x509_parser::x509::AttributeTypeAndValue<'_>>| {
        attribute.and_then(|attribute| attribute.as_str().ok().map(str::to_owned))
    };
    let common = first(name.iter_common_name().next());
    let organization = first(name.iter_organization().next());
    match (common, organization) {
        (Some(common), Some(organization)) if common != organization => {
            format!("{common:?} of {organization:?}")
        }
        (Some(one), _) | (None, Some(one)) => format!("{one:?}"),
        (None, None) => "somebody without a name".to_owned(),
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some((*host).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let address: Option<IpAddr> = match bytes.len() {
                4 => <[u8; 4]>::try_from(*bytes).ok().map(IpAddr::from),
                _ => <[u8; 16]>::try_from(*bytes).ok().map(IpAddr::from),
            };
            address.map(|address| address.to_string())
        }
        _ => None,
    }
}

fn time(time: ASN1Time) -> SystemTime {
    // A time before 1970 is as good as that.
    UNIX_EPOCH + Duration::from_secs(u64::try_from(time.timestamp()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use test_support::certificates::Authority;

    use super::*;

    fn certificate(authority: &str, host: &str, from: i32, until: i32) -> Certificate {
        let issued = Authority::new(authority).issue_between(host, from, until);
        let der = pem_to_der(&issued.certificate);
        Certificate::read(&der).unwrap()
    }

    fn pem_to_der(pem: &str) -> Vec<u8> {
        use rustls::pki_types::CertificateDer;
        use rustls::pki_types::pem::PemObject as _;
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
    }

    #[test]
    fn a_certificate_is_told_by_its_issuer_hosts_and_time() {
        let day = |days: u64| UNIX_EPOCH + Duration::from_secs(days * 24 * 3600);
        let one = certificate("Zscaler Root CA", "flagsmith.test", 2020, 2030);
        assert_eq!(one.issuer, r#""Zscaler Root CA""#);
        assert!(one.is_of_an_interceptor());
        assert_eq!(one.hosts(), "flagsmith.test");
        let expires = 60 * 365 + 15; // 2030-01-01
        assert_eq!(one.time(day(expires - 30)), "until 2030-01-01, for 30 days");
        assert_eq!(one.time(day(expires + 3)), "until 2030-01-01, 3 days ago");
        for (now, standing) in [
            (day(expires - 30), Standing::Valid),
            (day(expires - 3), Standing::ExpiresSoon),
            (day(expires + 1), Standing::Expired),
            (day(1), Standing::NotYetValid),
        ] {
            assert_eq!(one.standing(now), standing);
        }
        let short = Certificate {
            begins: day(100),
            expires: day(101),
            ..one.clone()
        };
        let hour = |hour: u64| day(100) + Duration::from_secs(hour * 3600);
        assert_eq!(short.standing(hour(15)), Standing::Valid);
        assert_eq!(short.standing(hour(17)), Standing::ExpiresSoon);
        assert!(short.time(hour(17)).ends_with("for 7 hours"));
        let address = certificate("Corporate", "127.0.0.1", 2000, 4000);
        assert_eq!(
            (address.hosts().as_str(), address.is_of_an_interceptor()),
            ("127.0.0.1", false)
        );
        assert_eq!(Certificate::read(b"none"), None);
    }

    #[test]
    fn of_many_hosts_some_are_told() {
        let mut one = certificate("Corporate", "a.test", 2000, 4000);
        one.names = (0..6).map(|number| format!("{number}.test")).collect();
        assert_eq!(one.hosts(), "0.test, 1.test, 2.test, 3.test and 2 more");
        one.names.clear();
        assert_eq!(one.hosts(), "no host");
    }
}
