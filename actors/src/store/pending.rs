//! What is still to be written: the latest of each environment, in the order in which they began to wait; pure.
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

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
    items: HashMap<KeyDigest, Item>,
    /// The order of those that wait.
    waiting: VecDeque<KeyDigest>,
    /// What the disk did not take, until the next attempt: it stands in the way of nothing else.
    set_back: Vec<KeyDigest>,
    /// What is being written.
    under_way: Option<Item>,
}

impl Pending {
    /// Takes a document in the place of an older one of its environment.
    pub(super) fn put(&mut self, item: Item) {
        let environment = item.stored.environment;
        if self.items.insert(environment, item).is_none() {
            self.waiting.push_back(environment);
        }
    }

    /// What to write now; `None`: nothing, or something is being written.
    pub(super) fn begin(&mut self) -> Option<Item> {
        if self.under_way.is_some() {
            return None;
        }
        let item = self.items.remove(&self.waiting.pop_front()?)?;
        self.under_way = Some(item.clone());
        Some(item)
    }

    /// What was being written is written.
    pub(super) fn written(&mut self) {
        self.under_way = None;
    }

    /// It is not: it waits for [`again`](Self::again), or a newer one of its environment does.
    pub(super) fn failed(&mut self, item: Item) {
        self.under_way = None;
        let environment = item.stored.environment;
        match self.items.entry(environment) {
            Entry::Occupied(_) => self.waiting.retain(|waiting| *waiting != environment),
            Entry::Vacant(place) => drop(place.insert(item)),
        }
        self.set_back.push(environment);
    }

    /// What the disk did not take is to be tried again, after what was not tried yet.
    pub(super) fn again(&mut self) {
        self.waiting.extend(self.set_back.drain(..));
    }

    /// Whether the disk did not take something.
    pub(super) fn has_set_back(&self) -> bool {
        !self.set_back.is_empty()
    }

    /// The newest document of this environment that is still to be written.
    pub(super) fn newest(&self, environment: KeyDigest) -> Option<&Item> {
        let under_way = self.under_way.as_ref();
        let of_it = |item: &&Item| item.stored.environment == environment;
        self.items.get(&environment).or(under_way.filter(of_it))
    }

    /// Whether there is nothing that could be written now.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_none()
    }

    /// How many are not written yet.
    pub(super) fn unwritten(&self) -> usize {
        self.waiting() + usize::from(self.under_way.is_some())
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.items.len()
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
        assert!(pending.is_idle() && pending.begin().is_none());
    }

    #[test]
    fn what_failed_waits_again_unless_it_was_overtaken() {
        let mut pending = Pending::default();
        pending.put(item("a", 1));
        pending.put(item("b", 1));
        let first = pending.begin().unwrap();
        assert!(pending.begin().is_none(), "one at a time");
        assert!(!pending.is_idle());
        assert_eq!(pending.newest(first.stored.environment), Some(&first));
        pending.failed(first);
        assert_eq!(
            begun(&mut pending),
            Some(("b".to_owned(), 1)),
            "it stands in nobody's way"
        );
        assert!(pending.is_idle() && pending.has_set_back());
        pending.put(item("a", 2));
        assert!(pending.is_idle(), "a newer one waits with it");
        pending.put(item("c", 1));
        pending.again();
        assert_eq!(begun(&mut pending), Some(("c".to_owned(), 1)));
        let second = pending.begin().unwrap();
        pending.put(item("a", 3));
        assert_eq!(pending.newest(second.stored.environment), Some(&item("a", 3)));
        pending.failed(second);
        assert!(pending.is_idle() && pending.waiting() == 1);
        pending.again();
        assert_eq!(begun(&mut pending), Some(("a".to_owned(), 3)));
        assert!(pending.is_idle() && !pending.has_set_back());
    }
}
