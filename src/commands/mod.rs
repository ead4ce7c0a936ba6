//! What the commands do, but for serving itself: each reads its configuration, hands over, and says how it went.
//!
//! # Layout
//! - `mod.rs`: [`run`], and what ends a command.
//! - `serve`, `check`, `health`, `snapshot`, `doctor`, `explain`: one file a command.
//! - `token_file`: a token that a command is given.
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsFd as _;

use crate::application::EXIT_SYSTEM;
use crate::cli::{Command, ConfigurationArgument, EXIT_CONFIGURATION, EXIT_UNWRITTEN};
use crate::settings::{ConfigurationSource, Loaded};

mod check;
mod doctor;
mod explain;
mod health;
mod serve;
mod snapshot;
mod token_file;

/// What ends the process with another code than its command's: the code, and one line.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: u8,
    /// Why, and what to do.
    pub line: String,
}

impl Failure {
    /// Ends the process with this code and this line.
    pub fn new(code: u8, line: impl ToString) -> Self {
        Self {
            code,
            line: line.to_string(),
        }
    }

    /// The configuration cannot be used.
    pub(crate) fn configuration(line: impl ToString) -> Self {
        Self::new(EXIT_CONFIGURATION, line)
    }

    /// The system refuses something.
    pub(crate) fn system(line: impl ToString) -> Self {
        Self::new(EXIT_SYSTEM, line)
    }
}

/// Does what the command line asks for, to its end. Gives the exit code.
///
/// # Errors
/// Where it cannot: with a line for the operator.
pub fn run(command: Command) -> Result<u8, Failure> {
    match command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Health(arguments) => health::run(arguments),
        Command::Snapshot(arguments) => snapshot::run(arguments),
        Command::Doctor(arguments) => doctor::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
    }
}

/// Writes to standard output. A reader that has gone (`edge-proxy --help | head -1`) is no failure, but `print!` would
/// panic. Where standard output is closed there is `/dev/null` in its place, before any line of ours runs.
///
/// # Errors
/// Where it cannot be written: whoever asked for it does not have it. `what`: what that is, for the line.
pub fn write_out(what: &str, text: impl AsRef<[u8]>) -> Result<(), Failure> {
    match write_whole(text.as_ref()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let line = format!("{what} cannot be written: {error}");
            Err(Failure::new(EXIT_UNWRITTEN, line))
        }
        _ => Ok(()),
    }
}

/// As to a file: `Stdout` takes a descriptor that cannot be written to for one that takes everything.
fn write_whole(bytes: &[u8]) -> io::Result<()> {
    let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    out.write_all(bytes)
}

/// Writes one line for the operator, outside of the log.
pub(crate) fn write_error(line: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "edge-proxy: {line}");
}

impl ConfigurationArgument {
    /// Where this process has its configuration from: this file and its variables.
    pub(crate) fn source(&self) -> ConfigurationSource {
        let variables = std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned(),
            )
        });
        ConfigurationSource::new(self.path.as_deref(), variables)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Where it cannot be used.
    pub(crate) fn load(&self) -> Result<Loaded, Failure> {
        load(&self.source())
    }
}

fn load(source: &ConfigurationSource) -> Result<Loaded, Failure> {
    source.load().map_err(Failure::configuration)
}

/// Runs it on an actix `System` of this thread.
///
/// # Errors
/// Where the system gives no runtime.
pub(crate) fn in_system<T>(run: impl Future<Output = T>) -> Result<T, Failure> {
    // The TLS of awc takes the provider of the process. This fails only where another is installed, which serves too.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::system(format!("cannot start the runtime: {error}")))?;
    Ok(actix::System::with_tokio_rt(|| runtime).block_on(run))
}
