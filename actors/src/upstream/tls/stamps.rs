use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What tells that files have changed: by writing, by renaming another over them, or by a link on their way (as Kubernetes
/// changes a mounted secret). Of a folder, its entries count, and not what is in them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamps(Vec<Option<Stamp>>);

/// Files that are not what they were, and since when they have been as they are.
#[derive(Debug)]
pub(super) struct Change {
    stamps: Stamps,
    seen: Instant,
}

impl Change {
    /// Notes what the files are now, where that is another change than `before`.
    pub(super) fn noted(before: Option<Self>, stamps: Stamps, now: Instant) -> Self {
        match before {
            Some(before) if before.stamps == stamps => before,
            _ => Self { stamps, seen: now },
        }
    }

    /// How long they have been as they are; `wall` is the same moment by the clock.
    pub(super) fn stayed(&self, now: Instant, wall: SystemTime) -> Duration {
        let seen = now.saturating_duration_since(self.seen);
        // Nobody may have looked when they were written. What has gone says nothing of when it went.
        let written = self
            .stamps
            .newest()
            .and_then(|newest| wall.duration_since(newest).ok());
        written.map_or(seen, |written| seen.max(written))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    bytes: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    /// The same; of the inode, which no program sets as it likes.
    changed: (i64, i64),
}

impl Stamps {
    /// Those of these files, as they are now. Blocks.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        Self(paths.iter().map(|path| Stamp::of(path)).collect())
    }

    /// When the last of them was changed; `None` where one is not there.
    fn newest(&self) -> Option<SystemTime> {
        let changed = |stamp: &Stamp| {
            let (seconds, nanoseconds) = stamp.changed;
            let since = Duration::new(seconds.try_into().ok()?, nanoseconds.try_into().ok()?);
            UNIX_EPOCH.checked_add(since)
        };
        let all: Option<Vec<_>> = self.0.iter().map(|stamp| changed(stamp.as_ref()?)).collect();
        all?.into_iter().max()
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            bytes: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}
