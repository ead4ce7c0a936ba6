//! How upstream knows this proxy (`upstream.client_certificate`). That the key belongs to it is checked with the configuration.
use std::time::SystemTime;

use super::certificate::{Certificate, Standing};
use super::finding::{Finding, Subject};
use crate::server::tls::leaf_certificate;
use crate::settings::Settings;

/// Looks at the certificate, where there is one. Reads its file.
pub(super) fn examine(settings: &Settings) -> Option<Finding> {
    let files = settings.upstream.client_certificate.as_ref()?;
    let certificate = leaf_certificate(&files.certificate).and_then(|leaf| Certificate::read(&leaf))?;
    let now = SystemTime::now();
    let detail = format!(
        "upstream.client_certificate is by {}, and valid {}; its key belongs to it",
        certificate.issuer,
        certificate.time(now)
    );
    let subject = Subject::new("upstream");
    Some(match certificate.standing(now) {
        Standing::Valid => subject.ok("client certificate", detail),
        Standing::ExpiresSoon => subject.warning(
            "client certificate",
            detail,
            "have a new one issued, before upstream refuses it",
        ),
        Standing::Expired => subject.failure(
            "client certificate",
            detail,
            "have a new one issued: upstream refuses it",
        ),
        Standing::NotYetValid => subject.failure(
            "client certificate",
            detail,
            "set this machine's clock right, or wait",
        ),
    })
}
