//! `edge-proxy doctor`.
use std::sync::Arc;

use super::{Failure, in_system, write_out};
use crate::cli::{DoctorArguments, EXIT_NOT_SOUND};
use crate::doctor::{CgroupFiles, examine};

/// A configuration that cannot be used is a finding, as everything else.
pub(super) fn run(arguments: DoctorArguments) -> Result<u8, Failure> {
    let source = Arc::new(arguments.configuration.source());
    let report = in_system(async move { examine(&source, &CgroupFiles::default()).await })?;
    let text = match arguments.json {
        true => report.to_json(),
        false => report.to_string(),
    };
    write_out(&format!("{text}\n"));
    Ok(if report.is_sound() { 0 } else { EXIT_NOT_SOUND })
}
