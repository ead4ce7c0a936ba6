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
            message: one_line(message.into()),
        }
    }

    pub(super) fn info(message: impl Into<String>) -> Self {
        Self {
            level: log::Level::Info,
            message: one_line(message.into()),
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

/// A text with its control characters escaped: names of variables may hold a line break, and a log is read by lines.
pub(super) fn one_line(text: String) -> String {
    if !text.contains(char::is_control) {
        return text;
    }
    let escaped = |letter: char| {
        let is_control = letter.is_control();
        let (escaped, plain) = (letter.escape_default(), letter);
        is_control
            .then_some(escaped)
            .into_iter()
            .flatten()
            .chain((!is_control).then_some(plain))
    };
    text.chars().flat_map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_one_line() {
        let notice = Notice::warning("variable \rA\nB\u{1b}[1m is ünknown");
        assert_eq!(notice.message, r"variable \rA\nB\u{1b}[1m is ünknown");
    }
}
