//! `edge-proxy health`: asks a running proxy whether it is ready. For those who can run a program and send no request, as
//! Docker's HEALTHCHECK in an image without a shell.
use std::fmt;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use actix_web::http::{StatusCode, Uri};
use actors::upstream::UpstreamOptions;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::Deserialize;

mod candidates;
mod own_certificate;

use candidates::Candidate;
pub use candidates::{Candidates, serving};
use own_certificate::OwnCertificate;

/// How long the whole check may take, look-ups of names included. Docker gives it 30 s unless told otherwise; a proxy that
/// needs this long for an answer serves nobody.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What the server is asked. Readiness and not `/proxy/health`: whoever replaces an unhealthy container must not do so in an
/// outage of upstream, in which the proxy answers from its last documents.
const READINESS: &str = "/proxy/health/readiness";
/// Whether documents are fresh, too.
const FRESHNESS: &str = "/proxy/health";

/// More of an answer is not read. A reason takes some hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// Who is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// The server of a configuration, on this machine.
    Server(Candidates),
    /// The same, whether its documents are fresh.
    Freshness(Candidates),
    /// An `http` or `https` URL, as it was written.
    Url(String),
}

/// It is healthy, as a line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthy {
    origin: String,
    status: StatusCode,
    /// Whether it has shown another certificate than that of its file.
    has_shown_another: bool,
}

impl fmt::Display for Healthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "healthy: {} answers {}", self.origin, self.status.as_u16())?;
        if self.has_shown_another {
            f.write_str(" (with another certificate than server.tls.certificate holds: it keeps the one before until both files can be used)")?;
        }
        Ok(())
    }
}

/// It is not healthy. Displays as one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unhealthy {
    /// `--url` is no URL that can be asked.
    Url,
    /// The configuration cannot be used, and nobody serves where it may have said; what is wrong with it.
    Configuration(String),
    /// The settings let the system choose the port.
    UnknownPort,
    /// The host's name has no address.
    Name(String),
    /// The system lets this program do nothing.
    System(String),
    /// No connection, or no HTTP on it.
    NoAnswer {
        /// Scheme, host and port.
        origin: String,
        /// Why.
        problem: String,
    },
    /// Nothing within this time.
    Late(Duration),
    /// It says so itself.
    Answer {
        /// Scheme, host and port.
        origin: String,
        /// Its status.
        status: u16,
        /// Its reason, where it gives one.
        reason: Option<String>,
    },
}

impl Unhealthy {
    /// Whether the server that is meant may still be another one. Readiness has no 400: TLS answers so to plain HTTP.
    fn is_of_nobody_known(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Name(_) | Self::UnknownPort => true,
            Self::Answer { status, .. } => *status == 400,
            _ => false,
        }
    }
}

impl std::error::Error for Unhealthy {}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unhealthy: ")?;
        match self {
            Self::Url => {
                f.write_str("--url is no http or https URL; give one as http://127.0.0.1:8000/proxy/health")
            }
            Self::Configuration(problem) => f.write_str(problem),
            Self::UnknownPort => f.write_str(
                "server.port is 0, so the system chose the port; give --url, or another server.port",
            ),
            Self::Name(problem) => write!(f, "server.host has no address: {problem}"),
            Self::System(problem) => write!(f, "the check cannot run: {problem}"),
            Self::NoAnswer { origin, problem } => write!(
                f,
                "{origin} gives no answer: {problem}; does the proxy run, with the configuration that this check reads?"
            ),
            Self::Late(patience) => write!(f, "no answer within {} s", patience.as_secs_f64()),
            Self::Answer {
                origin,
                status,
                reason,
            } => {
                write!(f, "{origin} answers {status}")?;
                // It may come from anywhere: its line breaks are escaped.
                reason
                    .as_ref()
                    .map_or(Ok(()), |reason| write!(f, ": {}", reason.escape_debug()))
            }
        }
    }
}

/// Asks, within [`PATIENCE`].
///
/// # Errors
/// Where the answer is not of the 2xx, or there is none.
pub fn ask(asked: Asked) -> Result<Healthy, Unhealthy> {
    ask_within(PATIENCE, asked)
}

fn ask_within(patience: Duration, asked: Asked) -> Result<Healthy, Unhealthy> {
    let (tell, told) = mpsc::channel();
    // A look-up of a name can hang and cannot be ended; the end of the process leaves it behind.
    let asking = move || {
        // An error: it comes too late.
        let _ = tell.send(ask_at_leisure(&asked));
    };
    thread::Builder::new()
        .spawn(asking)
        .map_err(|error| Unhealthy::System(error.to_string()))?;
    told.recv_timeout(patience).unwrap_or_else(|error| {
        Err(match error {
            RecvTimeoutError::Timeout => Unhealthy::Late(patience),
            // The runtime panics where it gets no descriptor for itself.
            RecvTimeoutError::Disconnected => Unhealthy::System("raise the limit of open files".to_owned()),
        })
    })
}

fn ask_at_leisure(asked: &Asked) -> Result<Healthy, Unhealthy> {
    let system = |error: io::Error| Unhealthy::System(error.to_string());
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().map_err(system)?;
    actix::System::with_tokio_rt(|| runtime).block_on(async {
        match asked {
            Asked::Server(candidates) => ask_each(candidates, READINESS).await,
            Asked::Freshness(candidates) => ask_each(candidates, FRESHNESS).await,
            Asked::Url(url) => {
                let url = url.parse().map_err(|_| Unhealthy::Url)?;
                ask_one(&url, None, b"").await
            }
        }
    })
}

/// Asks one after the other until one of them is the server that is meant.
async fn ask_each(Candidates { candidates, problem }: &Candidates, path: &str) -> Result<Healthy, Unhealthy> {
    let mut first = None;
    for candidate in candidates {
        match ask_candidate(candidate, path).await {
            Err(unhealthy) if unhealthy.is_of_nobody_known() => {
                first.get_or_insert(unhealthy);
            }
            outcome => return outcome,
        }
    }
    let problem = problem.clone().map(Unhealthy::Configuration);
    Err(problem.or(first).unwrap_or(Unhealthy::UnknownPort))
}

async fn ask_candidate(candidate: &Candidate, path: &str) -> Result<Healthy, Unhealthy> {
    let own = candidate.own_certificate();
    let mut outcome = Err(Unhealthy::Url);
    for url in candidate.urls(path)? {
        outcome = ask_one(&url, own.as_ref(), candidate.preface()).await;
        if !matches!(outcome, Err(Unhealthy::NoAnswer { .. })) {
            break;
        }
    }
    outcome
}

/// Where a server says why.
#[derive(Debug, Deserialize)]
struct Why {
    reason: Option<String>,
    message: Option<String>,
}

async fn ask_one(
    url: &Uri,
    own: Option<&Arc<OwnCertificate>>,
    preface: &'static [u8],
) -> Result<Healthy, Unhealthy> {
    let origin = origin(url).ok_or(Unhealthy::Url)?;
    let system = |error: rustls::Error| Unhealthy::System(error.to_string());
    let mut options = match own {
        Some(own) => UpstreamOptions::new("").with_tls(own.client().map_err(system)?),
        None => UpstreamOptions::new(""),
    };
    options.preface = preface;
    let client = options.client(url, PATIENCE);
    let answer = client.get(url, &|request| request.force_close()).await;
    let answer = answer.map_err(|fault| Unhealthy::NoAnswer {
        origin: origin.clone(),
        problem: fault.to_string(),
    })?;
    let status = answer.status();
    if status.is_success() {
        let has_shown_another = own.is_some_and(|own| own.has_shown_another());
        return Ok(Healthy {
            origin,
            status,
            has_shown_another,
        });
    }
    let why: Option<Why> = serde_json::from_slice(&read(answer).await).ok();
    Err(Unhealthy::Answer {
        origin,
        status: status.as_u16(),
        reason: why.and_then(|why| why.reason.or(why.message)),
    })
}

/// Reads what there is of a body, up to its limit.
async fn read<E>(answer: impl Stream<Item = Result<Bytes, E>>) -> Vec<u8> {
    let mut pieces = pin!(answer);
    let mut body = Vec::new();
    while body.len() < LONGEST_BODY
        && let Some(Ok(piece)) = pieces.next().await
    {
        body.extend_from_slice(&piece);
    }
    body
}

/// Scheme, host and port. The rest of a URL may hold a password or a key; this is written.
fn origin(url: &Uri) -> Option<String> {
    let scheme = url
        .scheme_str()
        .filter(|scheme| ["http", "https"].contains(scheme))?;
    let host = url.host().filter(|host| !host.is_empty())?;
    let port = url.port_u16().map_or_else(String::new, |port| format!(":{port}"));
    Some(format!("{scheme}://{host}{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_url_is_its_origin() {
        let origin = |url: &str| url.parse().ok().as_ref().and_then(origin);
        for (url, expected) in [
            (
                "http://s3cret:s3cret@[::1]:8000/s3cret?s3cret",
                Some("http://[::1]:8000"),
            ),
            ("https://proxy.example.com", Some("https://proxy.example.com")),
            ("ftp://proxy.example.com/", None),
            ("/proxy/health", None),
            ("proxy.example.com:8000", None),
        ] {
            assert_eq!(origin(url).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn a_server_that_says_nothing_is_waited_for_no_longer() {
        let patience = Duration::from_millis(20);
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let outcome = ask_within(patience, Asked::Url(url));
        assert_eq!(outcome, Err(Unhealthy::Late(patience)));
    }

    #[test]
    fn a_reason_is_one_line() {
        let unhealthy = Unhealthy::Answer {
            origin: "http://proxy".to_owned(),
            status: 503,
            reason: Some("a\nb".to_owned()),
        };
        assert_eq!(
            unhealthy.to_string(),
            r"unhealthy: http://proxy answers 503: a\nb"
        );
    }
}
