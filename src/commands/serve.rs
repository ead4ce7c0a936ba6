//! `edge-proxy serve`, and `edge-proxy` alone.
use std::net::SocketAddr;

use super::{Failure, in_system, load};
use crate::application::{Application, Beginning, Limits, Signals, StartError, requirements};
use crate::cli::ServeArguments;
use crate::health_check;
use crate::logging;
use crate::server::open_files;
use crate::serving_record::ServingRecord;
use crate::settings::{ConfigurationSource, Settings};

pub(super) fn run(arguments: &ServeArguments) -> Result<u8, Failure> {
    let beginning = Beginning::start().map_err(Failure::system)?;
    let source = arguments.configuration.source();
    let loaded = load(&source)?;
    let settings = &loaded.settings;
    logging::init(&settings.logging).map_err(|error| {
        Failure::system(format!(
            "cannot start the log's thread: {error}; raise the limits of threads and of open files"
        ))
    })?;
    for notice in &loaded.notices {
        notice.log();
    }
    let open_files = open_files::raise_limit();
    requirements::check(settings).map_err(Failure::system)?;
    log::info!("up to {open_files} open files");
    in_system(async move {
        let Signals { stop, hang_ups } = beginning.end().map_err(Failure::system)?;
        let mut application = Application::build(&loaded.settings, Limits::default()).map_err(unbuilt)?;
        // Until the process ends.
        let _record = leave_record(&source, &loaded.settings, application.addresses());
        application
            .follow(source, &loaded, hang_ups)
            .map_err(Failure::system)?;
        application
            .run_until_stopped(stop)
            .await
            .map(|outcome| outcome.exit_code())
            .map_err(Failure::system)
    })?
}

/// Leaves word for `edge-proxy health`, which makes do without.
fn leave_record(
    source: &ConfigurationSource,
    settings: &Settings,
    addresses: &[SocketAddr],
) -> Option<ServingRecord> {
    let serving = health_check::serving(settings, addresses);
    let directory = settings.persistence.directory.as_deref();
    ServingRecord::leave(source, directory, &serving)
        .inspect_err(|error| {
            log::info!(
                "no word is left for edge-proxy health of where this process listens ({error}): once the configuration says \
                 something else, it is found at the address there alone"
            );
        })
        .ok()
}

fn unbuilt(error: StartError) -> Failure {
    match error {
        StartError::Tls(_) => Failure::configuration(error),
        StartError::Listen(_) | StartError::Thread(_) => Failure::system(error),
    }
}
