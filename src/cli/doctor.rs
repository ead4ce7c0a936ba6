//! Arguments of `edge-proxy doctor`.
use clap::Args;

use super::ConfigurationArgument;

/// What to examine, and how to tell of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct DoctorArguments {
    /// This configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArgument,
    /// Print JSON, for tools
    #[arg(long)]
    pub json: bool,
}
