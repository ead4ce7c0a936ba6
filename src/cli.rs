//! The command line.
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Serve flags.
    Serve {
        /// `--config`.
        config_path: Option<PathBuf>,
    },
    /// Check the configuration, print it with keys masked, and end.
    Check {
        /// `--config`.
        config_path: Option<PathBuf>,
    },
    /// Print [`HELP`] and end.
    Help,
    /// Print [`VERSION`] and end.
    Version,
}

/// What `--help` prints.
pub const HELP: &str = "";

/// What `--version` prints.
pub const VERSION: &str = concat!("edge-proxy ", env!("CARGO_PKG_VERSION"));

/// Exit code for a command line that cannot be understood (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;

/// Exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIGURATION: u8 = 78;

/// A command line that cannot be understood. Displays as one line with the usage after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliError {
    /// An argument that is none of ours.
    Unknown(String),
    /// `--config` without a path.
    MissingPath,
}

impl std::error::Error for CliError {}

impl fmt::Display for CliError {
    fn fmt(&self, _f: &mut fmt::Formatter<'_>) -> fmt::Result {
        todo!()
    }
}

/// Reads the arguments, the program's name left out.
///
/// # Errors
/// An unknown argument, or `--config` without a path: exit with [`EXIT_USAGE`].
pub fn parse(_args: impl IntoIterator<Item = OsString>) -> Result<Command, CliError> {
    todo!()
}
