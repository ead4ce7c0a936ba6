//! `edge-proxy check`: whether a configuration can be used, with the files that it names.
use actors::environment::foreign_files;

use super::{Failure, write_error, write_out};
use crate::cli::CheckArguments;
use crate::server::tls;

/// Tells of everything that is wrong, a line each; the configuration is printed where nothing is.
pub(super) fn run(arguments: &CheckArguments) -> Result<u8, Failure> {
    let loaded = arguments.configuration.load()?;
    for notice in &loaded.notices {
        write_error(notice);
    }
    let settings = &loaded.settings;
    for foreign in foreign_files(&settings.environments) {
        write_error(foreign);
    }
    let documents = settings.check_documents();
    let mut faults: Vec<_> = documents.into_iter().map(Failure::configuration).collect();
    if let Some(Err(error)) = settings.server.tls.as_ref().map(tls::check) {
        faults.push(Failure::configuration(error));
    }
    if let Some(last) = faults.pop() {
        for fault in faults {
            write_error(fault.line);
        }
        return Err(last);
    }
    let json = settings.effective_json();
    write_out("the configuration", format!("{json}\n")).map(|()| 0)
}
