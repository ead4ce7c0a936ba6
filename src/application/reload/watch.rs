//! When what is found at the configuration file's path counts. Pure: it is told what there is, and when.
//!
//! A file that is written in place is there in part for a moment, and one that is replaced may be gone for one. So what is new
//! counts when two looks have found the same, and what cannot be used is told only when it has stayed so for a while.
use std::time::{Duration, Instant};

use crate::settings::FileContent;

/// Between two looks while nothing changes.
pub(super) const PERIOD: Duration = Duration::from_millis(500);

/// What is new counts once it has stayed the same for so long; also the time between two looks meanwhile.
pub(super) const SETTLED: Duration = Duration::from_millis(150);

/// What cannot be used is refused once it has stayed the same for so long.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// What is known of the file.
#[derive(Debug)]
pub(super) struct Watch {
    /// What was in it when it was read last, for use or for a refusal.
    known: FileContent,
    /// What is to be read.
    pending: Option<Pending>,
    /// Whether somebody has asked to read it, changed or not.
    is_asked: bool,
}

#[derive(Debug)]
struct Pending {
    content: FileContent,
    since: Instant,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Look again after this time.
    Look(Duration),
    /// See whether it can be used, and say so to [`Watch::tried`].
    Try,
}

impl Watch {
    /// Starts with what the process has read.
    pub(super) fn new(known: FileContent) -> Self {
        Self {
            known,
            pending: None,
            is_asked: false,
        }
    }

    /// It is to be read, changed or not.
    pub(super) fn ask(&mut self) {
        self.is_asked = true;
    }

    /// Whether somebody has asked to read it, and was not answered yet.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// The same, and it is answered by this.
    pub(super) fn take_ask(&mut self) -> bool {
        std::mem::take(&mut self.is_asked)
    }

    /// Whether there was no file when it was read last.
    pub(super) fn was_missing(&self) -> bool {
        self.known.is_missing()
    }

    /// A look has found this.
    pub(super) fn found(&mut self, content: FileContent, now: Instant) -> Step {
        if content == self.known && !self.is_asked {
            self.pending = None;
            return Step::Look(PERIOD);
        }
        let before = self.pending.take().filter(|pending| pending.content == content);
        let pending = before.unwrap_or(Pending { content, since: now });
        let age = now.saturating_duration_since(pending.since);
        self.pending = Some(pending);
        if self.is_asked || age >= SETTLED {
            Step::Try
        } else {
            Step::Look(SETTLED)
        }
    }

    /// What was found last can be used, or cannot. Whether that counts; if not, it is to be looked at again.
    pub(super) fn tried(&mut self, is_usable: bool, now: Instant) -> bool {
        let counts =
            |pending: &mut Pending| is_usable || now.saturating_duration_since(pending.since) >= PATIENCE;
        let Some(Pending { content, .. }) = self.pending.take_if(counts) else {
            return false;
        };
        self.known = content;
        self.is_asked = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> FileContent {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        if text != "missing" {
            std::fs::write(&path, text).unwrap();
        }
        FileContent::read(&path)
    }

    /// Looks at these contents, one each 150 ms; what cannot be used begins with an x. Gives what counted, and when.
    fn outcomes(watch: &mut Watch, contents: &[&str]) -> Vec<(usize, String)> {
        let start = Instant::now();
        let mut outcomes = Vec::new();
        for (look, text) in contents.iter().enumerate() {
            let now = start + SETTLED * u32::try_from(look).unwrap();
            let is_usable = !text.starts_with('x') && *text != "missing";
            if watch.found(content(text), now) == Step::Try && watch.tried(is_usable, now) {
                outcomes.push((look, (*text).to_owned()));
            }
        }
        outcomes
    }

    fn counted(contents: &[&str]) -> Vec<(usize, String)> {
        outcomes(&mut Watch::new(content("a")), contents)
    }

    #[test]
    fn what_is_new_counts_once_it_stays() {
        assert_eq!(counted(&["a", "a"]), []);
        assert_eq!(counted(&["b", "b", "b"]), [(1, "b".to_owned())]);
        assert_eq!(
            counted(&["b", "c", "c", "b", "b"]),
            [(2, "c".to_owned()), (4, "b".to_owned())]
        );
        assert_eq!(counted(&["b", "a", "b", "a"]), [], "each of them for a moment");
    }

    #[test]
    fn a_moment_of_what_cannot_be_used_is_not_told() {
        assert_eq!(
            counted(&["x", "x", "missing", "x half", "b", "b"]),
            [(5, "b".to_owned())]
        );
        assert_eq!(counted(&["missing", "missing", "a", "a"]), []);
        let long = vec!["x"; 16];
        assert_eq!(counted(&long), [(14, "x".to_owned())], "2.1 s, and once");
    }

    #[test]
    fn what_was_refused_may_become_what_it_was() {
        let mut contents = vec!["x"; 15];
        contents.extend(["a", "a", "a"]);
        assert_eq!(counted(&contents), [(14, "x".to_owned()), (16, "a".to_owned())]);
    }

    #[test]
    fn who_asks_has_it_read_at_once() {
        let mut watch = Watch::new(content("a"));
        watch.ask();
        assert_eq!(outcomes(&mut watch, &["a", "a"]), [(0, "a".to_owned())]);
        assert!(!watch.is_asked());
        watch.ask();
        assert_eq!(outcomes(&mut watch, &["x", "b", "b"]), [(1, "b".to_owned())]);
    }
}
