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
    let mut written = Ok(());
    let tell = |is_failure, line: &str| {
        if is_failure {
            write_error(line);
        } else if written.is_ok() {
            written = write_out("what is taken", format!("{line}\n"));
        }
    };
    let taken = in_system(async { snapshot::take(&settings, &directory, tell).await })?;
    written?;
    Ok(if taken { 0 } else { EXIT_NO_SNAPSHOT })
}
