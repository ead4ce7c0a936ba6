//! Asking a running proxy's admin port.
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::{StatusCode, Uri, header};
use actors::upstream::{self, NoSuchPort, UpstreamOptions, named_port};
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use tokio::time::timeout;

use super::answer::is_explanation;
use super::asking::Asking;
use crate::settings::Secret;

/// How long the whole answer may take: a large document takes seconds to be read.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// A longer answer is refused: it would be that of an environment of some hundred thousand features.
const LONGEST_ANSWER: usize = 256 * 1024 * 1024;
/// More of what a refusal says is not shown, in characters.
const LONGEST_REASON: usize = 2000;
const PATH: &str = "/explain";

/// Why there is no explanation. Displays as one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// What was given is no URL.
    Url,
    /// It names a port that there is not.
    Port,
    /// Nobody answers there.
    Unreachable(String, String),
    /// The admin port says so itself: the status, and why, without what would move a cursor.
    Refused(StatusCode, String),
    /// Something else answers there, or an edge proxy's other port.
    Foreign(String),
    /// The answer is longer than any.
    TooLong,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("--url is no http or https URL; give one as http://127.0.0.1:8001"),
            Self::Port => write!(f, "--url {NoSuchPort}; give one as http://127.0.0.1:8001"),
            Self::Unreachable(origin, why) => write!(f, "no proxy answers at {origin}: {why}"),
            Self::Refused(status, why) => write!(f, "the proxy answers {}: {why}", status.as_u16()),
            Self::Foreign(origin) => write!(
                f,
                "what answers at {origin} is no edge proxy's admin port; give --url the host and admin.port of a running proxy, \
                 not its server.port"
            ),
            Self::TooLong => f.write_str("the answer is too long; ask for one feature"),
        }
    }
}

/// Asks the admin port at this address, scheme and host first. Gives the answer as it is to be printed. Needs a running actix
/// `System`.
pub(super) async fn ask(
    base: &str,
    token: Option<&Secret>,
    asking: &Asking,
    as_json: bool,
) -> Result<Vec<u8>, NoAnswer> {
    let base = base.trim_end_matches('/');
    let base = base.strip_suffix(PATH).unwrap_or(base);
    let url: Uri = format!("{base}{PATH}").parse().map_err(|_| NoAnswer::Url)?;
    let origin = match (url.scheme_str(), url.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority)) => {
            let port = authority
                .port_u16()
                .map_or_else(String::new, |port| format!(":{port}"));
            format!("{scheme}://{}{port}", authority.host())
        }
        _ => return Err(NoAnswer::Url),
    };
    // Else the scheme's own port would be asked in its place, and be sent the token.
    named_port(&url).map_err(|NoSuchPort| NoAnswer::Port)?;
    let unreachable = |why: String| NoAnswer::Unreachable(origin.clone(), why);
    match timeout(PATIENCE, exchange(&url, token, asking, as_json)).await {
        Ok(Ok((status, body))) if status == StatusCode::OK && is_explanation(&body, as_json) => Ok(body),
        Ok(Ok((status, body))) => Err(match refusal(status, &body) {
            Some(why) => NoAnswer::Refused(status, why),
            None => NoAnswer::Foreign(origin),
        }),
        Ok(Err(Fault::Unreachable(why))) => Err(unreachable(why)),
        Ok(Err(Fault::TooLong)) => Err(NoAnswer::TooLong),
        Err(_) => Err(unreachable(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

enum Fault {
    Unreachable(String),
    TooLong,
}

async fn exchange(
    url: &Uri,
    token: Option<&Secret>,
    asking: &Asking,
    as_json: bool,
) -> Result<(StatusCode, Vec<u8>), Fault> {
    let client = UpstreamOptions::new("").client(url, CONNECT);
    let accept = if as_json { "application/json" } else { "text/plain" };
    let body = Bytes::from(asking.to_json());
    let answer = client
        .post(
            url,
            &|request| {
                let request = request
                    .force_close()
                    .insert_header((header::ACCEPT, accept))
                    .insert_header((header::CONTENT_TYPE, "application/json"));
                match token {
                    Some(token) => request.bearer_auth(token.reveal()),
                    None => request,
                }
            },
            &body,
        )
        .await;
    let answer = answer.map_err(|fault| Fault::Unreachable(fault.to_string()))?;
    let status = answer.status();
    if status.is_informational() {
        // 101: what follows is no HTTP, and may have no end.
        return Ok((status, Vec::new()));
    }
    Ok((status, read(answer).await?))
}

async fn read(answer: impl Stream<Item = Result<Bytes, PayloadError>>) -> Result<Vec<u8>, Fault> {
    let mut pieces = pin!(answer);
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| Fault::Unreachable(upstream::Fault::of_body(&error).to_string()))?;
        if body.len() + piece.len() > LONGEST_ANSWER {
            return Err(Fault::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// What a refusal says; `None`: it is no admin port's.
fn refusal(status: StatusCode, body: &[u8]) -> Option<String> {
    /// Of an edge proxy's errors those of `/explain` alone have `about`. The others come from either port.
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
        about: Option<String>,
        detail: Option<String>,
    }
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    // The public port knows no such path.
    let is_of_either = refusal.detail.is_some()
        && !status.is_success()
        && !matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED);
    (refusal.about.is_some() || is_of_either).then(|| visible(&refusal.message))
}

/// What came from elsewhere, cut, and with escapes for what would move a terminal's cursor.
fn visible(text: &str) -> String {
    let shown = text
        .chars()
        .take(LONGEST_REASON)
        .map(|character| match character {
            control if control.is_control() => control.escape_default().to_string(),
            character => character.to_string(),
        });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_refuses_is_told_from_who_else_answers() {
        let ours = r#"{"status":"not_found","message":"no\u001b[2J feature","about":"feature"}"#;
        let of_public_port = r#"{"status":"not_found","message":"path not found","detail":"path not found"}"#;
        let token = r#"{"status":"unauthorized","message":"bring it","detail":"bring it"}"#;
        for (status, body, says) in [
            (404, ours, Some("no\\u{1b}[2J feature")),
            (404, of_public_port, None),
            (405, of_public_port, None),
            (401, token, Some("bring it")),
            (401, r#"{"message":"Unauthorized"}"#, None),
            (200, token, None),
            (503, "<html>", None),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(
                refusal(status, body.as_bytes()).as_deref(),
                says,
                "{status} {body}"
            );
        }
        assert_eq!(visible(&"x".repeat(10_000)).len(), LONGEST_REASON);
    }
}
