//! A command line that cannot be understood, in our own words: clap's repeat the argument, which may be a key.
use std::fmt;

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Why a command line cannot be understood. Displays as one line that says what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UsageError {
    /// An unknown option: its name alone, because its value may be a key.
    UnknownOption {
        /// As it was written.
        name: String,
        /// The option of ours that was meant, perhaps.
        near: Option<String>,
    },
    /// An argument that is no option, at this place (from 1).
    Unexpected {
        /// Its place, from 1.
        place: usize,
        /// The command that was meant, perhaps.
        near: Option<String>,
    },
    /// This option or argument without its value, or before one that begins with a hyphen: that is taken for an option.
    MissingValue(String),
    /// This option with a value that it does not take.
    NeedlessValue(String),
    /// This option twice.
    Repeated(String),
    /// These two options, which exclude each other.
    Together(String, String),
    /// This option or argument is not given and must be.
    Missing(String),
    /// The value of this option or argument cannot be used.
    InvalidValue {
        /// The option's or argument's name.
        name: String,
        /// What its value must be.
        problem: String,
    },
    /// `man` of a command that is none.
    UnknownCommand,
    /// Anything else.
    Other,
}

impl UsageError {
    /// What clap says, without any value. `place` finds the argument that is meant.
    pub(super) fn new(error: &clap::Error, place: impl FnOnce() -> usize) -> Self {
        let name = || named(error, ContextKind::InvalidArg);
        match error.kind() {
            ErrorKind::UnknownArgument if name().starts_with('-') => Self::UnknownOption {
                name: name(),
                near: nearest(error, ContextKind::SuggestedArg),
            },
            ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => Self::Unexpected {
                place: place(),
                near: nearest(error, ContextKind::SuggestedSubcommand),
            },
            ErrorKind::ArgumentConflict if error.get(ContextKind::InvalidSubcommand).is_some() => {
                Self::Unexpected {
                    place: place(),
                    near: None,
                }
            }
            ErrorKind::ArgumentConflict => {
                let other = option_name(&nearest(error, ContextKind::PriorArg).unwrap_or_default());
                match name() {
                    name if name == other => Self::Repeated(name),
                    name => Self::Together(name, other),
                }
            }
            ErrorKind::InvalidValue if is_empty(error) => Self::MissingValue(name()),
            ErrorKind::InvalidValue => Self::InvalidValue {
                name: name(),
                problem: format!("must be one of {}", all(error, ContextKind::ValidValue)),
            },
            ErrorKind::ValueValidation => Self::InvalidValue {
                name: name(),
                // Of our own parsers, which repeat no value.
                problem: std::error::Error::source(error)
                    .map_or_else(|| "cannot be used".to_owned(), ToString::to_string),
            },
            ErrorKind::TooManyValues => Self::NeedlessValue(name()),
            ErrorKind::MissingRequiredArgument => Self::Missing(all(error, ContextKind::InvalidArg)),
            _ => Self::Other,
        }
    }
}

fn all(error: &clap::Error, kind: ContextKind) -> String {
    error.get(kind).map(ToString::to_string).unwrap_or_default()
}

fn nearest(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        // The nearest comes last.
        ContextValue::Strings(texts) => texts.last().cloned(),
        _ => None,
    }
}

fn named(error: &clap::Error, kind: ContextKind) -> String {
    option_name(&all(error, kind))
}

/// An option's name alone. Clap writes `--config <PATH>`, and what follows `--` as it is.
fn option_name(text: &str) -> String {
    let name = text.split([' ', '=']).next().unwrap_or_default();
    match name.strip_prefix('-') {
        // One letter, and its value at once.
        Some(short) if !short.starts_with('-') => format!("-{}", short.chars().take(1).collect::<String>()),
        _ => name.to_owned(),
    }
}

fn is_empty(error: &clap::Error) -> bool {
    all(error, ContextKind::InvalidValue).is_empty()
}

impl std::error::Error for UsageError {}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownOption { name, .. } => write!(f, "unknown option {name:?}"),
            Self::Unexpected { place, .. } => {
                write!(
                    f,
                    "argument {place} is no option, and no command, which comes first"
                )
            }
            Self::MissingValue(name) => write!(
                f,
                "{name} needs a value; one that begins with a hyphen comes behind an equals sign, as {name}=-value"
            ),
            Self::NeedlessValue(name) => write!(f, "{name} takes no value"),
            Self::Repeated(name) => write!(f, "{name} is given twice"),
            Self::Together(name, other) => write!(f, "{name} and {other} exclude each other"),
            Self::Missing(name) => write!(f, "{name} is needed"),
            Self::InvalidValue { name, problem } => write!(f, "{name} {problem}"),
            Self::UnknownCommand => f.write_str("there is no man page of such a command"),
            Self::Other => f.write_str("the command line cannot be understood"),
        }?;
        if let Self::UnknownOption { name, near } = self
            && near.as_ref() == Some(name)
        {
            f.write_str(
                " with more behind it; an option and its value are two arguments, or one with = between them",
            )?;
        } else if let Self::UnknownOption { near: Some(near), .. }
        | Self::Unexpected { near: Some(near), .. } = self
        {
            write!(f, "; did you mean {near}?")?;
        }
        f.write_str(
            " (usage: edge-proxy [--config PATH] [--check], or edge-proxy COMMAND; edge-proxy help, and edge-proxy help \
             COMMAND, say more)",
        )
    }
}
