//! `edge-proxy doctor`.
use std::sync::Arc;

use super::{Failure, in_system, write_out};
use crate::cli::{DoctorArguments, EXIT_NOT_SOUND};
use crate::doctor::{CgroupFiles, examine};

/// A configuration that cannot be used is a finding, as everything else.
pub(super) fn run(arguments: DoctorArguments) -> Result<u8, Failure> {
    // Where the memory of a container that a proxy serves in runs out, the doctor is the one to end. It is no matter where that is
    // not possible.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let source = Arc::new(arguments.configuration.source());
    let report = in_system(async move { examine(&source, &CgroupFiles::default()).await });
    let report = report.map_err(|failure| Failure::new(EXIT_NOT_SOUND, failure.line))?;
    let text = match arguments.json {
        true => report.to_json(),
        false => report.to_string(),
    };
    write_out("the report", format!("{text}\n"))?;
    Ok(if report.is_sound() { 0 } else { EXIT_NOT_SOUND })
}
