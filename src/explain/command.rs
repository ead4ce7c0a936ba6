//! `edge-proxy explain`.
use std::net::SocketAddr;

use actix_web::http::StatusCode;

use super::alone;
use super::answer::{Refusal, explain};
use super::asking::Asking;
use super::client::{NoAnswer, ask};
use crate::loopback::reachable;
use crate::settings::{AdminSettings, ListenHost, Secret, Settings};

/// How an explanation is sought.
pub(crate) struct Sought {
    pub asking: Asking,
    /// JSON, not text.
    pub as_json: bool,
    /// The admin address of a running proxy, in place of the configuration's.
    pub url: Option<String>,
    /// The admin port's token, in place of the configuration's.
    pub token: Option<Secret>,
    /// Whether no running proxy is asked.
    pub is_alone: bool,
}

/// What came of it.
pub(crate) enum Outcome {
    /// What is to be printed.
    Explained(Vec<u8>),
    /// There is no such environment, or no such feature.
    Unknown(String),
    /// The question cannot be understood.
    Misunderstood(String),
    /// The admin port does not take the token.
    Unauthorized(String),
    /// There is no document, or no answer.
    Failed(String),
}

/// Asks the running proxy of these settings, or explains alone where there is none. `tell` hears what the asker is to know
/// beside, a line each. Needs a running actix `System`.
pub(crate) async fn run(settings: Option<&Settings>, sought: &Sought, mut tell: impl FnMut(&str)) -> Outcome {
    let own = settings.map_or(Own::None, |settings| Own::of(&settings.admin));
    let asked = match (&sought.url, own) {
        _ if sought.is_alone => Vec::new(),
        (Some(url), _) => vec![url.clone()],
        (None, Own::At(urls)) => urls,
        (None, Own::ChosenBySystem) => {
            tell(
                "admin.port is 0, so the system chooses the admin port: say by --url where a running proxy has it, as its log \
                 does; explained from the configuration alone",
            );
            Vec::new()
        }
        (None, Own::None) => Vec::new(),
    };
    let token = settings.and_then(|settings| settings.admin.token.as_ref());
    let brought = match (&sought.token, token) {
        (Some(_), _) => Brought::File,
        (None, Some(_)) => Brought::Configuration,
        (None, None) => Brought::Nothing,
    };
    let token = sought.token.as_ref().or(token);
    let mut unanswered = None;
    for url in asked {
        match ask(&url, token, &sought.asking, sought.as_json).await {
            Ok(answer) => return Outcome::Explained(answer),
            // Another process may have the document.
            Err(no_answer @ (NoAnswer::Unreachable(..) | NoAnswer::Foreign(_))) if sought.url.is_none() => {
                unanswered.get_or_insert(no_answer);
            }
            Err(no_answer) => return refused(no_answer, brought),
        }
    }
    if let Some(no_answer) = unanswered {
        tell(&format!("{no_answer}: explained from the configuration alone"));
    }
    let Some(settings) = settings else {
        return Outcome::Failed("there is neither a configuration nor --url to ask by".to_owned());
    };
    let held = alone::hold(settings, &sought.asking).await;
    match explain(&sought.asking, held) {
        Ok(answer) if sought.as_json => Outcome::Explained(answer.to_json()),
        Ok(answer) => Outcome::Explained(answer.to_string().into_bytes()),
        Err(refusal @ (Refusal::Environment(..) | Refusal::Feature(_))) => {
            Outcome::Unknown(refusal.to_string())
        }
        Err(refusal @ Refusal::Identity(_)) => Outcome::Misunderstood(refusal.to_string()),
        Err(refusal) => Outcome::Failed(refusal.to_string()),
    }
}

/// Where the token is from that the admin port was sent.
#[derive(Debug, Clone, Copy)]
enum Brought {
    /// There was none.
    Nothing,
    /// `--token-file`.
    File,
    /// `admin.token` of the configuration that this command reads.
    Configuration,
}

impl Brought {
    /// What to do where the admin port does not take it. The port's own answer is for those who write their requests themselves.
    const fn advice(self) -> &'static str {
        match self {
            Self::Nothing => "it asks for its admin.token; name a file that holds it by --token-file",
            Self::File => "the file of --token-file does not hold its admin.token; name one that does",
            Self::Configuration => {
                "admin.token of the configuration that was read here is not its own; name a file that holds the running proxy's by \
                 --token-file"
            }
        }
    }
}

fn refused(no_answer: NoAnswer, brought: Brought) -> Outcome {
    let line = no_answer.to_string();
    match no_answer {
        NoAnswer::Refused(status @ StatusCode::UNAUTHORIZED, _) => {
            Outcome::Unauthorized(NoAnswer::Refused(status, brought.advice().to_owned()).to_string())
        }
        NoAnswer::Refused(StatusCode::NOT_FOUND | StatusCode::CONFLICT, why) => Outcome::Unknown(why),
        NoAnswer::Refused(StatusCode::BAD_REQUEST, why) => Outcome::Misunderstood(why),
        NoAnswer::Refused(StatusCode::FORBIDDEN, _) => Outcome::Unauthorized(line),
        NoAnswer::Url | NoAnswer::Port => Outcome::Misunderstood(line),
        _ => Outcome::Failed(line),
    }
}

/// The admin port of a configuration.
enum Own {
    None,
    /// The system chooses its port, so nobody knows it from the configuration.
    ChosenBySystem,
    /// Where it is asked: the first that answers counts.
    At(Vec<String>),
}

impl Own {
    fn of(admin: &AdminSettings) -> Self {
        let port = match admin.port {
            None => return Self::None,
            Some(0) => return Self::ChosenBySystem,
            Some(port) => port,
        };
        let addresses = match &admin.host {
            ListenHost::Name(name) => return Self::At(vec![format!("http://{name}:{port}")]),
            ListenHost::Address(address) => reachable(*address).into_iter(),
        };
        let url = |address| format!("http://{}", SocketAddr::new(address, port));
        Self::At(addresses.map(url).collect())
    }
}
