//! `edge-proxy check`: whether a configuration can be used.
use actors::environment::foreign_files;

use super::{Failure, write_error, write_out};
use crate::cli::CheckArguments;
use crate::server::tls;

pub(super) fn run(arguments: &CheckArguments) -> Result<u8, Failure> {
    let loaded = arguments.configuration.load()?;
    for notice in &loaded.notices {
        write_error(notice);
    }
    let settings = &loaded.settings;
    settings.check_fallbacks().map_err(Failure::configuration)?;
    for (place, foreign) in foreign_files(&settings.environments) {
        write_error(format_args!("key pair {place}: {foreign}"));
    }
    if let Some(settings) = &settings.server.tls {
        tls::check(settings).map_err(Failure::configuration)?;
    }
    write_out(&format!("{}\n", settings.effective_json()));
    Ok(0)
}
