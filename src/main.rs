//! Reads the command line, does what it asks for, and ends with its exit code.
use std::process::ExitCode;

use edge_proxy::application::{EXIT_SYSTEM, outlive_limits_of_files};
use edge_proxy::cli::{self, EXIT_USAGE, Request};
use edge_proxy::commands::{self, Failure, write_out};
use edge_proxy::logging;

fn main() -> ExitCode {
    let code = match run() {
        Ok(code) => code,
        Err(Failure { code, line }) => {
            logging::write_last(&format!("edge-proxy: {line}"));
            code
        }
    };
    logging::flush();
    code.into()
}

fn run() -> Result<u8, Failure> {
    outlive_limits_of_files().map_err(|error| Failure::new(EXIT_SYSTEM, error))?;
    match cli::parse(std::env::args_os().skip(1)) {
        Ok(Request::Run(command)) => commands::run(command),
        Ok(Request::Print(text)) => write_out("the text", text).map(|()| 0),
        Err(error) => Err(Failure::new(EXIT_USAGE, error)),
    }
}
