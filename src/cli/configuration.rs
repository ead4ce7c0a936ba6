//! `--config`, which most commands have.
use std::path::PathBuf;

use clap::{Args, ValueHint};

/// Which configuration is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ConfigurationArgument {
    /// Configuration file (default: $CONFIG_PATH, else config.json)
    #[arg(long = "config", value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub path: Option<PathBuf>,
}
