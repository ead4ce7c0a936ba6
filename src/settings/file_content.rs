//! What is found at the configuration file's path.
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// A larger file is no configuration: ten thousand key pairs take 2 MiB.
const MOST_BYTES: u64 = 64 * 1024 * 1024;

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
        Self(read(path).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Unread::Missing,
            ErrorKind::IsADirectory => Unread::Failed(
                "it is a directory (Docker makes one where the file to mount does not exist)".to_owned(),
            ),
            _ => Unread::Failed(error.to_string()),
        }))
    }

    /// That of no file.
    pub(super) const fn missing() -> Self {
        Self(Err(Unread::Missing))
    }

    /// Tells whether there is no such file.
    pub fn is_missing(&self) -> bool {
        self.0 == Err(Unread::Missing)
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::other("it is larger than 64 MiB"));
    }
    Ok(bytes)
}

impl fmt::Debug for FileContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ok(bytes) => write!(f, "FileContent({} bytes)", bytes.len()),
            Err(why) => write!(f, "FileContent({why:?})"),
        }
    }
}
