//! What an environment document is like, wherever it comes from; pure.
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actors::environment::DocumentReport;
use engine::UpdatedAt;

use super::finding::{Finding, Subject, Verdict};
use crate::settings::Settings;

/// What documents take while they are applied, in halves of their size: bytes, and half as much again for what is compiled.
const APPLYING_HALVES: usize = 5;
/// Warnings of a document that are told in words.
const MOST_WARNINGS: usize = 3;
/// Where Flagsmith says that overrides come with documents.
const OVERRIDES_SETTING: &str = "\u{201c}Use identity overrides in local evaluation\u{201d}";

/// What is wrong with a document, and what is not; `of_foreign`: what is to be thought of one that is another environment's. The proxy
/// serves it, and warns of it. Of a file that may be what is meant, as where keys are chosen freely beside a copy of another
/// environment's document; a server-side key has one environment.
pub(super) fn told(
    subject: &Subject,
    settings: &Settings,
    document: &DocumentReport,
    of_foreign: Verdict,
) -> Vec<Finding> {
    let mut findings = vec![size(subject, settings, document)];
    if let Some(foreign) = &document.foreign {
        const ADVICE: &str = "give each pair the keys, or the document, of one environment: flags, and identity overrides, of another \
             one are served, which looks as if they were ignored";
        findings.push(match of_foreign {
            Verdict::Failure => subject.failure("environment", foreign.to_string(), ADVICE),
            _ => subject.warning("environment", foreign.to_string(), ADVICE),
        });
    } else {
        findings.push(subject.ok("environment", "the document is the pair's own"));
    }
    if document.stops_serving_flags {
        findings.push(subject.warning(
            "organisation",
            "the organisation is disabled from serving flags",
            "see its plan and usage in Flagsmith, or ask Flagsmith's support",
        ));
    }
    findings.extend(understood(subject, document));
    findings.push(overrides(subject, settings, document));
    findings
}

fn size(subject: &Subject, settings: &Settings, document: &DocumentReport) -> Finding {
    let takes = document.bytes.saturating_mul(APPLYING_HALVES) / 2;
    let most = settings.upstream.document_memory / 2;
    let changed = document.updated_at.map_or_else(
        || "without updated_at".to_owned(),
        |time| format!("changed {}", ago(time, SystemTime::now())),
    );
    let detail = format!(
        "{}, {changed}; applying it takes {} of {}",
        bytes(document.bytes),
        bytes(takes),
        bytes(most)
    );
    if takes > most - most / 5 {
        subject.warning(
            "document",
            detail,
            "raise upstream.document_memory_bytes before it grows past half of it",
        )
    } else {
        subject.ok("document", detail)
    }
}

fn understood(subject: &Subject, document: &DocumentReport) -> Option<Finding> {
    let count = document.warnings.len();
    let told: Vec<String> = document
        .warnings
        .iter()
        .take(MOST_WARNINGS)
        .map(ToString::to_string)
        .collect();
    let more = count.saturating_sub(told.len());
    let more = if more > 0 {
        format!(" (and {more} more)")
    } else {
        String::new()
    };
    (count > 0).then(|| {
        subject.warning(
            "warnings",
            format!("{}{more}", told.join(" | ")),
            "correct it in Flagsmith: segments and features that are not understood match nobody, or have their defaults",
        )
    })
}

fn overrides(subject: &Subject, settings: &Settings, document: &DocumentReport) -> Finding {
    let count = document.identity_overrides;
    let pages = document.pages;
    let on_pages = if pages > 1 {
        format!(", on {pages} pages")
    } else {
        String::new()
    };
    if document.gives_identity_overrides == Some(false) {
        return subject.warning(
            "overrides",
            format!("identity overrides do not come with the document ({count} of them): {OVERRIDES_SETTING} is off"),
            format!("switch {OVERRIDES_SETTING} on (Flagsmith: Environment settings, SDK Settings), else they are ignored"),
        );
    }
    let is_of_core = settings.api_url.contains("//api.flagsmith.com");
    match count {
        0 if is_of_core => subject.warning(
            "overrides",
            "no identity has overrides in documents of the core API",
            "leave api_url out, or give https://edge.api.flagsmith.com/api/v1",
        ),
        0 => subject.ok("overrides", format!("no identity has overrides{on_pages}")),
        1 => subject.ok("overrides", format!("1 identity has overrides{on_pages}")),
        _ => subject.ok(
            "overrides",
            format!("{count} identities have overrides{on_pages}"),
        ),
    }
}

/// A size, in the unit that suits it.
pub(super) fn bytes(bytes: usize) -> String {
    const KIB: usize = 1024;
    const MIB: usize = KIB * KIB;
    if bytes < KIB {
        format!("{bytes} B")
    } else if bytes < MIB {
        format!("{} KiB", bytes / KIB)
    } else {
        format!("{} MiB", bytes / MIB)
    }
}

/// How long ago, in the unit that suits it.
pub(super) fn ago(time: UpdatedAt, now: SystemTime) -> String {
    let time = UNIX_EPOCH + Duration::from_secs(time.as_seconds());
    let Ok(past) = now.duration_since(time) else {
        return "in the future".to_owned();
    };
    match past.as_secs() {
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_units_that_suit_them() {
        assert_eq!([900, 50_000, 5_000_000].map(bytes), ["900 B", "48 KiB", "4 MiB"]);
        let now = UNIX_EPOCH + Duration::from_secs(1_000_000);
        let told = |seconds: i64| ago(UpdatedAt::from_micros((1_000_000 - seconds) * 1_000_000), now);
        assert_eq!(
            [-60, 5, 600, 7_300, 200_000].map(told),
            ["in the future", "5 s ago", "10 min ago", "2 h ago", "2 days ago"]
        );
    }
}
