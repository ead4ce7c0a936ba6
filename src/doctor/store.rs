//! The store's directory (`persistence.directory`).
use std::io::ErrorKind;
use std::path::Path;

use actors::environment::DocumentReport;
use actors::store::StoreReport;

use super::document::bytes;
use super::finding::{Finding, Subject, Verdict};

mod look;

pub(super) use look::{Looked, look};

/// Of each document: the current one, the one before it, and the next one while it is written.
const GENERATIONS: u64 = 3;
/// What evaluation counts that could not be sent may take (`analytics.1.unsent`).
const UNSENT: u64 = 64 * 1024 * 1024;

/// What it is to have none.
const WITHOUT: &str = "documents are served without it, and a restart without upstream serves none";

/// What is to be said of it, where these documents are to be stored, by key pair; pure.
pub(super) fn told(looked: &Looked, documents: &[Option<DocumentReport>]) -> Vec<Finding> {
    let sizes: Vec<Option<u64>> = documents
        .iter()
        .map(|document| document.as_ref().map(|document| document.bytes as u64))
        .collect();
    of_sizes(looked, &sizes)
}

fn of_sizes(looked: &Looked, documents: &[Option<u64>]) -> Vec<Finding> {
    let subject = Subject::new("store");
    let directory = looked.directory.display();
    let account = rustix::process::geteuid().as_raw();
    let mut findings = Vec::new();
    let report = match &looked.report {
        Err(problem) => {
            let finding = subject.told("directory", Verdict::Failure, problem);
            let advice = finding
                .advice
                .unwrap_or_else(|| "let the process's account write to it".to_owned());
            findings.push(subject.failure(
                "directory",
                format!("{directory}: {} (account {account})", finding.detail),
                format!("{advice}; {WITHOUT}"),
            ));
            findings.push(subject.skipped("room", "see directory"));
            return findings;
        }
        Ok(report) => report,
    };
    match (report, &looked.unmade) {
        (Some(report), _) => {
            findings.push(subject.ok(
                "directory",
                format!("{directory} can be written to (account {account})"),
            ));
            findings.extend(held(&subject, report, documents));
        }
        (None, None) => {
            findings.push(subject.ok(
                "directory",
                format!("{directory} is made at the start (account {account})"),
            ));
        }
        (None, Some(problem)) => {
            let finding = subject.told("directory", Verdict::Failure, problem);
            let advice = finding
                .advice
                .unwrap_or_else(|| "make it, for the process's account".to_owned());
            findings.push(subject.failure(
                "directory",
                format!(
                    "{directory} is not there and cannot be made: {} (account {account})",
                    finding.detail
                ),
                format!("{advice}; {WITHOUT}"),
            ));
        }
    }
    let stored = report.as_ref().map_or(0, |report| report.bytes);
    findings.extend(room(&subject, looked.room, stored, documents));
    findings.extend(looked.fleeting.map(|fleeting| {
        subject.warning(
            "kept",
            format!("{directory} is on {fleeting}: what is stored there is gone after a restart of it"),
            "mount a volume there (docker run -v, a PersistentVolumeClaim)",
        )
    }));
    findings
}

fn held(subject: &Subject, report: &StoreReport, documents: &[Option<u64>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(if report.is_taken {
        subject.ok(
            "owner",
            "a proxy that runs has it: a further one reads it, and writes when that one has gone",
        )
    } else {
        subject.ok("owner", "no process has it")
    });
    for (place, complaint) in &report.complaints {
        let told = format!("key pair {}: {complaint}", place.saturating_add(1));
        let is_known = documents.get(*place).is_some_and(Option::is_some);
        findings.push(if is_known {
            subject.ok(
                "documents",
                format!("{told}; the next document takes its place, and its source gives one"),
            )
        } else {
            subject.warning(
                "documents",
                told,
                "see above why its key pair has no document: the next one takes its place, and a restart before that serves none",
            )
        });
    }
    let stored = report.stored.len();
    let mut rest = Vec::new();
    for (count, what) in [
        (report.of_nobody, "of environments that are not configured"),
        (report.of_other_versions, "of other versions of this program"),
    ] {
        if count > 0 {
            rest.push(format!("{count} {what}"));
        }
    }
    let rest = if rest.is_empty() {
        String::new()
    } else {
        format!(", beside {}", rest.join(" and "))
    };
    findings.push(subject.ok(
        "documents",
        format!("{stored} of the configured environments have one{rest}"),
    ));
    if let Some(first) = report.foreign.first() {
        findings.push(subject.warning(
            "files",
            format!(
                "{} that are no store's, such as {first:?}, which are left alone",
                report.foreign.len()
            ),
            "give the store a directory of its own",
        ));
    }
    findings
}

/// `stored`: what the directory holds of it already.
fn room(subject: &Subject, room: Option<u64>, stored: u64, documents: &[Option<u64>]) -> Option<Finding> {
    let room = room?;
    let unknown = documents.iter().filter(|document| document.is_none()).count();
    let documents: u64 = documents.iter().flatten().sum();
    let more = |needed: u64| needed.saturating_sub(stored);
    let of_documents = more(documents.saturating_mul(GENERATIONS));
    let needed = more(documents.saturating_mul(GENERATIONS).saturating_add(UNSENT));
    let size = |bytes_64: u64| bytes(usize::try_from(bytes_64).unwrap_or(usize::MAX));
    let beside = if stored > 0 {
        format!(" beside {} that are stored", size(stored))
    } else {
        String::new()
    };
    let unknown = match unknown {
        0 => String::new(),
        unknown => format!(", and more for {unknown} documents that are not known"),
    };
    let detail = format!(
        "{} are free, and up to {} are needed{beside}{unknown}",
        size(room),
        size(needed)
    );
    Some(if room < of_documents {
        subject.failure("room", detail, "make room on its disk, or give a larger one")
    } else if room < needed {
        subject.warning(
            "room",
            detail,
            "make room on its disk: evaluation counts of a long outage are lost else",
        )
    } else {
        subject.ok("room", detail)
    })
}

/// The finding for a disk that does not answer.
pub(super) fn hangs(directory: &Path) -> Finding {
    Subject::new("store").failure(
        "directory",
        format!("{}: the disk does not answer", directory.display()),
        format!(
            "check its file system ({}), or give another directory",
            ErrorKind::TimedOut
        ),
    )
}

#[cfg(test)]
mod tests;
