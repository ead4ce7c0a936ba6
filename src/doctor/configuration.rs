//! The configuration by itself: what of it is not what is meant; pure.
use std::path::Path;
use std::time::Duration;

use actix_web::http::Uri;
use actors::environment::DocumentReport;
use actors::no_pipe;

use super::finding::{Finding, Subject, Verdict};
use super::is_polled;
use crate::settings::{Notice, Settings, SettingsError};

mod clients;
mod secrets;

use clients::{origins, trusted_proxies};
use secrets::{keys, secrets};

/// Flagsmith as a service: the API that documents come from there, and the one that lacks a part of them.
const EDGE_HOST: &str = "edge.api.flagsmith.com";
const CORE_HOST: &str = "api.flagsmith.com";
/// Longer, and a change is slow to arrive.
const SLOW_POLLS: Duration = Duration::from_secs(60);
const SLOW_LOOKS: Duration = Duration::from_secs(300);

/// What is called whom.
pub(super) fn subject() -> Subject {
    Subject::new("configuration")
}

/// One that cannot be used, in the words of a start.
pub(super) fn unusable(error: &SettingsError) -> Finding {
    let line = error.to_string();
    let finding = subject().told("file", Verdict::Failure, &line);
    match finding.advice {
        Some(_) => finding,
        None => subject().failure(
            "file",
            finding.detail,
            "correct it; README, \u{201c}Configuration\u{201d}, has every option, and nothing else is checked until it can be read",
        ),
    }
}

/// One that is not read to its end, in the time that all checks have.
pub(super) fn hangs(path: &Path) -> Finding {
    if no_pipe::is_pipe(path) {
        return subject().failure(
            "file",
            format!("{} is a pipe that nobody writes to", path.display()),
            "name a file, or write to it: a start waits for that",
        );
    }
    subject().failure(
        "file",
        format!("{}, or a file that it names, does not answer", path.display()),
        "check the file system of each: a network that hangs",
    )
}

/// One that can, with what its reading has noticed; `documents`: what is given, by key pair.
pub(super) fn examine(
    settings: &Settings,
    notices: &[Notice],
    path: &Path,
    documents: &[Option<DocumentReport>],
) -> Vec<Finding> {
    let subject = subject();
    let mut given = settings.environments.iter().zip(documents);
    let has_documents = given.any(|(pair, document)| is_polled(pair) && document.is_some());
    let pairs = settings.environments.len();
    let several = if pairs == 1 { "" } else { "s" };
    let mut findings = vec![subject.ok("file", format!("{}: {pairs} key pair{several}", path.display()))];
    for notice in notices {
        findings.push(match notice.level {
            log::Level::Info => subject.ok("options", &notice.message),
            _ => noticed(&subject, &notice.message),
        });
    }
    findings.extend(keys(&settings.environments, documents));
    findings.extend(secrets(&subject, settings));
    findings.extend(api_url(&subject, settings, has_documents));
    findings.extend(freshness(&subject, settings));
    findings.extend(origins(&subject, &settings.allow_origins));
    findings.extend(trusted_proxies(&subject, settings));
    findings
}

fn noticed(subject: &Subject, message: &str) -> Finding {
    let finding = subject.told("options", Verdict::Warning, message);
    match finding.advice {
        Some(_) => finding,
        None => subject.warning(
            "options",
            finding.detail,
            "correct it, or take it out; README, \u{201c}Configuration\u{201d}, has every option",
        ),
    }
}

/// What is likely wrong with the path or host of `api_url`; `None`: nothing that can be seen.
pub(super) fn api_url_problem(api_url: &str) -> Option<(&'static str, &'static str)> {
    let url: Uri = api_url.parse().ok()?;
    let path = url.path().trim_end_matches('/');
    let host = url.host().unwrap_or_default().to_ascii_lowercase();
    const RESOURCES: [&str; 4] = ["/flags", "/identities", "/environment-document", "/traits"];
    if RESOURCES.iter().any(|resource| path.ends_with(resource)) {
        return Some((
            "api_url ends with a resource's path",
            "leave that out, as https://flagsmith.example.com/api/v1",
        ));
    }
    if !path.ends_with("/api/v1") {
        return Some((
            "api_url does not end with /api/v1",
            "give it so, as https://flagsmith.example.com/api/v1, unless a gateway before Flagsmith has other paths",
        ));
    }
    if host == CORE_HOST {
        return Some((
            "api_url is the core API of Flagsmith as a service, whose documents lack identity overrides of projects on its Edge",
            "leave api_url out, or give https://edge.api.flagsmith.com/api/v1",
        ));
    }
    None
}

fn api_url(subject: &Subject, settings: &Settings, has_documents: bool) -> Option<Finding> {
    if !settings.environments.iter().any(is_polled) {
        return None;
    }
    let url: Uri = settings.api_url.parse().ok()?;
    Some(match api_url_problem(&settings.api_url) {
        // A gateway may have paths of its own.
        Some((detail, _)) if has_documents && url.host() != Some(CORE_HOST) => {
            subject.ok("api_url", format!("{detail}, and gives documents"))
        }
        Some((detail, advice)) => subject.warning("api_url", detail, advice),
        None if url.host() == Some(EDGE_HOST) => subject.ok(
            "api_url",
            "Flagsmith as a service: keys of a Flagsmith of your own are unknown there",
        ),
        None => subject.ok(
            "api_url",
            format!("{} is a Flagsmith of your own", super::address::origin(&url)),
        ),
    })
}

/// What keeps flags old, and what restarts a proxy that serves.
fn freshness(subject: &Subject, settings: &Settings) -> Vec<Finding> {
    let seconds = settings.api_poll_frequency.as_secs_f64();
    let mut findings = Vec::new();
    if settings.api_poll_frequency > SLOW_POLLS {
        findings.push(subject.warning(
            "polling",
            format!("flags are up to {seconds} s old"),
            "lower api_poll_frequency_seconds (10), or have changes announced: realtime.upstream_url, or queue-change with \
             realtime.authentication_token",
        ));
    } else {
        findings.push(subject.ok("polling", format!("changes are looked for every {seconds} s")));
    }
    if settings
        .api_poll_unconditional
        .is_some_and(|period| period > SLOW_LOOKS)
    {
        findings.push(subject.warning(
            "polling",
            "changes that Flagsmith hides behind 304 are found late: api_poll_unconditional_seconds is long",
            "leave it out, or give 60",
        ));
    }
    if settings.health_check.stale_is_unready {
        findings.push(subject.warning(
            "readiness",
            "readiness fails in an outage of upstream, though flags are served: orchestrators restart all instances then",
            "leave health_check.stale_is_unready out, and point alerts to /proxy/health",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_api_url_is_seen() {
        for (url, says) in [
            ("https://flagsmith.test", Some("/api/v1")),
            ("https://flagsmith.test/api/v2", Some("/api/v1")),
            ("https://flagsmith.test/api/v1/flags", Some("resource")),
            (
                "https://flagsmith.test/api/v1/environment-document",
                Some("resource"),
            ),
            ("https://api.flagsmith.com/api/v1", Some("core API")),
            ("https://edge.api.flagsmith.com/api/v1", None),
            ("https://flagsmith.test/below/api/v1", None),
        ] {
            let problem = api_url_problem(url);
            assert_eq!(problem.is_some(), says.is_some(), "{url}");
            if let (Some((detail, _)), Some(says)) = (problem, says) {
                assert!(detail.contains(says), "{url}: {detail}");
            }
        }
    }
}
