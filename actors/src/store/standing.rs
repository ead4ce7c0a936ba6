//! Whether writing gets through, and what the operator hears of it: once a change of state; pure.
use std::path::Path;
use std::time::Duration;

use log::Level;

use super::trouble::Trouble;

/// Between two attempts, at last.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the last attempts came to.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// What the operator has heard since writing got through last.
    told: Vec<Trouble>,
    failures: u32,
}

impl Standing {
    /// Something was written, or could be. Gives what is to be told.
    pub(super) fn succeeded(&mut self, folder: &Path) -> Option<(Level, String)> {
        self.failures = 0;
        let told = std::mem::take(&mut self.told);
        let line = match told.last()? {
            Trouble::Taken => "is this process's own from now on: documents are stored there",
            Trouble::Disk(..) => "can be written to again: documents are stored there",
        };
        Some((
            Level::Info,
            format!("persistence.directory ({}) {line}", folder.display()),
        ))
    }

    /// Nothing was. Gives what is to be told.
    pub(super) fn failed(&mut self, trouble: &Trouble, folder: &Path) -> Option<(Level, String)> {
        if self.told.iter().any(|told| told.is_like(trouble)) {
            return None;
        }
        self.told.push(trouble.clone());
        let what_follows = match trouble {
            Trouble::Taken => {
                "what is stored there was read, and this one writes as soon as that one has gone".to_owned()
            }
            Trouble::Disk(..) => {
                "documents are served as ever, but those of a restart without upstream are older; it is \
                                  tried again"
                    .to_owned()
            }
        };
        let folder = folder.display();
        Some((
            Level::Warn,
            format!("persistence.directory ({folder}): {trouble}: {what_follows}"),
        ))
    }

    /// How long to wait until the next attempt; `first` after one in which something failed. A process that has the folder may go
    /// at any time.
    pub(super) fn wait(&mut self, first: Duration) -> Duration {
        self.failures = self.failures.saturating_add(1);
        if self.told.last() == Some(&Trouble::Taken) {
            return first;
        }
        let doubled = 1_u32
            .checked_shl(self.failures.saturating_sub(1))
            .unwrap_or(u32::MAX);
        first.saturating_mul(doubled).min(LONGEST_WAIT.max(first))
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    fn disk(kind: ErrorKind) -> Trouble {
        Trouble::of("write")(Error::from(kind))
    }

    #[test]
    fn each_state_is_told_once_until_writing_gets_through() {
        let (mut standing, folder) = (Standing::default(), Path::new("/data"));
        assert_eq!(standing.succeeded(folder), None);
        let full = disk(ErrorKind::StorageFull);
        let (level, line) = standing.failed(&full, folder).unwrap();
        assert_eq!(level, Level::Warn);
        assert!(
            line.starts_with("persistence.directory (/data): cannot write: ") && line.contains("make room"),
            "{line}"
        );
        assert_eq!(standing.failed(&full, folder), None);
        assert!(
            standing
                .failed(&disk(ErrorKind::ReadOnlyFilesystem), folder)
                .is_some()
        );
        assert_eq!(standing.failed(&full, folder), None);
        let (level, line) = standing.succeeded(folder).unwrap();
        assert_eq!(level, Level::Info);
        assert!(line.contains("again"), "{line}");
        assert_eq!(standing.succeeded(folder), None);
        assert!(standing.failed(&full, folder).is_some());
    }

    #[test]
    fn a_taken_folder_is_told_and_so_is_its_end() {
        let (mut standing, folder) = (Standing::default(), Path::new("/data"));
        let (_, line) = standing.failed(&Trouble::Taken, folder).unwrap();
        assert!(line.contains("another process has it"), "{line}");
        assert_eq!(standing.failed(&Trouble::Taken, folder), None);
        assert!(standing.succeeded(folder).unwrap().1.contains("own from now on"));
    }

    #[test]
    fn waits_grow_to_a_minute_but_for_another_process() {
        let (mut standing, folder) = (Standing::default(), Path::new("/data"));
        let first = Duration::from_secs(5);
        let waits: Vec<_> = (0..40)
            .map(|_| {
                standing.failed(&disk(ErrorKind::StorageFull), folder);
                standing.wait(first).as_secs()
            })
            .collect();
        assert_eq!(waits[..6], [5, 10, 20, 40, 60, 60]);
        assert_eq!(waits[39], 60);
        standing.succeeded(folder);
        for _ in 0..5 {
            standing.failed(&Trouble::Taken, folder);
            assert_eq!(standing.wait(first), first);
        }
    }
}
