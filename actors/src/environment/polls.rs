//! Polls as spans, by the names of the official Edge Proxy: `poll.refresh_environment_caches`, and within it
//! `poll.fetch_document`. It polls all environments one after the other, within one such span that counts them
//! (`environments.count`). Here each has its own time, its own waits after failures and its own end, so that one span of several
//! would tell of a round that there is not: each poll is a trace of its own, of one environment.
//!
//! A file that is looked at is no poll: that happens twice a second.
use engine::{ContentDigest, UpdatedAt};

use super::events::FetchEnd;
use super::source::Source;
use crate::keys::{EnvironmentId, EnvironmentKey};
use crate::trace::{self, Attribute, Caller, Outcome, SpanKind, Trace, Tracer};
use crate::upstream::{FetchFailure, FetchOutcome, Upstream};

/// The most characters of what upstream names and says: spans wait in memory, and their number is all that bounds them. Flagsmith
/// has no longer names.
const MOST_CHARACTERS: usize = 2000;

/// Begins the poll of a source, where polls are traced.
pub(super) fn begin(tracer: Option<&Tracer>, source: &Source) -> Option<Trace> {
    match source {
        Source::Upstream { .. } => tracer.map(|tracer| tracer.begin(Caller::default())),
        Source::File(_) => None,
    }
}

/// What a poll was.
pub(super) fn refreshed(id: EnvironmentId, name: Option<&str>, end: &FetchEnd<ContentDigest>) -> Outcome {
    let mut attributes = vec![
        ("environments.count", 1_usize.into()),
        ("flagsmith.environment.number", id.to_string().into()),
    ];
    if let Some(name) = name {
        attributes.push(("flagsmith.environment.name", bounded(name).into()));
    }
    let failure = match end {
        FetchEnd::NotModified { .. } | FetchEnd::Document { .. } => None,
        FetchEnd::Failure(failure) => {
            attributes.push(error_type(failure));
            Some(bounded(&failure.to_string()).into())
        }
        FetchEnd::Abandoned => {
            attributes.push(("error.type", "given_up".into()));
            Some("it was given up, because something else was due".into())
        }
    };
    Outcome {
        failure,
        ..Outcome::new("poll.refresh_environment_caches", attributes)
    }
}

/// Fetches a document, as a span within the poll.
pub(super) async fn fetch(
    upstream: &Upstream,
    key: &EnvironmentKey,
    if_modified_since: Option<UpdatedAt>,
) -> FetchOutcome {
    let fetch = upstream.fetch(key, if_modified_since);
    let Some(span) = trace::begin() else {
        return fetch.await;
    };
    let outcome = span.within(fetch).await;
    span.end(SpanKind::Client, fetched(upstream, &outcome));
    outcome
}

fn fetched(upstream: &Upstream, outcome: &FetchOutcome) -> Outcome {
    let (status, failure) = match outcome {
        FetchOutcome::NotModified { .. } => (Some(304), None),
        FetchOutcome::Document { .. } => (Some(200), None),
        FetchOutcome::Failure(failure) => (failure.status(), Some(failure)),
    };
    let mut attributes = vec![
        ("http.request.method", "GET".into()),
        (
            "flagsmith.cache_hit",
            matches!(outcome, FetchOutcome::NotModified { .. }).into(),
        ),
    ];
    if let Some((address, port)) = upstream.place() {
        attributes.push(("server.address", address.to_owned().into()));
        attributes.push(("server.port", port.into()));
    }
    if let Some(status) = status {
        // As the official Edge Proxy calls it, and as OpenTelemetry has called it since.
        attributes.push(("http.status_code", status.into()));
        attributes.push(("http.response.status_code", status.into()));
    }
    attributes.extend(failure.map(error_type));
    Outcome {
        failure: failure.map(|failure| bounded(&failure.to_string()).into()),
        ..Outcome::new("poll.fetch_document", attributes)
    }
}

fn bounded(text: &str) -> String {
    text.chars().take(MOST_CHARACTERS).collect()
}

/// A status, or one of few words: OpenTelemetry asks for as much (`error.type`).
fn error_type(failure: &FetchFailure) -> Attribute {
    let value = match (failure.status(), failure) {
        (Some(status), _) => status.to_string().into(),
        (None, FetchFailure::NoAnswer(_)) => "no_answer".into(),
        (None, FetchFailure::NotJson(_) | FetchFailure::NotADocument(_)) => "no_document".into(),
        (None, FetchFailure::TooLarge | FetchFailure::Inflated | FetchFailure::TooManyPages) => {
            "too_large".into()
        }
        (None, _) => "_OTHER".into(),
    };
    ("error.type", value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_upstream_names_and_says_is_bounded() {
        let long = "ä".repeat(MOST_CHARACTERS + 1);
        let failure = FetchEnd::Failure(FetchFailure::NotADocument(long.clone()));
        let outcome = refreshed(EnvironmentId::after(None), Some(&long), &failure);
        let name = outcome
            .attributes
            .into_iter()
            .find_map(|(name, value)| match value {
                trace::Value::Text(text) if name == "flagsmith.environment.name" => Some(text),
                _ => None,
            });
        assert_eq!(*name.unwrap(), *"ä".repeat(MOST_CHARACTERS));
        assert!(outcome.failure.unwrap().chars().count() <= MOST_CHARACTERS);
    }
}
