//! What is worth telling about a configuration and does not end the start.
use std::fmt;

/// A line for the log, once the logger is up; the start goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `Warn`, or `Info` where nothing is wrong.
    pub level: log::Level,
    /// One line, which never holds a key.
    pub message: String,
}

impl Notice {
    pub(super) fn warning(message: impl Into<String>) -> Self {
        Self {
            level: log::Level::Warn,
            message: message.into(),
        }
    }

    pub(super) fn info(message: impl Into<String>) -> Self {
        Self {
            level: log::Level::Info,
            message: message.into(),
        }
    }

    /// Writes it to the log.
    pub fn log(&self) {
        log::log!(self.level, "{}", self.message);
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
