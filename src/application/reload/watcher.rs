//! Reads the configuration file again when it changes, or somebody asks, on a thread of its own: a file system may take its time.
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::mpsc::{Receiver as Asks, RecvTimeoutError, Sender as Ask, channel};
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::watch::{PERIOD, SETTLED, Step, Watch};
use crate::settings::{ConfigurationSource, FileContent, Loaded};

/// A file that was changed this shortly before it was read may be changed again without a new time: some file systems keep whole
/// seconds, or two.
const SETTLED_AGE: Duration = Duration::from_secs(2);

/// What the file holds now.
#[derive(Debug)]
pub(super) enum Reading {
    /// It can be used.
    Usable(Box<Loaded>),
    /// It cannot: why, in one line.
    Refused(String),
    /// Somebody asked, and there is nothing that can be read again: why, in one line.
    Nothing(String),
}

/// The thread that reads, as its owner sees it. The thread ends soon after this is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    ask: Ask<()>,
    readings: mpsc::Receiver<Reading>,
}

impl Watcher {
    /// Starts the thread; `known`: what the process has read of the file.
    ///
    /// # Errors
    /// Where the system allows no thread.
    pub(super) fn start(source: ConfigurationSource, known: FileContent) -> io::Result<Self> {
        let ((ask, asks), (sender, readings)) = (channel(), mpsc::channel(1));
        let watching = Watching {
            source,
            watch: Watch::new(known.clone()),
            last: Look {
                stamp: None,
                content: known,
            },
        };
        std::thread::Builder::new()
            .name("configuration".to_owned())
            .spawn(move || watching.run(&asks, &sender))?;
        Ok(Self { ask, readings })
    }

    /// Asks to read it now, changed or not.
    pub(super) fn ask(&self) {
        // An error: the thread has panicked, which its hook has logged.
        let _ = self.ask.send(());
    }

    /// The next reading that counts. Dropping the wait loses none.
    pub(super) async fn next(&mut self) -> Reading {
        match self.readings.recv().await {
            Some(reading) => reading,
            None => std::future::pending().await,
        }
    }
}

/// What the thread has.
struct Watching {
    source: ConfigurationSource,
    watch: Watch,
    last: Look,
}

/// What the last look found.
struct Look {
    /// `None`: the next look has to read the file.
    stamp: Option<Stamp>,
    content: FileContent,
}

/// What changes with a file's content, wherever the path leads by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether another change would change it too.
    fn is_settled(metadata: &Metadata) -> bool {
        let age = |modified| SystemTime::now().duration_since(modified).ok();
        metadata
            .modified()
            .ok()
            .and_then(age)
            .is_some_and(|age| age >= SETTLED_AGE)
    }
}

impl Watching {
    fn run(mut self, asks: &Asks<()>, readings: &mpsc::Sender<Reading>) {
        let mut wait = PERIOD;
        loop {
            match asks.recv_timeout(wait) {
                Ok(()) => {
                    // Of several that have come meanwhile one is enough.
                    while asks.try_recv().is_ok() {}
                    self.watch.ask();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let reading;
            (wait, reading) = self.look();
            if let Some(reading) = reading
                && readings.blocking_send(reading).is_err()
            {
                return;
            }
        }
    }

    /// Looks at the file. Gives when to look again, and what counts now, if anything does.
    fn look(&mut self) -> (Duration, Option<Reading>) {
        let Some(content) = self.content() else {
            return (
                PERIOD,
                self.nothing("is no file, such as a pipe, and cannot be read twice"),
            );
        };
        if content.is_missing() && self.watch.was_missing() {
            return (PERIOD, self.nothing("does not exist"));
        }
        let (is_missing, now) = (content.is_missing(), Instant::now());
        match self.watch.found(content.clone(), now) {
            Step::Look(wait) => (wait, None),
            Step::Try => {
                let is_asked = self.watch.is_asked();
                let reading = if is_missing && !is_asked {
                    let path = self.source.path().display();
                    Reading::Refused(format!("configuration file {path} is gone: put it back"))
                } else {
                    match self.source.load_of(content) {
                        Ok(loaded) => Reading::Usable(Box::new(loaded)),
                        Err(error) => Reading::Refused(error.to_string()),
                    }
                };
                // One that is gone may come back in a moment, also where the variables would do without it.
                let is_usable = matches!(reading, Reading::Usable(_)) && !is_missing;
                if self.watch.tried(is_usable, now) {
                    (PERIOD, Some(reading))
                } else {
                    (SETTLED, None)
                }
            }
        }
    }

    /// Answers whoever has asked where there is nothing to read.
    fn nothing(&mut self, why: &str) -> Option<Reading> {
        self.watch.take_ask().then(|| {
            Reading::Nothing(format!(
                "configuration file {} {why}, and the environment variables of a process never change: restart it for another \
                 configuration",
                self.source.path().display()
            ))
        })
    }

    /// What the file holds; `None`: it is no file.
    fn content(&mut self) -> Option<FileContent> {
        let path = self.source.path();
        let metadata = fs::metadata(path).ok();
        if let Some(metadata) = &metadata
            && !metadata.is_file()
            && !metadata.is_dir()
        {
            return None;
        }
        let stamp = metadata.as_ref().map(Stamp::of);
        if stamp.is_some() && stamp == self.last.stamp {
            return Some(self.last.content.clone());
        }
        let content = FileContent::read(path);
        // What it was before it was read: a change meanwhile is another stamp.
        self.last.stamp = metadata.filter(Stamp::is_settled).as_ref().map(Stamp::of);
        self.last.content = content.clone();
        Some(content)
    }
}
