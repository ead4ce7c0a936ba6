//! What upstream says of its refusal: a disabled organisation has the status of a wrong key.
use std::time::Duration;

use awc::ClientResponse;
use awc::error::PayloadError;
use awc::http::header::HeaderValue;
use bytes::Bytes;
use futures::Stream;
use serde_json::Value;
use tokio::time::timeout;

use super::{body, confided};

/// How long it is waited for: the status is known, and says enough.
const PATIENCE: Duration = Duration::from_secs(1);

/// More characters are no sentence for a log.
const MOST_CHARACTERS: usize = 200;

/// What a refusal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// Nothing as Flagsmith says it.
    Nothing,
    /// It has Flagsmith's member, with what is not to be told: it repeats the key, or is no sentence.
    Withheld,
    /// This.
    Sentence(String),
}

/// Reads the sentence of a refusal.
pub(super) async fn read<S>(answer: &mut ClientResponse<S>, key: &HeaderValue) -> Said
where
    S: Stream<Item = Result<Bytes, PayloadError>> + Unpin,
{
    let (Ok(body), Ok(key)) = (timeout(PATIENCE, body::beginning(answer)).await, key.to_str()) else {
        return Said::Nothing;
    };
    sentence(&body, key)
}

fn sentence(body: &[u8], key: &str) -> Said {
    let refusal: Value = serde_json::from_slice(body).unwrap_or_default();
    // As core names it.
    let Some(detail) = refusal.get("detail") else {
        return Said::Nothing;
    };
    let sentence = detail.as_str().filter(|detail| {
        let is_one = !detail.is_empty() && detail.chars().count() <= MOST_CHARACTERS;
        is_one && !confided::is_repeated_in(detail, bare(key))
    });
    sentence.map_or(Said::Withheld, |sentence| Said::Sentence(sentence.to_owned()))
}

/// A key without what tells of which kind it is: it may be said with that or without.
pub(super) fn bare(key: &str) -> &str {
    key.strip_prefix("ser.").unwrap_or(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_told_unless_it_is_none_or_repeats_the_key() {
        let said = |body: &str| sentence(body.as_bytes(), "ser.key");
        let disabled = "Organisation is disabled from serving flags.";
        assert_eq!(
            said(&format!(r#"{{"detail":"{disabled}","code":1}}"#)),
            Said::Sentence(disabled.to_owned())
        );
        for body in ["", "<html>", "[]", r#"{"message":"Forbidden"}"#] {
            assert_eq!(said(body), Said::Nothing, "{body}");
        }
        for body in [
            r#"{"detail":["x"]}"#,
            r#"{"detail":""}"#,
            r#"{"detail":"no environment has ser.key"}"#,
            r#"{"detail":"KEY is no environment's"}"#,
            &format!(r#"{{"detail":"{}"}}"#, "x".repeat(201)),
        ] {
            assert_eq!(said(body), Said::Withheld, "{body}");
        }
    }
}
