//! What is still to be written: the latest of each environment, in the order in which they began to wait; pure.
use crate::keys::KeyDigest;

use super::format::Stored;

/// A document, and what logs call its environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) stored: Stored,
    pub(super) label: String,
}

/// It holds one document an environment at most: the bytes of the newest, which is served anyway.
#[derive(Debug, Default)]
pub(super) struct Pending {
    waiting: Vec<Item>,
    /// What is being written.
    under_way: Option<KeyDigest>,
}

impl Pending {
    /// Takes a document in the place of an older one of its environment.
    pub(super) fn put(&mut self, item: Item) {
        let environment = item.stored.environment;
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|waiting| waiting.stored.environment == environment) {
            Some(older) => *older = item,
            None => self.waiting.push(item),
        }
    }

    /// What to write now; `None`: nothing, or something is being written.
    pub(super) fn begin(&mut self) -> Option<Item> {
        if self.under_way.is_some() || self.waiting.is_empty() {
            return None;
        }
        let item = self.waiting.remove(0);
        self.under_way = Some(item.stored.environment);
        Some(item)
    }

    /// What was being written is written.
    pub(super) fn written(&mut self) {
        self.under_way = None;
    }

    /// It is not: it waits again, first, unless a newer one of its environment does.
    pub(super) fn failed(&mut self, item: Item) {
        self.under_way = None;
        let environment = item.stored.environment;
        if !self
            .waiting
            .iter()
            .any(|waiting| waiting.stored.environment == environment)
        {
            self.waiting.insert(0, item);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_none()
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::EnvironmentKey;
    use crate::store::format::tests::stored;

    fn item(key: &str, served: i64) -> Item {
        Item {
            stored: Stored {
                environment: KeyDigest::of(&EnvironmentKey::new(key)),
                ..stored(served, b"{}")
            },
            label: key.to_owned(),
        }
    }

    fn begun(pending: &mut Pending) -> Option<(String, i64)> {
        let item = pending.begin()?;
        pending.written();
        Some((item.label, item.stored.served.as_micros()))
    }

    #[test]
    fn the_latest_of_each_environment_is_written_in_turn() {
        let mut pending = Pending::default();
        for (key, served) in [("a", 1), ("b", 1), ("a", 2), ("c", 1), ("a", 3)] {
            pending.put(item(key, served));
        }
        assert_eq!(pending.waiting(), 3);
        for expected in [("a", 3), ("b", 1), ("c", 1)] {
            assert_eq!(begun(&mut pending), Some((expected.0.to_owned(), expected.1)));
        }
        assert!(pending.is_empty() && pending.begin().is_none());
    }

    #[test]
    fn what_failed_waits_again_unless_it_was_overtaken() {
        let mut pending = Pending::default();
        pending.put(item("a", 1));
        pending.put(item("b", 1));
        let first = pending.begin().unwrap();
        assert!(pending.begin().is_none(), "one at a time");
        assert!(!pending.is_empty());
        pending.failed(first);
        assert_eq!(begun(&mut pending), Some(("a".to_owned(), 1)));
        let second = pending.begin().unwrap();
        pending.put(item("b", 2));
        pending.failed(second);
        assert_eq!(begun(&mut pending), Some(("b".to_owned(), 2)));
        assert!(pending.is_empty());
    }
}
