//! Starts the edge proxy.
use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use actors::environment::foreign_files;
use edge_proxy::application::{
    Application, Beginning, EXIT_SYSTEM, Limits, Signals, StartError, requirements,
};
use edge_proxy::cli::{self, Command, EXIT_CONFIGURATION, EXIT_NO_SNAPSHOT, EXIT_UNHEALTHY, EXIT_USAGE};
use edge_proxy::health_check::{self, Asked, Candidates};
use edge_proxy::logging;
use edge_proxy::server::{open_files, tls};
use edge_proxy::serving_record::ServingRecord;
use edge_proxy::settings::{ConfigurationSource, Loaded, Settings};
use edge_proxy::snapshot;

fn main() -> ExitCode {
    let outcome = match cli::parse(std::env::args_os().skip(1)) {
        Ok(Command::Serve { config_path }) => serve(config_path),
        Ok(Command::Check { config_path }) => check(config_path),
        Ok(Command::Health { config_path, url }) => health(config_path, url),
        Ok(Command::Snapshot {
            config_path,
            directory,
        }) => snapshot(config_path, directory),
        Ok(Command::Help) => {
            write_out(cli::HELP);
            Ok(0)
        }
        Ok(Command::Version) => {
            write_out(&format!("{}\n", cli::VERSION));
            Ok(0)
        }
        Err(error) => Err(Failure::new(EXIT_USAGE, error)),
    };
    let code = match outcome {
        Ok(code) => code,
        Err(Failure { code, line }) => {
            logging::write_last(&format!("edge-proxy: {line}"));
            code
        }
    };
    logging::flush();
    code.into()
}

/// Writes to standard output. A reader that has gone (`edge-proxy --help | head -1`) is no failure, but `print!` would
/// panic.
fn write_out(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Writes one line for the operator, outside of the log.
fn write_error(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "edge-proxy: {line}");
}

/// What ends the process: its exit code and one line.
struct Failure {
    code: u8,
    line: String,
}

impl Failure {
    fn new(code: u8, line: impl ToString) -> Self {
        Self {
            code,
            line: line.to_string(),
        }
    }
}

fn source(config_path: Option<PathBuf>) -> ConfigurationSource {
    let variables = std::env::vars_os().map(|(name, value)| {
        (
            name.to_string_lossy().into_owned(),
            value.to_string_lossy().into_owned(),
        )
    });
    ConfigurationSource::new(config_path.as_deref(), variables)
}

fn load(source: &ConfigurationSource) -> Result<Loaded, Failure> {
    source
        .load()
        .map_err(|error| Failure::new(EXIT_CONFIGURATION, error))
}

fn check(config_path: Option<PathBuf>) -> Result<u8, Failure> {
    let loaded = load(&source(config_path))?;
    for notice in &loaded.notices {
        write_error(notice);
    }
    loaded
        .settings
        .check_fallbacks()
        .map_err(|error| Failure::new(EXIT_CONFIGURATION, error))?;
    for (place, foreign) in foreign_files(&loaded.settings.environments) {
        write_error(format_args!("key pair {place}: {foreign}"));
    }
    if let Some(settings) = &loaded.settings.server.tls {
        tls::check(settings).map_err(|error| Failure::new(EXIT_CONFIGURATION, error))?;
    }
    write_out(&format!("{}\n", loaded.settings.effective_json()));
    Ok(0)
}

/// Docker knows 0 and 1 alone. A configuration that cannot be used is no failure by itself: a process serves by the one before.
fn health(config_path: Option<PathBuf>, url: Option<String>) -> Result<u8, Failure> {
    let unhealthy = |line: &dyn fmt::Display| Failure::new(EXIT_UNHEALTHY, line);
    let asked = match url {
        Some(url) => Asked::Url(url),
        None => Asked::Server(Candidates::of(&source(config_path))),
    };
    let healthy = health_check::ask(asked).map_err(|error| unhealthy(&error))?;
    write_out(&format!("{healthy}\n"));
    Ok(0)
}

fn serve(config_path: Option<PathBuf>) -> Result<u8, Failure> {
    let beginning = Beginning::start().map_err(system)?;
    let source = source(config_path);
    let loaded = load(&source)?;
    let settings = &loaded.settings;
    logging::init(&settings.logging).map_err(|error| {
        Failure::new(
            EXIT_SYSTEM,
            format!("cannot start the log's thread: {error}; raise the limits of threads and of open files"),
        )
    })?;
    for notice in &loaded.notices {
        notice.log();
    }
    let open_files = open_files::raise_limit();
    requirements::check(settings).map_err(|shortage| Failure::new(EXIT_SYSTEM, shortage))?;
    log::info!("up to {open_files} open files");
    in_system(async move {
        let Signals { stop, hang_ups } = beginning.end().map_err(system)?;
        let mut application = Application::build(&loaded.settings, Limits::default()).map_err(unbuilt)?;
        // Until the process ends.
        let _record = leave_record(&source, &loaded.settings, application.addresses());
        application.follow(source, &loaded, hang_ups).map_err(system)?;
        application
            .run_until_stopped(stop)
            .await
            .map(|outcome| outcome.exit_code())
            .map_err(system)
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
    ServingRecord::leave(source.path(), directory, &serving)
        .inspect_err(|error| {
            log::info!(
                "no word is left for edge-proxy health of where this process listens ({error}): once the configuration says \
                 something else, it is found at the address there alone"
            );
        })
        .ok()
}

fn snapshot(config_path: Option<PathBuf>, directory: Option<PathBuf>) -> Result<u8, Failure> {
    let Loaded {
        settings, notices, ..
    } = load(&source(config_path))?;
    notices.iter().for_each(write_error);
    let directory = directory.unwrap_or_else(|| PathBuf::from("."));
    let tell = |is_failure, line: &str| match is_failure {
        true => write_error(line),
        false => write_out(&format!("{line}\n")),
    };
    let taken = in_system(async move { snapshot::take(&settings, &directory, tell).await })?;
    Ok(if taken { 0 } else { EXIT_NO_SNAPSHOT })
}

/// Runs it on an actix `System` of this thread.
fn in_system<T>(run: impl Future<Output = T>) -> Result<T, Failure> {
    // The TLS of awc takes the provider of the process. This fails only where another is installed, which serves too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(EXIT_SYSTEM, format!("cannot start the runtime: {error}")))?;
    Ok(actix::System::with_tokio_rt(|| runtime).block_on(run))
}

fn unbuilt(error: StartError) -> Failure {
    let code = match error {
        StartError::Tls(_) => EXIT_CONFIGURATION,
        StartError::Listen(_) | StartError::Thread(_) => EXIT_SYSTEM,
    };
    Failure::new(code, error)
}

fn system(error: io::Error) -> Failure {
    Failure::new(EXIT_SYSTEM, error)
}
