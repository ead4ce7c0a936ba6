//! Arguments of `edge-proxy health`.
use clap::{Args, ValueHint};

use super::ConfigurationArgument;

/// Whom to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct HealthArguments {
    /// The proxy of this configuration.
    #[command(flatten)]
    pub configuration: ConfigurationArgument,
    /// What to ask instead, as http://127.0.0.1:8000/proxy/health
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub url: Option<String>,
}
