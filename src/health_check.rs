//! `edge-proxy health`: asks a running proxy whether it is ready. For those who can run a program and send no request, as
//! Docker's HEALTHCHECK in an image without a shell.
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use actix_web::http::Uri;
use actors::upstream::{Journal, NoSuchPort, Peer, Step, UpstreamOptions, named_port};

use crate::settings::ConfigurationSource;

mod answer;
mod candidates;
mod outcome;

use answer::{Counts, is_of_readiness, read, reason};
use candidates::Candidate;
pub use candidates::{Candidates, serving};
pub use outcome::{Healthy, Unhealthy};

/// How long the whole check may take, look-ups of names included. Docker gives it 30 s unless told otherwise; a proxy that
/// needs this long for an answer serves nobody.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// What the server is asked. Readiness and not `/proxy/health`: whoever replaces an unhealthy container must not do so in an
/// outage of upstream, in which the proxy answers from its last documents.
const READINESS: &str = "/proxy/health/readiness";
/// Whether documents are fresh, too.
const FRESHNESS: &str = "/proxy/health";

/// Who is asked.
#[derive(Debug)]
pub enum Asked {
    /// The server of a configuration, on this machine.
    Configuration(ConfigurationSource),
    /// The same, of one that is read already; whoever answers there must do so as a proxy does.
    Server(Candidates),
    /// The same, whether its documents are fresh.
    Freshness(Candidates),
    /// An `http` or `https` URL, as it was written.
    Url(String),
}

/// Asks, within [`PATIENCE`].
///
/// # Errors
/// Where the answer is not of the 2xx, or there is none; of [`Asked::Server`] also where no proxy answers so.
pub fn ask(asked: Asked) -> Result<Healthy, Unhealthy> {
    ask_within(PATIENCE, asked)
}

fn ask_within(patience: Duration, asked: Asked) -> Result<Healthy, Unhealthy> {
    let (tell, told) = mpsc::channel();
    // A look-up of a name and a disk can hang, and cannot be ended; the end of the process leaves it behind.
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
            Asked::Configuration(source) => ask_configured(source).await,
            Asked::Server(candidates) => ask_each(candidates, READINESS, Counts::OfProxy).await,
            Asked::Freshness(candidates) => ask_each(candidates, FRESHNESS, Counts::OfAnybody).await,
            Asked::Url(url) => {
                let url = url.parse().map_err(|_| Unhealthy::Url)?;
                named_port(&url).map_err(|NoSuchPort| Unhealthy::Port)?;
                ask_one(&url, None, b"", Counts::OfAnybody).await
            }
        }
    })
}

/// Asks whoever has left word where that needs no configuration, which may be on a disk that hangs; then as it says.
async fn ask_configured(source: &ConfigurationSource) -> Result<Healthy, Unhealthy> {
    match ask_each(&Candidates::known_without(source), READINESS, Counts::OfAnybody).await {
        Err(unhealthy) if unhealthy.is_of_nobody_known() => {
            ask_each(&Candidates::of(source), READINESS, Counts::OfAnybody).await
        }
        outcome => outcome,
    }
}

/// Asks one after the other until one of them is the server that is meant.
async fn ask_each(
    Candidates { candidates, problem }: &Candidates,
    path: &str,
    counts: Counts,
) -> Result<Healthy, Unhealthy> {
    let mut first = None;
    for candidate in candidates {
        match ask_candidate(candidate, path, counts).await {
            Err(unhealthy) if unhealthy.is_of_nobody_known() => {
                first.get_or_insert(unhealthy);
            }
            outcome => return outcome,
        }
    }
    let problem = problem.clone().map(Unhealthy::Configuration);
    Err(problem.or(first).unwrap_or(Unhealthy::UnknownPort))
}

async fn ask_candidate(candidate: &Candidate, path: &str, counts: Counts) -> Result<Healthy, Unhealthy> {
    let own = candidate.own_certificate();
    let mut outcome = Err(Unhealthy::Url);
    for url in candidate.urls(path)? {
        outcome = ask_one(&url, own.as_ref(), candidate.preface(), counts).await;
        if !matches!(outcome, Err(Unhealthy::NoAnswer { .. })) {
            break;
        }
    }
    outcome
}

/// The certificate that the server beside has to show: no root certificate vouches for `127.0.0.1`, so it is the one in its own
/// file; `None`: the file holds none at the moment.
///
/// A server that shows another one is asked all the same, and the outcome says so: it keeps the certificate before where a
/// renewal has gone wrong, whatever the file holds then, and serves. Whoever replaces unhealthy containers would make an
/// outage of that.
struct OwnCertificate(Option<Vec<u8>>);

impl OwnCertificate {
    /// Whether the server has shown another one, by what was noted.
    fn is_another_in(&self, journal: &Journal) -> bool {
        let is_other = |step: &Step| match step {
            Step::Certificates(Peer::Server, chain) => chain.first() != self.0.as_ref(),
            _ => false,
        };
        journal.steps().iter().any(is_other)
    }
}

async fn ask_one(
    url: &Uri,
    own: Option<&OwnCertificate>,
    preface: &'static [u8],
    counts: Counts,
) -> Result<Healthy, Unhealthy> {
    let origin = origin(url).ok_or(Unhealthy::Url)?;
    let mut options = UpstreamOptions::new("");
    if own.is_some() {
        options = options.trusting_anybody();
    }
    options.preface = preface;
    let journal = Journal::kept();
    options.journal = journal.clone();
    let client = options.client(url, PATIENCE);
    let answer = client.get(url, &|request| request.force_close()).await;
    let answer = answer.map_err(|fault| Unhealthy::NoAnswer {
        origin: origin.clone(),
        problem: fault.to_string(),
    })?;
    let status = answer.status();
    let is_body_read = !status.is_success() || counts == Counts::OfProxy;
    let body = if is_body_read {
        read(answer).await
    } else {
        Vec::new()
    };
    if counts == Counts::OfProxy && !is_of_readiness(status, &body) {
        return Err(Unhealthy::Foreign {
            origin,
            status: status.as_u16(),
        });
    }
    if status.is_success() {
        let has_shown_another = own.is_some_and(|own| own.is_another_in(&journal));
        return Ok(Healthy {
            origin,
            status,
            has_shown_another,
        });
    }
    Err(Unhealthy::Answer {
        origin,
        status: status.as_u16(),
        reason: reason(&body),
    })
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
    fn a_configuration_that_is_not_read_to_its_end_is_waited_for_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("config.json");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let patience = Duration::from_millis(20);
        let source = ConfigurationSource::new(Some(&pipe), []);
        let outcome = ask_within(patience, Asked::Configuration(source));
        assert_eq!(outcome, Err(Unhealthy::Late(patience)));
    }

    #[test]
    fn a_server_that_says_nothing_is_waited_for_no_longer() {
        let patience = Duration::from_millis(20);
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let outcome = ask_within(patience, Asked::Url(url));
        assert_eq!(outcome, Err(Unhealthy::Late(patience)));
    }
}
