//! The heads of one connection's requests in progress. Compression lets a client say the same long field again and again
//! for a byte each time, and a connection has many requests, so they are bounded together.
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use crate::budget::{ByteBudget, HeldBytes};

/// What the heads of a connection may take before they count in the budget of the process: 100 of an ordinary size.
const FREE: usize = 64 * 1024;

/// What they may take in all: one client does not spend what there is for all of them.
const MOST: usize = FREE + 1024 * 1024;

/// The heads of one connection.
#[derive(Debug)]
pub(super) struct Heads {
    bytes: Cell<usize>,
    held: RefCell<HeldBytes>,
    budget: ByteBudget,
}

impl Heads {
    /// Begins with none. `budget`: what requests may take that are still coming.
    pub(super) fn new(budget: &ByteBudget) -> Rc<Self> {
        Rc::new(Self {
            bytes: Cell::new(0),
            held: RefCell::new(budget.holder()),
            budget: budget.clone(),
        })
    }

    /// Holds another one; `None`: there is too much of them.
    pub(super) fn hold(self: &Rc<Self>, bytes: usize) -> Option<HeldHead> {
        let all = self.bytes.get() + bytes;
        if all > MOST || (all > FREE && self.budget.is_spent()) {
            return None;
        }
        self.set(all);
        Some(HeldHead {
            heads: Rc::clone(self),
            bytes,
        })
    }

    fn set(&self, bytes: usize) {
        let before = self.bytes.replace(bytes);
        if before.max(bytes) > FREE {
            self.held.borrow_mut().set(bytes.saturating_sub(FREE));
        }
    }
}

/// The head of a request in progress.
#[derive(Debug)]
pub(super) struct HeldHead {
    heads: Rc<Heads>,
    bytes: usize,
}

impl Drop for HeldHead {
    fn drop(&mut self) {
        self.heads.set(self.heads.bytes.get().saturating_sub(self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_heads_cost_nothing_and_large_ones_count_together() {
        let budget = ByteBudget::new(100 * 1024);
        let heads = Heads::new(&budget);
        let mut held: Vec<_> = (0..64).map(|_| heads.hold(1024).unwrap()).collect();
        assert_eq!(budget.held(), 0);
        held.push(heads.hold(100 * 1024).unwrap());
        assert_eq!(budget.held(), 100 * 1024);
        assert!(heads.hold(1).is_none());
        let others = Heads::new(&budget);
        assert!(
            others.hold(1024).is_some(),
            "those of others have their own share"
        );
        assert!(others.hold(FREE + 1).is_none());
        held.pop();
        assert_eq!(budget.held(), 0);
        drop(held);
        assert_eq!(heads.bytes.get(), 0);
    }

    #[test]
    fn one_connection_does_not_spend_what_there_is_for_all() {
        let budget = ByteBudget::new(64 * 1024 * 1024);
        let heads = Heads::new(&budget);
        let held: Vec<_> = (0..1_000).map_while(|_| heads.hold(100 * 1024)).collect();
        assert_eq!(held.len(), MOST / (100 * 1024));
        assert!(budget.held() <= 1024 * 1024);
        assert!(heads.hold(1024).is_some(), "an ordinary one still fits");
    }
}
