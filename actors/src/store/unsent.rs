//! Evaluation counts that could not be sent, over restarts.
use std::sync::Arc;

use super::folder::Folder;
use super::names::UNSENT;
use super::trouble::Trouble;
use crate::analytics::{UnsentStore, is_unsent_file};

/// The file of those counts. Of several processes on one directory the one that writes has it; the next one takes over what that
/// one leaves.
#[derive(Debug)]
pub(super) struct UnsentFile {
    folder: Arc<Folder>,
    /// Which time the folder was taken for this process when what others had left was taken: until then the file is not ours to
    /// write, and no more where the folder is another one.
    taken_at: Option<u64>,
    /// What the operator has heard since the file could be used last.
    told: Option<Trouble>,
}

impl UnsentFile {
    pub(super) fn new(folder: Arc<Folder>) -> Self {
        Self {
            folder,
            taken_at: None,
            told: None,
        }
    }

    fn try_take(&mut self) -> Result<Vec<u8>, Trouble> {
        self.folder.own()?;
        let found = self.folder.get(UNSENT)?;
        let unsent = match found.filter(|file| file.is_empty() || is_unsent_file(file)) {
            Some(unsent) => unsent,
            None => {
                self.folder.set_aside(UNSENT).map_err(Trouble::of("rename"))?;
                log::warn!(
                    "persistence.directory ({}): what is called {UNSENT} there holds no evaluation counts of this version; it is \
                     renamed and left as it is",
                    self.folder.path().display()
                );
                Vec::new()
            }
        };
        self.taken_at = Some(self.folder.times_taken());
        Ok(unsent)
    }

    fn is_taken(&self) -> bool {
        self.taken_at == Some(self.folder.times_taken())
    }

    fn try_keep(&self, unsent: &[u8]) -> Result<(), Trouble> {
        self.folder.own()?;
        if !self.is_taken() {
            return Err(Trouble::Taken);
        }
        if unsent.is_empty() {
            self.folder.remove(UNSENT)
        } else {
            self.folder.put(UNSENT, unsent)
        }
    }

    /// Tells a trouble once; another process is none.
    fn tell(&mut self, trouble: Trouble) {
        let is_news =
            trouble != Trouble::Taken && !self.told.as_ref().is_some_and(|told| told.is_like(&trouble));
        if is_news {
            let folder = self.folder.path().display();
            log::warn!(
                "persistence.directory ({folder}): {trouble}: evaluation counts that are unsent end with the process"
            );
            self.told = Some(trouble);
        }
    }
}

impl UnsentStore for UnsentFile {
    fn take(&mut self) -> Vec<u8> {
        // A folder that cannot be had is told of by the store itself.
        self.try_take().unwrap_or_default()
    }

    fn take_more(&mut self) -> Vec<u8> {
        if self.is_taken() { Vec::new() } else { self.take() }
    }

    fn keep(&mut self, unsent: &[u8]) -> bool {
        match self.try_keep(unsent) {
            Ok(()) => {
                self.told = None;
                true
            }
            Err(trouble) => {
                self.tell(trouble);
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::names;

    fn file(directory: &std::path::Path) -> UnsentFile {
        UnsentFile::new(Arc::new(Folder::new(directory.to_owned())))
    }

    fn counts(which: &str) -> Vec<u8> {
        format!("edge-proxy analytics 1\n{which}").into_bytes()
    }

    #[test]
    fn what_a_process_leaves_the_next_one_takes_and_keeps_in_turn() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = file(directory.path());
        assert_eq!(first.take(), b"");
        assert!(first.keep(&counts("one")) && first.keep(&counts("two")));
        assert_eq!(first.take_more(), b"", "its own it does not take");
        let mut second = file(directory.path());
        assert_eq!(second.take(), b"", "another process has it");
        assert!(!second.keep(&counts("lost")));
        drop(first);
        assert_eq!(second.take_more(), counts("two"));
        assert_eq!(second.take_more(), b"");
        // Until it says what is left of it: a process that is killed before that has sent nothing.
        drop(second);
        let mut third = file(directory.path());
        assert_eq!(third.take(), counts("two"));
        assert!(third.keep(b""));
        drop(third);
        assert_eq!(file(directory.path()).take(), b"");
    }

    #[test]
    fn in_another_directory_it_takes_before_it_keeps() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("store");
        let mut ours = file(&directory);
        assert_eq!(ours.take(), b"");
        assert!(ours.keep(&counts("ours")));
        std::fs::rename(&directory, parent.path().join("away")).unwrap();
        let mut another = file(&directory);
        another.take();
        assert!(another.keep(&counts("another's")));
        drop(another);
        assert!(!ours.keep(&counts("ours")), "what is there is not known yet");
        assert_eq!(ours.take_more(), counts("another's"));
        assert!(ours.keep(&counts("both")));
    }

    #[test]
    fn what_is_not_ours_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(UNSENT);
        let aside = |number| directory.path().join(names::set_aside(UNSENT, number));
        std::fs::write(&path, "notes").unwrap();
        let mut unsent = file(directory.path());
        assert_eq!(unsent.take(), b"");
        assert!(unsent.keep(b"") && unsent.keep(&counts("one")));
        assert_eq!(std::fs::read_to_string(aside(1)).unwrap(), "notes");
        drop(unsent);
        // Nor is a directory, or a pipe, which would be waited for.
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let mut unsent = file(directory.path());
        assert_eq!(unsent.take(), b"");
        assert!(unsent.keep(&counts("one")) && aside(2).is_dir());
    }
}
