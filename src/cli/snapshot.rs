//! Arguments of `edge-proxy snapshot`.
use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::ConfigurationArgument;

/// What to write, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SnapshotArguments {
    /// The environments of this configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArgument,
    /// Where the files go (default: the present directory)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub directory: Option<PathBuf>,
}
