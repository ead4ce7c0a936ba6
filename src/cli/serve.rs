//! Arguments of `edge-proxy serve`, and of `edge-proxy` alone.
use clap::Args;

use super::ConfigurationArgument;

/// How to serve.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ServeArguments {
    /// By which configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArgument,
}
