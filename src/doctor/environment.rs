//! One key pair: what upstream answers, whether it takes the key, and what its document is like.
use actors::environment::{DocumentReport, Examiner, PolledReport, Unexamined};
use actors::upstream::{
    AnswerHead, Content, Fault, FetchFailure, Journal, Redirect, Stage, Step, Upstream, UpstreamOptions,
};

use super::configuration::api_url_problem;
use super::document;
use super::finding::{Finding, Subject, Verdict};
use crate::settings::Settings;
use tokio::time::Instant;

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
    let pair = settings.environments.get(place);
    let keys = pair.map_or(0, |pair| pair.server_side_keys.len());
    let Answers { heads, .. } = &answers;
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
            findings.extend(document::told(&subject, settings, document));
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
            findings.extend(before.map(|refused| key_refused(&subject, refused, keys)));
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
        .map(|refused| key_refused(subject, refused, keys))
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

fn key_refused(subject: &Subject, (number, failure): &(usize, FetchFailure), keys: usize) -> Finding {
    subject.warning(
        "key",
        format!(
            "upstream refuses server-side key {} of {keys}{}",
            number.saturating_add(1),
            said(failure)
        ),
        "take it out of the key pair, or give the right one; another one of the pair is taken meanwhile",
    )
}

fn said(failure: &FetchFailure) -> String {
    match failure {
        FetchFailure::KeyRejected(status, Some(said)) => format!(" ({status}, {said:?})"),
        FetchFailure::KeyRejected(status, None) => format!(" ({status})"),
        _ => String::new(),
    }
}

/// Why there is no document: the step that fails, and those after it.
fn failed(subject: &Subject, api_url: &str, failure: &FetchFailure, answers: &Answers) -> Vec<Finding> {
    let (check, finding) = cause(subject, api_url, failure, answers);
    let head = answers.heads.last();
    let checks = CHECKS;
    let place = checks.iter().position(|known| *known == check).unwrap_or(0);
    let status = head.map_or_else(|| "an answer".to_owned(), |head| head.status.to_string());
    let mut findings: Vec<Finding> = checks
        .iter()
        .take(place)
        .map(|before| match *before {
            "http" => subject.ok("http", format!("{status} of Flagsmith's API")),
            other => subject.ok(other, "upstream takes the server-side key"),
        })
        .collect();
    findings.push(finding);
    let after = checks.iter().skip(place.saturating_add(1));
    findings.extend(
        after.map(|check| subject.skipped(check, &format!("see {}", checks.get(place).unwrap_or(&"http")))),
    );
    findings
}

/// The step that fails, and what is wrong with it.
fn cause(
    subject: &Subject,
    api_url: &str,
    failure: &FetchFailure,
    answers: &Answers,
) -> (&'static str, Finding) {
    let head = answers.heads.last();
    let content = head.map(|head| head.content);
    let by = head.and_then(|head| head.gateway).map_or_else(
        || "a gateway or firewall".to_owned(),
        |gateway| format!("{gateway}, or what is with it,"),
    );
    let http = |detail: String, advice: &str| ("http", subject.failure("http", detail, advice));
    let shape = api_url_problem(api_url);
    let of_path = shape.map_or(
        "check the path of api_url, as https://flagsmith.example.com/api/v1",
        |(_, advice)| advice,
    );
    let is_path_right = shape.is_none();
    let shape = shape.map_or_else(String::new, |(problem, _)| format!(": {problem}"));
    match failure {
        FetchFailure::KeyRejected(status, None) if content != Some(Content::Json) => http(
            format!(
                "{status} without a word of Flagsmith's: {by} refuses the request before Flagsmith sees the key"
            ),
            "allow this machine's address and \"GET /api/v1/environment-document/\" there (WAF, IP list, VPN); the keys may be right",
        ),
        FetchFailure::KeyRejected(status, None) if !answers.is_refused_by_flagsmith => http(
            format!(
                "{status} in JSON that is not Flagsmith's: {by}, such as an API gateway, refuses the request, likely before Flagsmith \
                 sees the key"
            ),
            "allow this machine's address and \"GET /api/v1/environment-document/\" there, and see its log; where nothing is between, \
             check the key",
        ),
        FetchFailure::KeyRejected(status, None) => (
            "key",
            subject.failure(
                "key",
                format!("upstream refuses the server-side key ({status})"),
                advice_on_key(None),
            ),
        ),
        FetchFailure::KeyRejected(status, Some(words)) => (
            "key",
            subject.failure(
                "key",
                format!("upstream refuses the server-side key ({status}, {words:?})"),
                advice_on_key(Some(words)),
            ),
        ),
        FetchFailure::UnusableKey => ("key", subject.told("key", Verdict::Failure, &failure.to_string())),
        FetchFailure::RateLimited(wait) => http(
            format!(
                "429: upstream limits the rate{}",
                wait.map_or_else(String::new, |wait| format!(
                    ", and asks to wait {} s",
                    wait.as_secs()
                ))
            ),
            "raise api_poll_frequency_seconds, run fewer proxies with one address, or have the limit raised",
        ),
        FetchFailure::Redirect => http(
            match head.and_then(|head| head.redirect.as_ref()) {
                Some(Redirect::Origin(origin)) => {
                    format!("it redirects to {origin}, where keys are not sent")
                }
                Some(Redirect::SameOrigin) => "it redirects in a circle".to_owned(),
                _ => "it redirects, and not to another path of its own".to_owned(),
            },
            "give api_url with the scheme, host and port that answer; where that is a login page, exempt this machine",
        ),
        FetchFailure::Status(404) => http(format!("404: there is no Flagsmith API{shape}"), of_path),
        FetchFailure::Status(status @ (407 | 511)) => http(
            format!("{status}: a proxy or a portal on the way wants a login before it lets requests through"),
            OF_PORTAL,
        ),
        FetchFailure::Status(status @ (405 | 406 | 412)) => http(
            format!(
                "{status} is no answer of Flagsmith's API to a fetch: {by} refuses the method or a field{shape}"
            ),
            "have \"GET /api/v1/environment-document/\" let through as it is, and check the path of api_url",
        ),
        FetchFailure::Status(status @ 500..) => http(
            format!("{status}: upstream, or {by} fails"),
            "look at Flagsmith's own log and health, and at what is before it",
        ),
        FetchFailure::Status(status) => http(
            format!("{status} is no answer of Flagsmith's API{shape}"),
            of_path,
        ),
        FetchFailure::NotJson(_) if content == Some(Content::Html) => http(
            format!(
                "a page for people comes in place of JSON: a portal, the dashboard or {by} answers{shape}"
            ),
            if is_path_right { OF_PORTAL } else { of_path },
        ),
        FetchFailure::NoAnswer(fault) => ("http", subject.told("http", Verdict::Failure, &fault.to_string())),
        FetchFailure::Unusable => http("api_url cannot be used".to_owned(), "give an http or https URL"),
        other => (
            "document",
            subject.told("document", Verdict::Failure, &other.to_string()),
        ),
    }
}

const OF_PORTAL: &str = "where a proxy or a portal on the way wants a login, exempt this machine there, or set HTTPS_PROXY (HTTP_PROXY) \
    with its credentials; else see what answers at api_url";

fn advice_on_key(words: Option<&str>) -> &'static str {
    let words = words.unwrap_or_default().to_lowercase();
    if words.contains("disabled") {
        "the organisation may serve no flags: see its plan and usage in Flagsmith, or ask Flagsmith's support"
    } else {
        "check that it was made as a server-side key of this environment and is still there (Flagsmith: Environment settings, \
         SDK Keys), and that api_url is the API which made it; the proxy serves its last document meanwhile, and needs no \
         restart once the key is right"
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    fn head(status: u16, content: Content, gateway: Option<&'static str>) -> AnswerHead {
        AnswerHead {
            status,
            content,
            gateway,
            redirect: None,
            date: None,
            received: SystemTime::now(),
        }
    }

    fn found(failure: &FetchFailure, head: Option<&AnswerHead>) -> (&'static str, String) {
        let answers = Answers {
            heads: head.cloned().into_iter().collect(),
            is_refused_by_flagsmith: false,
            is_short_of_memory: false,
        };
        let subject = Subject::key_pair(1, None);
        let findings = failed(&subject, "http://a.test/api/v1", failure, &answers);
        let failures: Vec<_> = findings
            .iter()
            .filter(|finding| finding.verdict == Verdict::Failure)
            .collect();
        assert_eq!(failures.len(), 1, "{findings:?}");
        assert!(failures[0].advice.is_some(), "{findings:?}");
        assert_eq!(findings.len(), 4);
        (failures[0].check, failures[0].detail.clone())
    }

    #[test]
    fn the_step_that_fails_is_named_alone() {
        let html = head(403, Content::Html, Some("Cloudflare"));
        let json = head(403, Content::Json, None);
        let of_flagsmith = Some("Organisation is disabled from serving flags.".to_owned());
        for (failure, head, check, says) in [
            (
                FetchFailure::KeyRejected(403, None),
                Some(&html),
                "http",
                "Cloudflare",
            ),
            (
                FetchFailure::KeyRejected(403, None),
                Some(&json),
                "http",
                "an API gateway",
            ),
            (
                FetchFailure::KeyRejected(403, of_flagsmith),
                Some(&json),
                "key",
                "disabled",
            ),
            (
                FetchFailure::RateLimited(Some(Duration::from_secs(7))),
                None,
                "http",
                "wait 7 s",
            ),
            (FetchFailure::Status(404), None, "http", "no Flagsmith API"),
            (FetchFailure::Status(502), None, "http", "502"),
            (FetchFailure::Status(511), None, "http", "wants a login"),
            (FetchFailure::Status(407), None, "http", "wants a login"),
            (FetchFailure::Status(405), None, "http", "the method"),
            (
                FetchFailure::NotJson("x".to_owned()),
                Some(&html),
                "http",
                "page for people",
            ),
            (
                FetchFailure::NotJson("x".to_owned()),
                Some(&json),
                "document",
                "not JSON",
            ),
            (
                FetchFailure::NotADocument("x".to_owned()),
                Some(&json),
                "document",
                "no environment document",
            ),
            (FetchFailure::TooMuchMemory, None, "document", "more memory"),
            (FetchFailure::NoAnswer(Fault::Cut), None, "http", "breaks off"),
            (FetchFailure::Redirect, None, "http", "redirects"),
        ] {
            let (found_check, detail) = found(&failure, head);
            assert_eq!(found_check, check, "{failure}");
            assert!(detail.contains(says), "{failure}: {detail}");
        }
    }
}
