//! What of a new configuration could not be followed, and what to do about it.
use std::fmt;
use std::io;

use actors::environment::Unavailable;

use super::admin::NotMoved;

/// What of a new configuration could not be followed.
#[derive(Debug)]
pub(super) enum Unfollowed {
    /// The system allows no thread for a part that is new.
    Thread(io::Error),
    /// The owner of the environments does not answer.
    Environments,
    /// The admin port cannot be where it is to be.
    Admin(NotMoved),
}

impl std::error::Error for Unfollowed {}

impl fmt::Display for Unfollowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thread(error) => write!(
                f,
                "the system allows no thread for a part that it switches on ({error}): raise the limits of threads and of open \
                 files, and send SIGHUP"
            ),
            Self::Admin(error) => write!(f, "{error}, and send SIGHUP"),
            Self::Environments => {
                f.write_str("the environments do not answer: send SIGHUP, and restart the process where that does not help")
            }
        }
    }
}

impl Unfollowed {
    /// Whether the setting of this name is what is not in force.
    pub(super) fn is_of(&self, name: &str) -> bool {
        matches!(self, Self::Admin(_)) && name.starts_with("admin.")
    }
}

impl From<io::Error> for Unfollowed {
    fn from(error: io::Error) -> Self {
        Self::Thread(error)
    }
}

impl From<Unavailable> for Unfollowed {
    fn from(_: Unavailable) -> Self {
        Self::Environments
    }
}
