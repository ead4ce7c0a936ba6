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
    /// Ask a running proxy whether it is ready, and end.
    Health {
        /// `--config`: the configuration of the proxy that is asked.
        config_path: Option<PathBuf>,
        /// `--url`: what to ask instead.
        url: Option<String>,
    },
    /// Write what the configuration's environments hold now into files, and end.
    Snapshot {
        /// `--config`.
        config_path: Option<PathBuf>,
        /// `--directory`: where the files go; the present one where it is not given.
        directory: Option<PathBuf>,
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
       edge-proxy health [--config PATH | --url URL]
       edge-proxy snapshot [--config PATH] [--directory PATH]

Commands:
  health         ask the proxy of this configuration whether it is ready: one line, and exit code 0 or 1,
                 within 5 s
  snapshot       write what the environments of this configuration hold now into files that serve as a
                 fallback_document_path or document_path: a line each, and exit code 0 or 1

Options:
  --config PATH  configuration file (default: $CONFIG_PATH, else config.json)
  --directory PATH
                 with snapshot: where the files go (default: the present directory)
  --url URL      with health: what to ask instead, as http://127.0.0.1:8000/proxy/health
  --check        check the configuration, print it with keys masked, and end
  --help         print this and end
  --version      print the version and end

Every option of the configuration file is also an environment variable, which wins:
  ENVIRONMENT_KEY_PAIRS='[{\"server_side_key\":\"ser.…\",\"client_side_key\":\"…\"}]'
  API_URL, API_POLL_FREQUENCY_SECONDS, LOGGING='{\"log_level\":\"DEBUG\"}', …

Exit codes: 0 stopped in order; 1 not healthy, or no snapshot; 64 unknown argument; 70 a part of the program died; 71 the system
refused something, such as the port, threads or open files; 78 the configuration cannot be used;
130, 131 or 143 a second SIGINT, SIGQUIT or SIGTERM cut what was unfinished.
";

/// What `--version` prints.
pub const VERSION: &str = concat!("edge-proxy ", env!("CARGO_PKG_VERSION"));

/// Exit code for a command line that cannot be understood (`EX_USAGE` of sysexits.h).
pub const EXIT_USAGE: u8 = 64;

/// Exit code of `health` where the proxy is not: the one that Docker's HEALTHCHECK expects.
pub const EXIT_UNHEALTHY: u8 = 1;

/// Exit code of `snapshot` where an environment has no file now.
pub const EXIT_NO_SNAPSHOT: u8 = 1;

/// Exit code for a configuration that cannot be used (`EX_CONFIG` of sysexits.h).
pub const EXIT_CONFIGURATION: u8 = 78;

/// A command line that cannot be understood. Displays as one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CliError {
    /// An unknown option: its name alone, because its value may be a key.
    Unknown(String),
    /// Text that is no option, at this place (from 1).
    Unexpected(usize),
    /// This option without its value.
    MissingValue(&'static str),
    /// This option twice.
    Repeated(&'static str),
}

impl std::error::Error for CliError {}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "unknown option {name:?}"),
            Self::Unexpected(place) => write!(f, "argument {place} is no option"),
            Self::MissingValue(name) => write!(f, "{name} needs a value"),
            Self::Repeated(name) => write!(f, "{name} is given twice"),
        }?;
        f.write_str(
            " (usage: edge-proxy [--config PATH] [--check], or edge-proxy health [--config PATH | --url URL], or edge-proxy \
             snapshot [--config PATH] [--directory PATH], or --help)",
        )
    }
}

/// What was read of the arguments so far.
#[derive(Default)]
struct Arguments {
    is_check: bool,
    is_health: bool,
    is_snapshot: bool,
    config_path: Option<OsString>,
    url: Option<OsString>,
    directory: Option<OsString>,
}

/// Reads the arguments, without the program's name.
///
/// # Errors
/// An argument that is none of ours, or an option without its value or twice: exit with [`EXIT_USAGE`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Command, CliError> {
    let mut args = args.into_iter().zip(1..);
    let mut read = Arguments::default();
    while let Some((argument, place)) = args.next() {
        let text = argument.to_string_lossy();
        let (name, joined) = match text.split_once('=') {
            Some((name, value)) => (name, Some(OsString::from(value))),
            None => (text.as_ref(), None),
        };
        match (name, &joined) {
            // These two win over whatever follows.
            ("--help" | "-h", None) => return Ok(Command::Help),
            ("--version" | "-V", None) => return Ok(Command::Version),
            ("--check", None) if !read.is_health && !read.is_snapshot => read.is_check = true,
            ("health", None) if place == 1 => read.is_health = true,
            ("snapshot", None) if place == 1 => read.is_snapshot = true,
            ("--config", _) => {
                let value = joined.or_else(|| args.next().map(|(value, _)| value));
                set(&mut read.config_path, "--config", value)?;
            }
            ("--url", _) if read.is_health => {
                let value = joined.or_else(|| args.next().map(|(value, _)| value));
                set(&mut read.url, "--url", value)?;
            }
            ("--directory", _) if read.is_snapshot => {
                let value = joined.or_else(|| args.next().map(|(value, _)| value));
                set(&mut read.directory, "--directory", value)?;
            }
            _ => return Err(unknown(&text, place)),
        }
    }
    Ok(read.into_command())
}

fn set(option: &mut Option<OsString>, name: &'static str, value: Option<OsString>) -> Result<(), CliError> {
    let value = value
        .filter(|value| !value.is_empty())
        .ok_or(CliError::MissingValue(name))?;
    match option.replace(value) {
        None => Ok(()),
        Some(_) => Err(CliError::Repeated(name)),
    }
}

impl Arguments {
    fn into_command(self) -> Command {
        let config_path = self.config_path.map(PathBuf::from);
        if self.is_health {
            let url = self.url.map(|url| url.to_string_lossy().into_owned());
            Command::Health { config_path, url }
        } else if self.is_snapshot {
            let directory = self.directory.map(PathBuf::from);
            Command::Snapshot {
                config_path,
                directory,
            }
        } else if self.is_check {
            Command::Check { config_path }
        } else {
            Command::Serve { config_path }
        }
    }
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
        let health = |config_path, url: Option<&str>| {
            let url = url.map(str::to_owned);
            Ok(Command::Health { config_path, url })
        };
        let snapshot = |config_path, directory: Option<&str>| {
            let directory = directory.map(PathBuf::from);
            Ok(Command::Snapshot {
                config_path,
                directory,
            })
        };
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
            (&["health"], health(None, None)),
            (&["health", "--config", "a b.json"], health(path(), None)),
            (
                &["health", "--url=http://a/?b=c"],
                health(None, Some("http://a/?b=c")),
            ),
            (&["health", "--url", "http://a/"], health(None, Some("http://a/"))),
            (&["health", "--help"], Ok(Command::Help)),
            (
                &["health", "--check"],
                Err(CliError::Unknown("--check".to_owned())),
            ),
            (&["health", "health"], Err(CliError::Unexpected(2))),
            (&["health", "--url"], Err(CliError::MissingValue("--url"))),
            (
                &["health", "--url=a", "--url=b"],
                Err(CliError::Repeated("--url")),
            ),
            (
                &["--url", "http://a/"],
                Err(CliError::Unknown("--url".to_owned())),
            ),
            (&["--config", "a", "health"], Err(CliError::Unexpected(3))),
            (&["snapshot"], snapshot(None, None)),
            (
                &["snapshot", "--config", "a b.json", "--directory=d"],
                snapshot(path(), Some("d")),
            ),
            (
                &["snapshot", "--check"],
                Err(CliError::Unknown("--check".to_owned())),
            ),
            (
                &["snapshot", "--directory", "a", "--directory", "b"],
                Err(CliError::Repeated("--directory")),
            ),
            (
                &["--directory", "a"],
                Err(CliError::Unknown("--directory".to_owned())),
            ),
            (&["snapshot", "--help"], Ok(Command::Help)),
            (&["--config"], Err(CliError::MissingValue("--config"))),
            (&["--config="], Err(CliError::MissingValue("--config"))),
            (&["--config", ""], Err(CliError::MissingValue("--config"))),
            (
                &["--config", "a", "--config", "b"],
                Err(CliError::Repeated("--config")),
            ),
            (&["--check=1"], Err(CliError::Unknown("--check".to_owned()))),
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
            CliError::MissingValue("--config"),
            CliError::Repeated("--url"),
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
