//! One key pair: what upstream answers, whether it takes the key, and what its document is like.
use actors::environment::{DocumentReport, Examiner, PolledReport, Unexamined};
use actors::upstream::{AnswerHead, Fault, FetchFailure, Journal, Stage, Step, Upstream, UpstreamOptions};
use tokio::time::Instant;

use super::document;
use super::finding::{Finding, Subject, Verdict};
use crate::settings::Settings;

mod cause;

use cause::failed;

/// What was found of a key pair.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) findings: Vec<Finding>,
    /// What its document is like, where there is one.
    pub(super) document: Option<DocumentReport>,
    /// What upstream answered.
    pub(super) heads: Vec<AnswerHead>,
}

/// What is asked of a key pair, once its address is reached.
pub(super) struct Question<'q> {
    pub(super) settings: &'q Settings,
    pub(super) examiner: &'q Examiner,
    pub(super) options: &'q UpstreamOptions,
    /// Whether documents have less memory here than in the proxy.
    pub(super) is_short_of_memory: bool,
    /// When all of it ends.
    pub(super) until: Instant,
}

impl Question<'_> {
    /// Fetches the document of the key pair at this place, from 0, and tells of every step.
    pub(super) async fn ask(&self, place: usize) -> Examined {
        let journal = Journal::kept();
        let mut options = self.options.clone();
        options.journal = journal.clone();
        let report = match Upstream::new(&options, self.settings.api_poll_timeout) {
            Ok(upstream) => self.examiner.polled(place, &upstream, self.until).await,
            Err(failure) => PolledReport::without(failure),
        };
        let pair = self.settings.environments.get(place);
        let steps = journal.steps();
        let is_refused_by_flagsmith = steps.contains(&Step::Refusal);
        let heads = steps.into_iter().filter_map(|step| match step {
            Step::Answer(head) => Some(head),
            _ => None,
        });
        let answers = Answers {
            heads: heads.collect(),
            is_refused_by_flagsmith,
            is_short_of_memory: self.is_short_of_memory,
            keys: pair.map_or(0, |pair| pair.server_side_keys.len()),
        };
        told(self.settings, place, report, answers)
    }
}

/// What the answers were like, and what they were read with.
struct Answers {
    heads: Vec<AnswerHead>,
    /// Whether a refusal had Flagsmith's form.
    is_refused_by_flagsmith: bool,
    is_short_of_memory: bool,
    /// How many server-side keys the pair has.
    keys: usize,
}

/// What to call a key pair.
pub(super) fn subject(place: usize, document: Option<&DocumentReport>) -> Subject {
    let number = place.saturating_add(1);
    let name = document.map(|document| shortened(&document.name));
    Subject::key_pair(number, name.filter(|name| !name.is_empty()))
}

/// Of a name, what fits into each line about its environment.
fn shortened(name: &str) -> String {
    const MOST: usize = 60;
    let mut short: String = name.chars().take(MOST).collect();
    if short.len() < name.len() {
        short.push('\u{2026}');
    }
    short
}

/// The checks of a key pair that is polled, in their order.
pub(super) const CHECKS: [&str; 4] = ["http", "key", "document", "overrides"];

/// What is to be said of a fetch; pure.
fn told(settings: &Settings, place: usize, report: PolledReport, answers: Answers) -> Examined {
    let subject = subject(place, report.document.as_ref().ok());
    let Answers { heads, keys, .. } = &answers;
    let keys = *keys;
    let fetched = || {
        let head = heads.iter().rev().find(|head| is_good(head));
        let mut findings = vec![answered(&subject, settings, &report, head)];
        findings.extend(keys_taken(&subject, &report, keys));
        findings
    };
    let unexamined = |because: &str, advice: &str| {
        let mut findings = fetched();
        findings.push(subject.warning("document", format!("not examined: {because}"), advice));
        findings.push(subject.skipped("overrides", "see document"));
        findings
    };
    let findings = match &report.document {
        Ok(document) => {
            let mut findings = fetched();
            findings.extend(document::told(&subject, settings, document, Verdict::Failure));
            findings
        }
        Err(Unexamined::NoTime) => unexamined("no time was left to read and compile it", NO_TIME),
        Err(Unexamined::Failure(failure)) if answers.is_short_of_memory && is_of_memory(failure) => {
            unexamined(
                "the doctor takes no more memory of the container than half of what is left",
                "run the doctor in a container of its own with the same configuration, or see the proxy's log",
            )
        }
        Err(Unexamined::Failure(failure)) => {
            let mut findings = failed(&subject, &settings.api_url, failure, &answers);
            // Of keys that were refused before the one of which this is told.
            let before = report.refused.iter().filter(|(_, refused)| refused != failure);
            findings.extend(before.map(|refused| key_refused(&subject, refused, keys, false)));
            findings
        }
    };
    Examined {
        findings,
        document: report.document.ok(),
        heads: answers.heads,
    }
}

/// What to do where documents take long.
pub(super) const NO_TIME: &str = "see how busy this machine's processors are, and what of them the container has: documents are compiled one \
    after the other; run the doctor again when they have less to do";

fn is_of_memory(failure: &FetchFailure) -> bool {
    matches!(
        failure,
        FetchFailure::TooMuchMemory | FetchFailure::NoAnswer(Fault::Late(Stage::Memory))
    )
}

/// Of the keys that are asked about after the document has come, one may be refused.
fn is_good(head: &AnswerHead) -> bool {
    matches!(head.status, 200 | 203)
}

fn answered(
    subject: &Subject,
    settings: &Settings,
    report: &PolledReport,
    head: Option<&AnswerHead>,
) -> Finding {
    let status = head.map_or(200, |head| head.status);
    let took = report.took.as_secs_f64();
    let timeout = settings.api_poll_timeout;
    let through = head.and_then(|head| head.gateway);
    let through = through.map_or_else(String::new, |gateway| format!(", through {gateway}"));
    let detail = format!(
        "{status} after {took:.2} s of {} s{through}",
        timeout.as_secs_f64()
    );
    if report.took > timeout.mul_f64(0.6) {
        subject.warning(
            "http",
            detail,
            "raise api_poll_timeout_seconds, or look why upstream is slow",
        )
    } else if report.took > settings.api_poll_frequency.mul_f64(0.5) {
        subject.warning(
            "http",
            detail,
            "raise api_poll_frequency_seconds: upstream is busy with this proxy half of the time",
        )
    } else {
        subject.ok("http", detail)
    }
}

/// Whether upstream takes the keys, as those of this environment.
fn keys_taken(subject: &Subject, report: &PolledReport, keys: usize) -> Vec<Finding> {
    let mut findings: Vec<Finding> = report
        .refused
        .iter()
        .map(|refused| key_refused(subject, refused, keys, true))
        .collect();
    for (number, why) in &report.unknown {
        let why = why.as_ref().map_or_else(
            || "no time was left to ask".to_owned(),
            |failure| failure.to_string(),
        );
        findings.push(subject.warning(
            "key",
            format!(
                "it is not known whether upstream takes server-side key {} of {keys}: {why}",
                number.saturating_add(1)
            ),
            "run the doctor again",
        ));
    }
    for (number, foreign) in &report.foreign {
        findings.push(subject.failure(
            "key",
            format!(
                "server-side key {} of {keys} is of another environment: {foreign}",
                number.saturating_add(1)
            ),
            "take it out of the key pair, or give one of its environment: the other one's flags are served once the keys before it are \
             not taken any more",
        ));
    }
    if findings.is_empty() {
        let several = if keys == 1 { "" } else { "s" };
        let taken = subject.ok("key", format!("upstream takes the server-side key{several}"));
        findings.push(taken);
    }
    findings
}

/// `is_another_taken`: whether upstream takes another key of the pair.
fn key_refused(
    subject: &Subject,
    (number, failure): &(usize, FetchFailure),
    keys: usize,
    is_another_taken: bool,
) -> Finding {
    subject.warning(
        "key",
        format!(
            "upstream refuses server-side key {} of {keys}{}",
            number.saturating_add(1),
            said(failure)
        ),
        match is_another_taken {
            true => "take it out of the key pair, or give the right one; another one of the pair is taken meanwhile",
            false => "take it out of the key pair, or give the right one; no document came with another one of the pair either",
        },
    )
}

fn said(failure: &FetchFailure) -> String {
    match failure {
        FetchFailure::KeyRejected(status, Some(said)) => format!(" ({status}, {said:?})"),
        FetchFailure::KeyRejected(status, None) => format!(" ({status})"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
