//! Documents in files: those that are served, and those of a first start without upstream.
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actors::environment::{DocumentReport, Examiner, Unexamined};
use engine::UpdatedAt;

use super::document::{ago, told};
use super::environment::{NO_TIME, subject};
use super::finding::{Finding, Subject, Verdict};
use crate::settings::Settings;
use tokio::time::Instant;

/// A fallback document that is older holds flags that few remember.
const OLD: Duration = Duration::from_secs(30 * 24 * 3600);

/// Looks at a `document_path`. Gives what it is like, too.
pub(super) async fn served(
    settings: &Settings,
    examiner: &Examiner,
    place: usize,
    path: &Path,
    until: Instant,
) -> (Vec<Finding>, Option<DocumentReport>) {
    match examiner.file(place, path, until).await {
        Ok(document) => {
            let subject = subject(place, Some(&document));
            let mut findings = vec![subject.ok("file", format!("{} can be read", path.display()))];
            findings.extend(told(&subject, settings, &document, Verdict::Warning));
            (findings, Some(document))
        }
        Err(Unexamined::NoTime) => {
            let subject = subject(place, None);
            let findings = vec![
                subject.ok("file", format!("{} can be read", path.display())),
                subject.warning(
                    "document",
                    "not examined: no time was left to read and compile it",
                    NO_TIME,
                ),
                subject.skipped("overrides", "see document"),
            ];
            (findings, None)
        }
        Err(Unexamined::Failure(failure)) => {
            let subject = subject(place, None);
            let finding = subject.told("file", Verdict::Failure, &failure.to_string());
            let detail = format!("{}: {}", path.display(), finding.detail);
            let advice =
                "give an environment document, as edge-proxy snapshot writes it, which this account may read";
            let skipped = ["document", "overrides"].map(|check| subject.skipped(check, "see file"));
            let failure = subject.failure("file", detail, advice);
            (std::iter::once(failure).chain(skipped).collect(), None)
        }
    }
}

/// Looks at a `fallback_document_path`; `upstream`: the document that it stands for, where upstream has given that.
pub(super) async fn fallback(
    examiner: &Examiner,
    place: usize,
    path: &Path,
    upstream: Option<&DocumentReport>,
    until: Instant,
) -> Finding {
    let outcome = examiner.file(place, path, until).await;
    let subject = subject(place, outcome.as_ref().ok());
    let file = path.display();
    match outcome {
        Err(Unexamined::NoTime) => subject.warning(
            "fallback",
            format!("{file} is not examined: no time was left to read and compile it"),
            NO_TIME,
        ),
        Err(Unexamined::Failure(failure)) => {
            let told = subject.told("fallback", Verdict::Failure, &failure.to_string());
            subject.failure(
                "fallback",
                format!("fallback_document_path, {file}: {}", told.detail),
                "make a new one with edge-proxy snapshot: it is of no use in an outage",
            )
        }
        // As where it is served.
        Ok(DocumentReport {
            foreign: Some(foreign),
            ..
        }) => subject.warning(
            "fallback",
            format!("{file}: {foreign}"),
            "make a new one with edge-proxy snapshot",
        ),
        Ok(document) => aged(&subject, path, document.updated_at, upstream, SystemTime::now()),
    }
}

/// What its age says: nothing, where upstream has no newer one.
fn aged(
    subject: &Subject,
    path: &Path,
    changed: Option<UpdatedAt>,
    upstream: Option<&DocumentReport>,
    now: SystemTime,
) -> Finding {
    let file = path.display();
    let Some(changed) = changed else {
        return subject.ok(
            "fallback",
            format!("{file} is a document without updated_at, of any age"),
        );
    };
    let told = format!("{file} is a document that changed {}", ago(changed, now));
    match upstream.and_then(|upstream| upstream.updated_at) {
        Some(newest) if newest <= changed => {
            return subject.ok("fallback", format!("{told}, as upstream's has"));
        }
        _ => {}
    }
    let age = now.duration_since(UNIX_EPOCH + Duration::from_secs(changed.as_seconds()));
    if age.is_ok_and(|age| age > OLD) {
        let advice = match upstream {
            Some(_) => "make a new one with edge-proxy snapshot",
            None => "make a new one with edge-proxy snapshot, as soon as upstream answers",
        };
        subject.warning("fallback", told, advice)
    } else {
        subject.ok("fallback", told)
    }
}
