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
pub const HELP: &str = "\
A self-hosted Flagsmith edge proxy.

Usage: edge-proxy [--config PATH] [--check]

Options:
  --config PATH  configuration file (default: $CONFIG_PATH, else config.json)
  --check        check the configuration, print it with keys masked, and end
  --help         print this and end
  --version      print the version and end

Every option of the configuration file is also an environment variable, which wins:
  ENVIRONMENT_KEY_PAIRS='[{\"server_side_key\":\"ser.…\",\"client_side_key\":\"…\"}]'
  API_URL, API_POLL_FREQUENCY_SECONDS, LOGGING='{\"log_level\":\"DEBUG\"}', …

Exit codes: 0 stopped in order; 64 unknown argument; 70 a part of the program died; 71 the system
refused something, such as the port, threads or open files; 78 the configuration cannot be used;
130, 131 or 143 a second SIGINT, SIGQUIT or SIGTERM cut what was unfinished.
";

/// What `--version` prints.
pub const VERSION: &str = concat!("edge-proxy ", env!("CARGO_PKG_VERSION"));

/// Exit code for a command line that cannot be understood (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;

/// Exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIGURATION: u8 = 78;

/// A command line that cannot be understood. Displays as one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliError {
    /// An unknown option: its name alone, because its value may be a key.
    Unknown(String),
    /// Text that is no option, at this place (from 1).
    Unexpected(usize),
    /// `--config` without a path.
    MissingPath,
    /// `--config` twice.
    RepeatedPath,
}

impl std::error::Error for CliError {}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown option {name:?}"),
            Self::Unexpected(place) => write!(f, "argument {place} is no option"),
            Self::MissingPath => f.write_str("--config needs a path"),
            Self::RepeatedPath => f.write_str("--config is given twice"),
        }?;
        f.write_str(" (usage: edge-proxy [--config PATH] [--check], or --help)")
    }
}

/// Reads the arguments, without the program's name.
///
/// # Errors
/// An argument that is none of ours, or `--config` without a path or twice: exit with [`EXIT_USAGE`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, CliError> {
    let mut args = args.into_iter().zip(1..);
    let mut config_path = None;
    let mut is_check = false;
    while let Some((argument, place)) = args.next() {
        let text = argument.to_string_lossy();
        let path = match text.as_ref() {
            // These two win over whatever follows.
            "--help" | "-h" => return Ok(Command::Help),
            "--version" | "-V" => return Ok(Command::Version),
            "--check" => {
                is_check = true;
                continue;
            }
            "--config" => args.next().map(|(path, _)| path),
            other => match other.strip_prefix("--config=") {
                Some(path) => Some(OsString::from(path)),
                None => return Err(unknown(other, place)),
            },
        };
        let path = path
            .filter(|path| !path.is_empty())
            .ok_or(CliError::MissingPath)?;
        if config_path.replace(PathBuf::from(path)).is_some() {
            return Err(CliError::RepeatedPath);
        }
    }
    Ok(if is_check {
        Command::Check { config_path }
    } else {
        Command::Serve { config_path }
    })
}

fn unknown(argument: &str, place: usize) -> CliError {
    match argument.split('=').next() {
        Some(name) if name.starts_with('-') => CliError::Unknown(name.to_owned()),
        _ => CliError::Unexpected(place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_all(args: &[&str]) -> Result<Command, CliError> {
        parse(args.iter().map(OsString::from))
    }

    #[test]
    fn reads_every_form() {
        let path = || Some(PathBuf::from("a b.json"));
        let cases: &[(&[&str], Result<Command, CliError>)] = &[
            (&[], Ok(Command::Serve { config_path: None })),
            (
                &["--config", "a b.json"],
                Ok(Command::Serve { config_path: path() }),
            ),
            (&["--config=a b.json"], Ok(Command::Serve { config_path: path() })),
            (&["--check"], Ok(Command::Check { config_path: None })),
            (
                &["--check", "--config", "a b.json"],
                Ok(Command::Check { config_path: path() }),
            ),
            (
                &["--config", "a b.json", "--check"],
                Ok(Command::Check { config_path: path() }),
            ),
            (&["--help"], Ok(Command::Help)),
            (&["-h"], Ok(Command::Help)),
            (&["--check", "--help", "--unknown"], Ok(Command::Help)),
            (&["--version"], Ok(Command::Version)),
            (&["-V"], Ok(Command::Version)),
            (&["--config"], Err(CliError::MissingPath)),
            (&["--config="], Err(CliError::MissingPath)),
            (&["--config", ""], Err(CliError::MissingPath)),
            (&["--config", "a", "--config", "b"], Err(CliError::RepeatedPath)),
            (&["--port", "1"], Err(CliError::Unknown("--port".to_owned()))),
            (&["--key=ser.secret"], Err(CliError::Unknown("--key".to_owned()))),
            (&["--check", "ser.secret"], Err(CliError::Unexpected(2))),
            (&[""], Err(CliError::Unexpected(1))),
        ];
        for (args, expected) in cases {
            assert_eq!(&parse_all(args), expected, "{args:?}");
        }
    }

    #[test]
    fn errors_are_one_line_with_the_usage() {
        for error in [
            CliError::Unknown("--a\nb".to_owned()),
            CliError::MissingPath,
            CliError::RepeatedPath,
        ] {
            let line = error.to_string();
            assert!(!line.contains('\n') && line.contains("--config PATH"), "{line}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_path_need_not_be_unicode() {
        use std::os::unix::ffi::OsStringExt;
        let path = OsString::from_vec(vec![b'a', 0xff]);
        let command = parse([OsString::from("--config"), path.clone()]);
        assert_eq!(
            command,
            Ok(Command::Serve {
                config_path: Some(PathBuf::from(path))
            })
        );
    }
}
