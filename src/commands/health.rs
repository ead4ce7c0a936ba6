//! `edge-proxy health`.
use super::{Failure, write_out};
use crate::cli::{EXIT_UNHEALTHY, HealthArguments};
use crate::health_check::{self, Asked};

/// Docker knows 0 and 1 alone. A configuration that cannot be used is no failure by itself: a process serves by the one before.
pub(super) fn run(HealthArguments { configuration, url }: HealthArguments) -> Result<u8, Failure> {
    let asked = match url {
        Some(url) => Asked::Url(url),
        None => Asked::Configuration(configuration.source()),
    };
    let healthy = health_check::ask(asked).map_err(|error| Failure::new(EXIT_UNHEALTHY, error))?;
    // The code is the answer: a proxy is no less healthy where nobody can read the line.
    let _ = write_out("the answer", format!("{healthy}\n"));
    Ok(0)
}
