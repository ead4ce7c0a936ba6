//! A server's log in a file. A file takes a line at once, where a reader would take its time from the server: they share
//! the machine.
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

use super::{LISTENING, PATIENCE, address_behind};

/// The file, which goes when this is dropped.
pub(super) struct LogFile {
    file: NamedTempFile,
}

impl LogFile {
    /// How often it is emptied: a line for each request would fill the disk.
    const EMPTIED: Duration = Duration::from_millis(100);

    pub(super) fn new() -> io::Result<Arc<Self>> {
        let file = NamedTempFile::new()?;
        Ok(Arc::new(Self { file }))
    }

    /// The file for a writer, whose lines go to its end wherever that is.
    pub(super) fn for_writing(&self) -> io::Result<fs::File> {
        fs::OpenOptions::new().append(true).open(self.file.path())
    }

    /// Waits for the address of the server that writes it, and keeps it short from then on.
    pub(super) fn address(self: &Arc<Self>) -> io::Result<SocketAddr> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let logged = fs::read_to_string(self.file.path())?;
            let mut lines = logged.split_inclusive('\n').filter(|line| line.ends_with('\n'));
            if let Some(address) = lines.find_map(|line| address_behind(&LISTENING, line)) {
                let log = Arc::downgrade(self);
                thread::spawn(move || Self::keep_short(&log));
                return Ok(address);
            }
            thread::sleep(Duration::from_millis(1));
        }
        Err(io::Error::other("the server does not log where it listens"))
    }

    fn keep_short(log: &Weak<Self>) {
        while let Some(log) = log.upgrade() {
            if log.file.as_file().set_len(0).is_err() {
                return;
            }
            drop(log);
            thread::sleep(Self::EMPTIED);
        }
    }
}
