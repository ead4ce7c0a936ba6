//! Keys and tokens that are placeholders, or stand in another's place; pure.
use std::iter;

use actors::environment::{DocumentReport, EnvironmentOptions};

use crate::doctor::finding::{Finding, Subject};
use crate::doctor::is_polled;
use crate::settings::Settings;

/// What keys of documentation, templates and examples hold.
const PLACEHOLDERS: [&str; 12] = [
    "your_",
    "your-",
    "yourkey",
    "<",
    "xxxx",
    "changeme",
    "change_me",
    "change-me",
    "placeholder",
    "replace",
    "example",
    "...",
];

/// The findings of each key pair; `documents`: what upstream gives, by key pair.
pub(super) fn keys(
    environments: &[EnvironmentOptions],
    documents: &[Option<DocumentReport>],
) -> Vec<Finding> {
    let documents = documents.iter().map(Option::as_ref).chain(iter::repeat(None));
    let pairs = (1..).zip(environments).zip(documents);
    pairs
        .flat_map(|((number, pair), document)| keys_of(number, pair, document))
        .collect()
}

fn keys_of(number: usize, pair: &EnvironmentOptions, document: Option<&DocumentReport>) -> Vec<Finding> {
    let subject = Subject::key_pair(number, document.map(|document| document.name.clone()));
    if !is_polled(pair) {
        return vec![subject.ok("keys", "a document in a file may have any")];
    }
    // A Flagsmith of one's own may have keys that were chosen.
    let is_known = document.is_some_and(|document| document.foreign.is_none());
    let client = pair.client_side_key.reveal();
    let mut findings = Vec::new();
    if is_placeholder(client) && !is_known {
        findings.push(subject.failure(
            "keys",
            "client_side_key is a placeholder of an example",
            "give the environment's own key (Flagsmith: Environment settings, Keys)",
        ));
    }
    for key in &pair.server_side_keys {
        let bare = key.reveal().strip_prefix("ser.").unwrap_or_default();
        if is_placeholder(bare) {
            findings.push(placeholder(&subject, is_known));
        } else if bare == client {
            findings.push(subject.warning(
                "keys",
                "server_side_key is the client-side key with \"ser.\" before it",
                "give a key that was made as a server-side one (Flagsmith: Environment settings, SDK Keys)",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(subject.ok("keys", "none is a placeholder, or stands in the other's place"));
    }
    findings
}

/// `is_known`: whether upstream gives the pair's own document.
fn placeholder(subject: &Subject, is_known: bool) -> Finding {
    const ADVICE: &str =
        "give a key that was made for the environment (Flagsmith: Environment settings, SDK Keys)";
    match is_known {
        true => subject.warning(
            "keys",
            "a server_side_key is like a placeholder of an example, which anybody may know, though upstream gives the pair's document",
            ADVICE,
        ),
        false => subject.failure("keys", "server_side_key is a placeholder of an example", ADVICE),
    }
}

/// Whoever has read the documentation knows a placeholder.
pub(super) fn secrets(subject: &Subject, settings: &Settings) -> Vec<Finding> {
    let admin = settings.admin.port.and(settings.admin.token.as_ref());
    [
        ("admin.token", admin),
        (
            "realtime.authentication_token",
            settings.realtime.authentication_token.as_ref(),
        ),
    ]
    .into_iter()
    .filter(|(_, secret)| secret.is_some_and(|secret| is_placeholder(secret.reveal())))
    .map(|(option, _)| {
        subject.warning(
            "secrets",
            format!("{option} is a placeholder of an example, which anybody may know"),
            "give one that is made for this proxy, as openssl rand -hex 32 makes them",
        )
    })
    .collect()
}

fn is_placeholder(key: &str) -> bool {
    let key = key.to_lowercase();
    let is_one = [
        "environment_key",
        "server_side_key",
        "client_side_key",
        "key",
        "test",
        "secret",
    ]
    .contains(&key.as_str());
    is_one || PLACEHOLDERS.iter().any(|placeholder| key.contains(placeholder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_told_from_keys() {
        for placeholder in [
            "your_server_side_key",
            "your_client_side_key_1",
            "YOUR-KEY",
            "<server-side key>",
            "xxxxxxxx",
            "client_side_key",
            "...",
        ] {
            assert!(is_placeholder(placeholder), "{placeholder}");
        }
        for key in ["9FVBk2wBRqRZiLhwBxGHPm", "demo_client_side_key", "n8Vzq3"] {
            assert!(!is_placeholder(key), "{key}");
        }
    }
}
