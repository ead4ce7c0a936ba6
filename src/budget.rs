//! Budgets of bytes for the whole process: what many requests may hold together, each of them being within its own
//! limit.
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::settings::DoorSettings;

/// The budgets of the process; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Budgets {
    /// Bodies of requests that are still coming.
    pub request_bodies: ByteBudget,
    /// Answers that clients have not read yet: those in the buffers of connections, and those made for one request.
    pub unsent_answers: ByteBudget,
}

impl Budgets {
    /// Makes them, each of so many bytes.
    pub(crate) fn new(request_bodies: usize, unsent_answers: usize) -> Self {
        Self {
            request_bodies: ByteBudget::new(request_bodies),
            unsent_answers: ByteBudget::new(unsent_answers),
        }
    }

    /// Those that the settings ask for.
    pub(crate) fn of(door: &DoorSettings) -> Self {
        Self::new(door.max_body_bytes_in_flight, door.max_answer_bytes_in_flight)
    }

    /// Gives each another size, as the settings ask.
    pub(crate) fn resize(&self, door: &DoorSettings) {
        self.request_bodies.resize(door.max_body_bytes_in_flight);
        self.unsent_answers.resize(door.max_answer_bytes_in_flight);
    }
}

/// A number of bytes that can be held at a time; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct ByteBudget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit: AtomicUsize,
    held: AtomicUsize,
}

impl ByteBudget {
    /// Makes a budget of which nothing is held.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                limit: AtomicUsize::new(limit),
                held: AtomicUsize::new(0),
            }),
        }
    }

    /// Sets how much can be held from now on. What is held stays, though it be more.
    pub(crate) fn resize(&self, limit: usize) {
        self.shared.limit.store(limit, Ordering::Relaxed);
    }

    /// Starts a holder that holds nothing yet.
    pub(crate) fn holder(&self) -> HeldBytes {
        HeldBytes {
            shared: Arc::clone(&self.shared),
            bytes: 0,
        }
    }

    /// Tells whether nothing is left.
    pub(crate) fn is_spent(&self) -> bool {
        self.held() >= self.shared.limit.load(Ordering::Relaxed)
    }

    /// How many bytes are held.
    pub(crate) fn held(&self) -> usize {
        self.shared.held.load(Ordering::Relaxed)
    }
}

/// What one holder holds of a budget; it gives it back when it is dropped.
#[derive(Debug)]
pub(crate) struct HeldBytes {
    shared: Arc<Shared>,
    bytes: usize,
}

impl HeldBytes {
    /// Holds more, where the budget has it; tells whether it had.
    #[must_use]
    pub(crate) fn try_add(&mut self, bytes: usize) -> bool {
        let Shared { limit, held } = &*self.shared;
        let limit = limit.load(Ordering::Relaxed);
        let added = held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |held| {
            held.checked_add(bytes).filter(|held| *held <= limit)
        });
        if added.is_ok() {
            self.bytes += bytes;
        }
        added.is_ok()
    }

    /// Holds this many bytes from now on, whether the budget has them or not: they are there already.
    pub(crate) fn set(&mut self, bytes: usize) {
        let held = &self.shared.held;
        if bytes > self.bytes {
            held.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else {
            held.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
    }
}

impl Drop for HeldBytes {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_share_the_budget_and_give_back_what_they_held() {
        let budget = ByteBudget::new(100);
        let (mut first, mut second) = (budget.holder(), budget.clone().holder());
        assert!(first.try_add(60));
        assert!(!second.try_add(41));
        assert!(second.try_add(40));
        assert!(budget.is_spent());
        drop(first);
        assert!(!budget.is_spent());
        second.set(10);
        assert_eq!(budget.held(), 10);
        second.set(500);
        assert!(budget.is_spent());
        drop(second);
        assert_eq!(budget.held(), 0);
    }

    #[test]
    fn another_size_holds_for_what_comes() {
        let budget = ByteBudget::new(100);
        let mut holder = budget.holder();
        assert!(holder.try_add(100));
        budget.resize(50);
        assert!(budget.is_spent() && !holder.try_add(1));
        budget.resize(101);
        assert!(holder.try_add(1) && !holder.try_add(1));
    }

    #[test]
    fn more_than_a_number_can_tell_is_refused() {
        let mut holder = ByteBudget::new(usize::MAX).holder();
        assert!(holder.try_add(usize::MAX));
        assert!(!holder.try_add(1));
    }
}
