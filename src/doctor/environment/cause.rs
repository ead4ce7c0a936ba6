//! Why an environment has no document: the step that fails, and what is wrong with it; pure.
use actors::upstream::{Content, FetchFailure, Redirect};

use super::{Answers, CHECKS};
use crate::doctor::configuration::api_url_problem;
use crate::doctor::finding::{Finding, Subject, Verdict};

/// Why there is no document: the step that fails, and those after it.
pub(super) fn failed(
    subject: &Subject,
    api_url: &str,
    failure: &FetchFailure,
    answers: &Answers,
) -> Vec<Finding> {
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
            other if answers.keys > 1 => subject.ok(other, "upstream takes a server-side key"),
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
    // The next key is tried where one is refused.
    let all_keys = match answers.keys {
        ..=1 => "the server-side key".to_owned(),
        keys => format!("each of the {keys} server-side keys"),
    };
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
                format!("upstream refuses {all_keys} ({status})"),
                advice_on_key(None),
            ),
        ),
        FetchFailure::KeyRejected(status, Some(words)) => (
            "key",
            subject.failure(
                "key",
                format!("upstream refuses {all_keys} ({status}, {words:?})"),
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

    use actors::upstream::{AnswerHead, Fault};

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
            keys: 1,
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
            (FetchFailure::TooLarge, None, "document", "256 MiB"),
            (FetchFailure::TooManyPages, None, "document", "10,000"),
            (FetchFailure::Inflated, None, "document", "100 times"),
            (FetchFailure::UnknownCoding, None, "document", "content coding"),
            (FetchFailure::Apply, None, "document", "could not be applied"),
            (FetchFailure::NoAnswer(Fault::Cut), None, "http", "breaks off"),
            (FetchFailure::Redirect, None, "http", "redirects"),
        ] {
            let (found_check, detail) = found(&failure, head);
            assert_eq!(found_check, check, "{failure}");
            assert!(detail.contains(says), "{failure}: {detail}");
        }
    }
}
