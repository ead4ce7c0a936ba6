//! `edge-proxy snapshot`.
use std::path::PathBuf;

use super::{Failure, in_system, write_error, write_out};
use crate::cli::{EXIT_NO_SNAPSHOT, SnapshotArguments};
use crate::settings::Loaded;
use crate::snapshot;

pub(super) fn run(arguments: SnapshotArguments) -> Result<u8, Failure> {
    let Loaded {
        settings, notices, ..
    } = arguments.configuration.load()?;
    notices.iter().for_each(write_error);
    let directory = arguments.directory.unwrap_or_else(|| PathBuf::from("."));
    let tell = |is_failure, line: &str| match is_failure {
        true => write_error(line),
        false => write_out(&format!("{line}\n")),
    };
    let taken = in_system(async move { snapshot::take(&settings, &directory, tell).await })?;
    Ok(if taken { 0 } else { EXIT_NO_SNAPSHOT })
}
