//! The command line, by `clap`: one file a command's arguments. What the commands do is in [`commands`](crate::commands).
//!
//! # Layout
//! - `mod.rs`: the commands, and [`parse`].
//! - `configuration`, `check`, `completions`, `doctor`, `explain`, `health`, `man`, `serve`, `snapshot`: arguments.
//! - `trait_argument`: `KEY=VALUE` of `explain`.
//! - `exit_codes`, `help`: what a process ends with, and the sections that help and man page share.
//! - `usage_error`: what cannot be understood, in words that repeat no value.
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory as _, Parser, Subcommand};

mod check;
mod completions;
mod configuration;
mod doctor;
mod exit_codes;
mod explain;
mod health;
mod help;
mod man;
mod serve;
mod snapshot;
#[cfg(test)]
mod tests;
mod trait_argument;
mod usage_error;

pub use check::CheckArguments;
pub use completions::CompletionsArguments;
pub use configuration::ConfigurationArgument;
pub use doctor::DoctorArguments;
pub use exit_codes::{
    EXIT_CONFIGURATION, EXIT_NO_SNAPSHOT, EXIT_NOT_SOUND, EXIT_UNEXPLAINED, EXIT_UNHEALTHY, EXIT_UNWRITTEN,
    EXIT_USAGE,
};
pub use explain::ExplainArguments;
pub use health::HealthArguments;
pub use man::ManArguments;
pub use serve::ServeArguments;
pub use snapshot::SnapshotArguments;
pub use trait_argument::TraitArgument;
pub use usage_error::UsageError;

/// The program's name, as usage, completions and man pages have it.
const NAME: &str = "edge-proxy";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// This command.
    Run(Command),
    /// This text on standard output, and nothing else.
    Print(String),
}

/// What the program does.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Serve flags; what is done without a command
    Serve(ServeArguments),
    /// Check the configuration and the files that it names, print it with keys masked, and end
    Check(CheckArguments),
    /// Ask the proxy of this configuration whether it is ready: one line, and exit code 0 or 1, within 5 s
    Health(HealthArguments),
    /// Write what the environments of this configuration hold now into files: a line each, and exit code 0 or 1
    Snapshot(SnapshotArguments),
    /// Examine this configuration and all around it: a line a check with what to do, and exit code 0 or 1
    Doctor(DoctorArguments),
    /// Say why flags are what they are: for each its value, its reason, and the segments that had a say
    Explain(ExplainArguments),
}

/// What prints a text that comes from the command line itself.
#[derive(Debug, Subcommand)]
enum Printed {
    /// Print what a shell needs to complete commands and options
    Completions(CompletionsArguments),
    /// Print the man page of the program, or of one of its commands
    Man(ManArguments),
}

#[derive(Debug, Subcommand)]
enum Asked {
    #[command(flatten)]
    Run(Command),
    #[command(flatten)]
    Print(Printed),
}

/// A self-hosted Flagsmith edge proxy.
#[derive(Debug, Parser)]
#[command(
    name = NAME,
    bin_name = NAME,
    version,
    propagate_version = true,
    args_conflicts_with_subcommands = true,
    // Not as wide as the terminal, should another crate of a build ask this of clap.
    term_width = 0,
    after_help = help::sections(),
)]
struct CommandLine {
    #[command(subcommand)]
    asked: Option<Asked>,
    #[command(flatten)]
    serve: ServeArguments,
    /// As the command check
    #[arg(long)]
    check: bool,
}

/// Reads the arguments, without the program's name.
///
/// # Errors
/// An argument that is none of ours, or an option without its value or twice: exit with [`EXIT_USAGE`].
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Request, UsageError> {
    let args: Vec<OsString> = args.into_iter().collect();
    match read(&args) {
        Ok(CommandLine { asked, serve, check }) => request(asked, serve, check),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Request::Print(error.to_string())),
            _ => Err(missing_value(&error, &args)
                .or_else(|| not_utf8(&error, &args))
                .unwrap_or_else(|| UsageError::new(&error, || place_of(error.kind(), &args)))),
        },
    }
}

fn read(args: &[OsString]) -> Result<CommandLine, clap::Error> {
    let name = OsString::from(NAME);
    CommandLine::try_parse_from(std::iter::once(&name).chain(args))
}

/// The place, from 1, of the argument at which reading fails so. Clap tells the argument's text alone, which may be a key.
fn place_of(kind: ErrorKind, args: &[OsString]) -> usize {
    let fails_so = |count: &usize| {
        let read = args.get(..*count).map(read);
        read.is_some_and(|read| read.is_err_and(|error| error.kind() == kind))
    };
    (1..=args.len()).find(fails_so).unwrap_or(args.len())
}

/// Where an option takes a value and one that begins with a hyphen comes instead, which clap calls an unknown option: the value is
/// what is missing.
fn missing_value(error: &clap::Error, args: &[OsString]) -> Option<UsageError> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let before = place_of(error.kind(), args).checked_sub(1)?;
    let error = read(args.get(..before)?).err()?;
    match UsageError::new(&error, || before) {
        missing @ UsageError::MissingValue(_) => Some(missing),
        _ => None,
    }
}

/// Where a value is no UTF-8, clap does not say whose it is: the option that holds it, or the one before it.
fn not_utf8(error: &clap::Error, args: &[OsString]) -> Option<UsageError> {
    if error.kind() != ErrorKind::InvalidUtf8 {
        return None;
    }
    let place = place_of(error.kind(), args);
    let of_place = |from_one: usize| args.get(from_one.checked_sub(1)?)?.to_str();
    let own = args.get(place.checked_sub(1)?)?.to_string_lossy();
    let own = own.split_once('=').map(|(name, _)| name);
    let before = place.checked_sub(1).and_then(of_place);
    let name = [own, before].into_iter().flatten().find(|name| is_option(name));
    Some(UsageError::InvalidValue {
        name: name.map_or_else(|| format!("argument {place}"), str::to_owned),
        problem: "must be text in UTF-8".to_owned(),
    })
}

/// Whether a command has it.
fn is_option(name: &str) -> bool {
    let command = CommandLine::command();
    let commands = std::iter::once(&command).chain(command.get_subcommands());
    let mut known = commands
        .flat_map(clap::Command::get_arguments)
        .filter_map(clap::Arg::get_long);
    known.any(|long| name.strip_prefix("--") == Some(long))
}

fn request(asked: Option<Asked>, serve: ServeArguments, check: bool) -> Result<Request, UsageError> {
    let ServeArguments { configuration } = serve;
    Ok(match asked {
        Some(Asked::Run(command)) => Request::Run(command),
        Some(Asked::Print(Printed::Completions(arguments))) => {
            Request::Print(arguments.script(CommandLine::command()))
        }
        Some(Asked::Print(Printed::Man(arguments))) => {
            Request::Print(arguments.page(CommandLine::command())?)
        }
        None if check => Request::Run(Command::Check(CheckArguments { configuration })),
        None => Request::Run(Command::Serve(ServeArguments { configuration })),
    })
}
