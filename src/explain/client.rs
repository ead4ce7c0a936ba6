//! Asking a running proxy's admin port.
use std::fmt;
use std::pin::pin;
use std::time::Duration;

use actix_web::http::{StatusCode, Uri, header};
use actors::upstream::UpstreamOptions;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use tokio::time::timeout;

use super::asking::Asking;
use crate::settings::Secret;

/// How long the whole answer may take: a large document takes seconds to be read.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the connection may take.
const CONNECT: Duration = Duration::from_secs(3);
/// A longer answer is refused: it would be that of an environment of some hundred thousand features.
const LONGEST_ANSWER: usize = 256 * 1024 * 1024;
const PATH: &str = "/explain";

/// Why there is no explanation. Displays as one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// What was given is no URL.
    Url,
    /// Nobody answers there.
    Unreachable(String, String),
    /// It says so itself.
    Refused(StatusCode, String),
    /// The answer is longer than any.
    TooLong,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url => f.write_str("--url is no http or https URL; give one as http://127.0.0.1:8001"),
            Self::Unreachable(origin, why) => write!(f, "no proxy answers at {origin}: {why}"),
            // It may come from anywhere: its line breaks are escaped.
            Self::Refused(status, why) => {
                write!(f, "the proxy answers {}: {}", status.as_u16(), why.escape_debug())
            }
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
    let unreachable = |why: String| NoAnswer::Unreachable(origin.clone(), why);
    match timeout(PATIENCE, exchange(&url, token, asking, as_json)).await {
        Ok(Ok((status, body))) if status.is_success() => Ok(body),
        Ok(Ok((status, body))) => Err(NoAnswer::Refused(status, message(&body))),
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
    Ok((status, read(answer).await?))
}

async fn read<E: fmt::Display>(answer: impl Stream<Item = Result<Bytes, E>>) -> Result<Vec<u8>, Fault> {
    let mut pieces = pin!(answer);
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| Fault::Unreachable(error.to_string()))?;
        if body.len() + piece.len() > LONGEST_ANSWER {
            return Err(Fault::TooLong);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

/// What a refusal says.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        message: String,
    }
    serde_json::from_slice::<Refusal>(body).map_or_else(
        |_| "it is no edge proxy's admin port".to_owned(),
        |refusal| refusal.message,
    )
}
