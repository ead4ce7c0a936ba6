//! Arguments of `edge-proxy explain`.
use std::fmt;
use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};

use super::{ConfigurationArgument, TraitArgument};

/// Whose flags to explain, by which environment, and whom to ask.
#[derive(Clone, Default, PartialEq, Eq, Args)]
pub struct ExplainArguments {
    /// The configuration that has the environment.
    #[command(flatten)]
    pub configuration: ConfigurationArgument,
    /// The environment, by its name, id (as logs have it) or client-side key; not needed where there is one alone
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub environment: Option<String>,
    /// The identity ('' has none of its own); without it and without traits the environment's own flags are explained
    #[arg(long, value_name = "ID")]
    pub identifier: Option<String>,
    /// A trait of the identity, as often as there are any: age=18 is a number, age='"18"' and plan=pro are text
    #[arg(long = "trait", value_name = "KEY=VALUE", value_parser = TraitArgument::parse)]
    pub traits: Vec<TraitArgument>,
    /// This feature alone
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub feature: Option<String>,
    /// As a server-side key sees it
    #[arg(long)]
    pub server_side: bool,
    /// Ask no running proxy: fetch or read the document itself, by the configuration
    #[arg(long, conflicts_with_all = ["url", "token_file"])]
    pub alone: bool,
    /// Print JSON, for tools
    #[arg(long)]
    pub json: bool,
    /// The admin address of a running proxy, as http://127.0.0.1:8001 (default: that of the configuration)
    #[arg(long, value_name = "ADMIN_URL", value_hint = ValueHint::Url, value_parser = NonEmptyStringValueParser::new())]
    pub url: Option<String>,
    /// A file with the running proxy's admin.token (default: that of the configuration)
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub token_file: Option<PathBuf>,
}

/// Shows neither identifier nor traits.
impl fmt::Debug for ExplainArguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExplainArguments")
            .field("configuration", &self.configuration)
            .field("environment", &self.environment)
            .field("traits", &self.traits.len())
            .field("feature", &self.feature)
            .field("json", &self.json)
            .finish_non_exhaustive()
    }
}
