//! `edge-proxy doctor`.
use std::io::{self, ErrorKind, Write as _};
use std::sync::Arc;

use super::{Failure, in_system};
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
    write(&format!("{text}\n"))?;
    Ok(if report.is_sound() { 0 } else { EXIT_NOT_SOUND })
}

/// A report that is lost is no sound one, but for a reader that has gone.
fn write(report: &str) -> Result<(), Failure> {
    let mut out = io::stdout();
    match out.write_all(report.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let line = format!("the report cannot be written: {error}");
            Err(Failure::new(EXIT_NOT_SOUND, line))
        }
        _ => Ok(()),
    }
}
