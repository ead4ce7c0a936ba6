//! What came of asking.
use std::fmt;
use std::time::Duration;

use actix_web::http::StatusCode;
use actors::upstream::NoSuchPort;

/// It is healthy, as a line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthy {
    pub(super) origin: String,
    pub(super) status: StatusCode,
    /// Whether it has shown another certificate than that of its file.
    pub(super) has_shown_another: bool,
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
    /// `--url` names a port that there is not.
    Port,
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
    /// An answer, and not one that a proxy gives.
    Foreign {
        /// Scheme, host and port.
        origin: String,
        /// Its status.
        status: u16,
    },
}

impl Unhealthy {
    /// Whether the server that is meant may still be another one. Readiness has no 400: TLS answers so to plain HTTP, and may do
    /// so with any other status where no proxy answers.
    pub(super) fn is_of_nobody_known(&self) -> bool {
        match self {
            Self::NoAnswer { .. } | Self::Foreign { .. } | Self::Name(_) | Self::UnknownPort => true,
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
            Self::Port => write!(
                f,
                "--url {NoSuchPort}; give one as http://127.0.0.1:8000/proxy/health"
            ),
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
            Self::Foreign { origin, status } => {
                write!(f, "{origin} answers {status}, and not as a proxy does")
            }
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

#[cfg(test)]
mod tests {
    use super::*;

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
