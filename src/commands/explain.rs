//! `edge-proxy explain`.
use super::{Failure, in_system, token_file, write_error, write_out};
use crate::cli::{EXIT_CONFIGURATION, EXIT_UNEXPLAINED, EXIT_USAGE, ExplainArguments};
use crate::explain::{self, Asking, Outcome, Sought};
use crate::settings::Loaded;

pub(super) fn run(arguments: ExplainArguments) -> Result<u8, Failure> {
    let loaded = arguments.configuration.load();
    let settings = match (loaded, &arguments.url) {
        (Ok(Loaded { settings, .. }), _) => Some(settings),
        // Whoever asks a proxy elsewhere needs none.
        (Err(_), Some(_)) => None,
        (Err(failure), None) => return Err(failure),
    };
    let sought = sought(arguments)?;
    let explained =
        in_system(async move { explain::run(settings.as_ref(), &sought, |line| write_error(line)).await })?;
    match explained {
        Outcome::Explained(text) => write_out("the explanation", text).map(|()| 0),
        Outcome::Unknown(line) | Outcome::Failed(line) => Err(Failure::new(EXIT_UNEXPLAINED, line)),
        Outcome::Misunderstood(line) => Err(Failure::new(EXIT_USAGE, line)),
        Outcome::Unauthorized(line) => Err(Failure::new(EXIT_CONFIGURATION, line)),
    }
}

fn sought(arguments: ExplainArguments) -> Result<Sought, Failure> {
    let token = arguments.token_file.map(token_file::read).transpose();
    let token = token.map_err(|problem| Failure::configuration(format!("--token-file {problem}")))?;
    let traits = arguments.traits.iter().map(|sent| sent.0.to_json());
    let asking = Asking {
        environment: arguments.environment,
        identifier: arguments.identifier,
        traits: traits.collect(),
        feature: arguments.feature,
        is_server_side: arguments.server_side,
    };
    Ok(Sought {
        asking,
        as_json: arguments.json,
        url: arguments.url,
        token,
        is_alone: arguments.alone,
    })
}
