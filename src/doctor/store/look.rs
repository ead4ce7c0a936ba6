//! What the disk says of a store's directory. All of it blocks.
use std::path::{Path, PathBuf};

use actors::in_line::in_line;
use actors::keys::EnvironmentKey;
use actors::store::{StoreReport, examine, try_to_make_in};
use rustix::fs::{statfs, statvfs};

/// What a file system that is not on a disk, or goes with its container, is called, by its number (statfs(2)).
const FLEETING: [(i64, &str); 3] = [
    (0x0102_1994, "tmpfs, in memory"),
    (0x8584_58f6, "ramfs, in memory"),
    (
        0x794c_7630,
        "a container's own layer, which goes with the container",
    ),
];

/// What the disk said, before it is known how much is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::doctor) struct Looked {
    pub(super) directory: PathBuf,
    pub(super) report: Result<Option<StoreReport>, String>,
    /// Why it cannot be made, where it is not there.
    pub(super) unmade: Option<String>,
    /// Bytes that this account may still write.
    pub(super) room: Option<u64>,
    /// What its file system is, where that is forgotten.
    pub(super) fleeting: Option<&'static str>,
}

/// Looks at the directory. Blocks.
pub(in crate::doctor) fn look(directory: &Path, environments: &[EnvironmentKey]) -> Looked {
    let report = examine(directory, environments);
    let place = match &report {
        Ok(None) => nearest(directory),
        _ => directory,
    };
    let unmade = match &report {
        Ok(None) => unmade(directory, place),
        _ => None,
    };
    Looked {
        directory: directory.to_owned(),
        unmade,
        // A file system without blocks does not count them.
        room: statvfs(place)
            .ok()
            .filter(|room| room.f_blocks > 0)
            .map(|room| room.f_bavail.saturating_mul(room.f_frsize)),
        fleeting: statfs(place).ok().and_then(|system| fleeting(system.f_type)),
        report,
    }
}

pub(super) fn fleeting(file_system: i64) -> Option<&'static str> {
    let known = FLEETING.iter().find(|(number, _)| *number == file_system);
    known.map(|(_, name)| *name)
}

/// The directory above it that is there.
fn nearest(directory: &Path) -> &Path {
    let mut above = directory.ancestors().skip(1);
    above
        .find(|place| place.exists())
        .filter(|place| !place.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Why the directory cannot be made, below this place; one is made there and removed to find out.
fn unmade(directory: &Path, place: &Path) -> Option<String> {
    if !place.is_dir() {
        return Some(format!("{} is no directory", in_line(place.display())));
    }
    // What is not there, as all below the place is not, may have a name all the same.
    let below = directory.ancestors().take_while(|above| *above != place);
    let mut links = below.filter(|above| above.symlink_metadata().is_ok());
    if let Some(link) = links.next() {
        return Some(format!(
            "{} is a link that leads nowhere",
            in_line(link.display())
        ));
    }
    let trouble = try_to_make_in(place).err()?;
    Some(format!("in {}: {trouble}", in_line(place.display())))
}
