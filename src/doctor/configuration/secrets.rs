//! Keys and tokens that are placeholders, or stand in another's place; pure.
use actors::environment::EnvironmentOptions;

use super::subject;
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

pub(super) fn keys(environments: &[EnvironmentOptions]) -> Vec<Finding> {
    let mut findings = Vec::new();
    // A document in a file may have any keys.
    for (place, pair) in (1..).zip(environments).filter(|(_, pair)| is_polled(pair)) {
        let subject = Subject::key_pair(place, None);
        let client = pair.client_side_key.reveal();
        if is_placeholder(client) {
            findings.push(subject.failure(
                "keys",
                "client_side_key is a placeholder of an example",
                "give the environment's own key (Flagsmith: Environment settings, Keys)",
            ));
        }
        for key in &pair.server_side_keys {
            let bare = key.reveal().strip_prefix("ser.").unwrap_or_default();
            if is_placeholder(bare) {
                findings.push(subject.failure(
                    "keys",
                    "server_side_key is a placeholder of an example",
                    "give a key that was made for the environment (Flagsmith: Environment settings, SDK Keys)",
                ));
            } else if bare == client {
                findings.push(subject.warning(
                    "keys",
                    "server_side_key is the client-side key with \"ser.\" before it",
                    "give a key that was made as a server-side one (Flagsmith: Environment settings, SDK Keys)",
                ));
            }
        }
    }
    if findings.is_empty() {
        findings.push(subject().ok("keys", "none is a placeholder, or stands in another's place"));
    }
    findings
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
