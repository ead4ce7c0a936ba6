use std::fmt;
use std::io::{self, ErrorKind};

/// Why nothing is written. The messages say what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another process has the folder.
    Taken,
    /// The disk refuses; which step, and the error.
    Disk(&'static str, ErrorKind, String),
}

impl Trouble {
    /// The disk refused this, as in `write`.
    pub(super) fn of(step: &'static str) -> impl Fn(io::Error) -> Self {
        // The system's text names no path.
        move |error| Self::Disk(step, error.kind(), error.to_string())
    }

    /// Whether the operator has to do the same about both.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Taken, Self::Taken) => true,
            (Self::Disk(_, a, _), Self::Disk(_, b, _)) => a == b,
            _ => false,
        }
    }

    /// Whether this process writes nothing more before it has the folder anew.
    pub(super) fn ends_ownership(&self) -> bool {
        *self == Self::Taken || self.is_about_folder()
    }

    /// Whether the folder itself may be another one by now, or none.
    pub(super) fn is_about_folder(&self) -> bool {
        matches!(
            self,
            Self::Disk(_, ErrorKind::NotFound | ErrorKind::NotADirectory, _)
        )
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Disk(step, kind, text) = self else {
            return f.write_str("another process has it");
        };
        write!(f, "cannot {step}: {text}")?;
        f.write_str(match kind {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "; make room on its disk",
            ErrorKind::FileTooLarge => "; raise the limit of a file's size (ulimit -f)",
            ErrorKind::ReadOnlyFilesystem => "; mount it so that it can be written to",
            ErrorKind::PermissionDenied => "; let the process's user write to it",
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => "; it must be a directory",
            _ => "; check it and its disk",
        })
    }
}
