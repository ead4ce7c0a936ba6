//! Standard error, as the thread that writes the log sees it.
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd as _, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};

/// A descriptor of its own: a write that waits holds no lock that another thread could want at the process's end.
#[derive(Debug)]
pub(super) struct StandardError(File);

impl StandardError {
    /// Standard error of this process.
    ///
    /// # Errors
    /// Where there is no further descriptor.
    pub(super) fn open() -> io::Result<Self> {
        io::stderr().as_fd().try_clone_to_owned().map(Self::to)
    }

    /// Something else in its place.
    pub(super) fn to(descriptor: impl Into<OwnedFd>) -> Self {
        Self(File::from(descriptor.into()))
    }
}

impl Write for StandardError {
    /// Waits for room also where whoever started the process has switched the pipe to non-blocking, as Node.js does.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None)?;
                }
                outcome => return outcome,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
