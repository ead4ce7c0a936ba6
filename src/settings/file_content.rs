//! What is found at the configuration file's path.
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The content of the configuration file at one moment, or why there is none. Its debug format shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct FileContent(pub(super) Result<Vec<u8>, Unread>);

/// Why there is no content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is no such file.
    Missing,
    /// It is there, and cannot be read: what the system said.
    Failed(String),
}

impl FileContent {
    /// Reads the file. This blocks, for ever where it is a pipe that nobody writes to.
    pub fn read(path: &Path) -> Self {
        Self(fs::read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Unread::Missing,
            ErrorKind::IsADirectory => Unread::Failed(
                "it is a directory (Docker makes one where the file to mount does not exist)".to_owned(),
            ),
            _ => Unread::Failed(error.to_string()),
        }))
    }

    /// Tells whether there is no such file.
    pub fn is_missing(&self) -> bool {
        self.0 == Err(Unread::Missing)
    }
}

impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(bytes) => write!(f, "FileContent({} bytes)", bytes.len()),
            Err(why) => write!(f, "FileContent({why:?})"),
        }
    }
}
