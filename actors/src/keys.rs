//! Environment keys and what they open.
use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};

use engine::KeyKind;
use foldhash::fast::RandomState;
use sha2::{Digest as _, Sha256};

/// A secret: an environment key, client-side or server-side. Never shown by `Debug`.
#[derive(Clone, Eq)]
pub struct EnvironmentKey(String);

impl PartialEq for EnvironmentKey {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(test)]
        comparisons::count();
        self.0 == other.0
    }
}

impl Hash for EnvironmentKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl EnvironmentKey {
    /// Wraps a key whose outer blanks are off.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for comparing and for requests to upstream; never for a log.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for EnvironmentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnvironmentKey(…)")
    }
}

/// Names an environment over restarts, and tells nobody its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Of the client-side key: in Flagsmith that one is the environment's own and does not change.
    pub(crate) fn of(client_side_key: &EnvironmentKey) -> Self {
        Self(Sha256::digest(client_side_key.reveal()).into())
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn bytes(self) -> [u8; 32] {
        self.0
    }
}

impl fmt::Display for KeyDigest {
    /// In hexadecimal digits, as files are named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Names one environment for as long as the process lives, wherever it stands in the configuration. The environment
/// actor gives each a number of its own, from 1, and never gives a number twice.
#[derive(Debug, Clone, Copy, Eq, PartialOrd, Ord)]
pub struct EnvironmentId(u64);

impl PartialEq for EnvironmentId {
    fn eq(&self, other: &Self) -> bool {
        #[cfg(test)]
        comparisons::count();
        self.0 == other.0
    }
}

impl Hash for EnvironmentId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl EnvironmentId {
    /// The id that follows; `None`: the first.
    pub(crate) const fn after(previous: Option<Self>) -> Self {
        match previous {
            None => Self(1),
            Some(Self(number)) => Self(number.saturating_add(1)),
        }
    }

    /// Its place in a list that has one for every number.
    pub(crate) fn place(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for EnvironmentId {
    /// The number, as logs show it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A map from environment to whatever its owner keeps of it. Ids are the actor's own numbers, so the hasher is a quick
/// one.
pub type ById<T> = HashMap<EnvironmentId, T, RandomState>;

/// From key to environment and kind of key. Made anew when the environments are configured.
#[derive(Clone, Default)]
pub struct KeyTable {
    by_key: HashMap<Box<[u8]>, (EnvironmentId, KeyKind), RandomState>,
}

impl KeyTable {
    /// Adds a key; returns false, and changes nothing, where the key is there already.
    pub fn insert(&mut self, key: &EnvironmentKey, id: EnvironmentId, kind: KeyKind) -> bool {
        let key = key.reveal().as_bytes();
        let is_new = !self.by_key.contains_key(key);
        if is_new {
            self.by_key.insert(key.into(), (id, kind));
        }
        is_new
    }

    /// What a key opens; its outer blanks are ignored. Takes the same time with any number of keys, and no allocation.
    pub fn resolve(&self, key: &[u8]) -> Option<(EnvironmentId, KeyKind)> {
        self.by_key.get(key.trim_ascii()).copied()
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyTable({} keys)", self.by_key.len())
    }
}

/// How often keys and environments were compared on this thread: what shows that work grows with their number, and not with its
/// square.
#[cfg(test)]
pub(crate) mod comparisons {
    use std::cell::Cell;

    thread_local! {
        static MADE: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count() {
        MADE.set(MADE.get() + 1);
    }

    pub(crate) fn made() -> usize {
        MADE.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolves_keys_whatever_blanks_are_around_them() {
        let mut table = KeyTable::default();
        let (client, server) = (EnvironmentKey::new("client"), EnvironmentKey::new("ser.secret"));
        let first = EnvironmentId::after(None);
        let second = EnvironmentId::after(Some(first));
        assert!(table.insert(&client, first, KeyKind::Client));
        assert!(table.insert(&server, first, KeyKind::Server));
        assert!(
            !table.insert(&client, second, KeyKind::Client),
            "the first pair keeps its key"
        );

        assert_eq!(table.resolve(b"client"), Some((first, KeyKind::Client)));
        assert_eq!(table.resolve(b" \tser.secret "), Some((first, KeyKind::Server)));
        for unknown in [b"".as_slice(), b" ", b"Client", b"ser.secre", b"\xff\xfe"] {
            assert_eq!(table.resolve(unknown), None);
        }
    }

    #[test]
    fn no_key_is_shown() {
        let mut table = KeyTable::default();
        let key = EnvironmentKey::new("ser.secret");
        table.insert(&key, EnvironmentId::after(None), KeyKind::Server);
        assert!(!format!("{key:?} {table:?}").contains("secret"));
    }
}
