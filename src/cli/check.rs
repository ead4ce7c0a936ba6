//! Arguments of `edge-proxy check`.
use clap::Args;

use super::ConfigurationArgument;

/// What to check.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct CheckArguments {
    /// This configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArgument,
}
