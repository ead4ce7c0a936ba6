//! What the folder's files are called; pure. The version is part of each name, so that another version of the program on the
//! same folder has files of its own.
use std::fmt;

use super::format::VERSION;
use crate::keys::KeyDigest;

/// Whoever has locked this file is the one process that writes.
pub(super) const LOCK: &str = "lock";
/// Evaluation counts that could not be sent.
pub(super) const UNSENT: &str = "analytics.1.unsent";
/// What a file is called that is not written to its end.
const UNFINISHED: &str = ".unfinished";
/// What is added to the name of a file that is not ours and stands in the way of one that is.
const SET_ASIDE: &str = ".set-aside-";
/// How the names of files begin and end that are written to see whether they can be.
const PROBE_BEGINNING: &str = ".edge-proxy-";
const PROBE_ENDING: &str = ".probe";
const DIGEST_DIGITS: usize = 64;

/// The two files of one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Generation {
    /// The newest document.
    Current,
    /// The one before it.
    Previous,
}

impl Generation {
    /// Its file's name.
    pub(super) fn of(self, environment: KeyDigest) -> String {
        format!("{environment}.{VERSION}.{self}")
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Current => "document",
            Self::Previous => "previous",
        })
    }
}

/// What a file is called until it is whole; no two writers choose the same name.
pub(super) fn unfinished(name: &str) -> String {
    format!("{name}.{:016x}{UNFINISHED}", fastrand::u64(..))
}

/// A name for a file that is written to see whether it can be: the store looks past names that begin so.
pub(super) fn probe() -> String {
    format!("{PROBE_BEGINNING}{:016x}{PROBE_ENDING}", fastrand::u64(..))
}

/// Whether a name is that of such a file.
pub(super) fn is_probe(name: &str) -> bool {
    let digits = name
        .strip_prefix(PROBE_BEGINNING)
        .and_then(|rest| rest.strip_suffix(PROBE_ENDING));
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Where a file goes that is not ours and has the name of one that is; `number` from 1.
pub(super) fn set_aside(name: &str, number: u32) -> String {
    format!("{name}{SET_ASIDE}{number}")
}

/// What a name says of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A document of this environment, by its digest's digits.
    Document(String),
    /// A document or something else of another version.
    OtherVersion,
    /// What a process left that ended while it wrote.
    Unfinished,
    /// Another one of ours.
    Ours,
    /// Something that a file system or an orchestrator keeps there.
    OfTheSystem,
    Foreign,
}

impl Kind {
    pub(super) fn of(name: &str) -> Self {
        if name == LOCK || name == UNSENT {
            return Self::Ours;
        }
        if name.starts_with('.') || name == "lost+found" {
            return Self::OfTheSystem;
        }
        let Some((stem, rest)) = name.split_once('.') else {
            return Self::Foreign;
        };
        let is_digest = stem.len() == DIGEST_DIGITS && stem.bytes().all(|byte| byte.is_ascii_hexdigit());
        let Some((version, what)) = rest.split_once('.') else {
            return Self::Foreign;
        };
        if !(is_digest || stem == "analytics") || version.parse::<u32>().is_err() {
            return Self::Foreign;
        }
        let is_this = version == VERSION.to_string();
        match what {
            _ if what.ends_with(UNFINISHED) && is_this => Self::Unfinished,
            "document" | "previous" if is_digest && is_this => Self::Document(stem.to_owned()),
            "document" | "previous" | "unsent" => Self::OtherVersion,
            _ if what.ends_with(UNFINISHED) => Self::OtherVersion,
            _ => Self::Foreign,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::format::tests::environment;

    #[test]
    fn a_name_tells_its_file_and_no_key() {
        let current = Generation::Current.of(environment());
        let digits = environment().to_string();
        assert_eq!(digits.len(), DIGEST_DIGITS);
        assert_eq!(current, format!("{digits}.1.document"));
        let previous = Generation::Previous.of(environment());
        for name in [&current, &previous] {
            assert_eq!(Kind::of(name), Kind::Document(digits.clone()));
            assert_eq!(Kind::of(&unfinished(name)), Kind::Unfinished);
            assert_eq!(Kind::of(&set_aside(name, 1)), Kind::Foreign);
        }
        assert_eq!(Kind::of(&probe()), Kind::OfTheSystem);
        assert!(is_probe(&probe()));
        for other in [
            ".edge-proxy-1.serving",
            ".edge-proxy-notes.probe",
            ".edge-proxy-0123456789abcdefa.probe",
        ] {
            assert!(!is_probe(other), "{other}");
        }
        assert_ne!(unfinished(&current), unfinished(&current));
        assert_eq!(Kind::of(&unfinished(UNSENT)), Kind::Unfinished);
        for (name, expected) in [
            (LOCK, Kind::Ours),
            (UNSENT, Kind::Ours),
            ("lost+found", Kind::OfTheSystem),
            ("..data", Kind::OfTheSystem),
            ("analytics.2.unsent", Kind::OtherVersion),
            (&format!("{digits}.2.document"), Kind::OtherVersion),
            (&format!("{digits}.0.document.7.unfinished"), Kind::OtherVersion),
            (&format!("{digits}.1.json"), Kind::Foreign),
            (&format!("{digits}.x.document"), Kind::Foreign),
            ("abc.1.document", Kind::Foreign),
            ("notes.txt", Kind::Foreign),
            ("", Kind::Foreign),
        ] {
            assert_eq!(Kind::of(name), expected, "{name}");
        }
    }
}
