//! What ends the start: one line that names the option, its problem, and where it came from.
use std::fmt;
use std::path::PathBuf;

use actors::in_line::in_line;

use super::notice::one_line;

/// Where an option's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The configuration file.
    File(PathBuf),
    /// The environment variable of this name, spelt as found.
    Variable(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.write_str(&in_line(path.display())),
            Self::Variable(name) => write!(f, "environment variable {}", one_line(name.clone())),
        }
    }
}

/// Why a configuration cannot be used. Displays as one line without any option's text, so never a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsError {
    /// There is no configuration file, and the variables give no key pairs.
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// The configuration file is there and cannot be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        problem: String,
    },
    /// The file or a variable is no JSON.
    NotJson {
        /// The file or the variable.
        origin: Origin,
        /// Line and column, and what is wrong there.
        problem: String,
    },
    /// `environment_key_pairs` is given nowhere.
    NoKeyPairs {
        /// The configuration file that was read or looked for.
        path: PathBuf,
    },
    /// A key pair's document, or its fallback, is a file that cannot be used.
    Document {
        /// The pair's place in `environment_key_pairs`, from 0.
        pair: usize,
        /// The pair's option that names the file.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it, in words that follow its name.
        problem: String,
    },
    /// An option's value cannot be used.
    Invalid {
        /// The option's path, as in `server.port` or `environment_key_pairs[0].server_side_key`.
        option: String,
        /// Where its value came from.
        origin: Origin,
        /// What is wrong and what to give instead.
        problem: String,
    },
}

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(
                f,
                "configuration file {} does not exist and environment variable ENVIRONMENT_KEY_PAIRS is not set: \
                 give one of them (another file by --config or CONFIG_PATH)",
                in_line(path.display())
            ),
            Self::Unreadable { path, problem } => {
                write!(
                    f,
                    "configuration file {} cannot be read: {problem}",
                    in_line(path.display())
                )
            }
            Self::NotJson { origin, problem } => write!(f, "{origin} is not valid JSON: {problem}"),
            Self::NoKeyPairs { path } => write!(
                f,
                "environment_key_pairs is set neither in {} nor by the environment variable ENVIRONMENT_KEY_PAIRS: \
                 give a list of {{\"server_side_key\", \"client_side_key\"}}",
                in_line(path.display())
            ),
            Self::Document {
                pair,
                option,
                path,
                problem,
            } => write!(
                f,
                "environment_key_pairs[{pair}].{option} ({}) {problem}: give an environment document, as edge-proxy snapshot \
                 writes it",
                in_line(path.display())
            ),
            Self::Invalid {
                option,
                origin,
                problem,
            } => write!(f, "{option} (from {origin}) {problem}"),
        }
    }
}
