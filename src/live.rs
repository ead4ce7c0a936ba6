//! Values that requests read and a new configuration replaces meanwhile.
//!
//! Every request reads some, so a read costs a look at a number that hardly ever changes: an atomic count of references, or a
//! lock, would be written to by every worker at every request.
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A value that can be replaced; clones share it.
#[derive(Debug)]
pub(crate) struct Live<T> {
    shared: Arc<Shared<T>>,
}

#[derive(Debug)]
struct Shared<T> {
    /// Counts replacements. It is written under the lock of the value that it belongs to.
    generation: AtomicU64,
    newest: Mutex<Arc<T>>,
}

impl<T> Live<T> {
    /// Starts with this value.
    pub(crate) fn new(value: T) -> Self {
        Self {
            shared: Arc::new(Shared {
                generation: AtomicU64::new(0),
                newest: Mutex::new(Arc::new(value)),
            }),
        }
    }

    /// Puts another value in its place: whoever reads from now on has this one.
    pub(crate) fn replace(&self, value: T) {
        let mut newest = self.shared.lock();
        *newest = Arc::new(value);
        self.shared.generation.fetch_add(1, Ordering::Release);
    }

    /// The value, for those who read seldom.
    pub(crate) fn newest(&self) -> Arc<T> {
        Arc::clone(&self.shared.lock())
    }
}

impl<T: Clone> Live<T> {
    /// For one thread that reads often.
    pub(crate) fn reader(&self) -> Reader<T> {
        let newest = self.shared.lock();
        Reader {
            generation: Cell::new(self.shared.generation.load(Ordering::Acquire)),
            held: RefCell::new(Rc::new(T::clone(&newest))),
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, Arc<T>> {
        // A replacement is one assignment, so it is whole.
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

/// A thread's own copy of the value, renewed when it is read after a replacement.
#[derive(Debug)]
pub(crate) struct Reader<T> {
    shared: Arc<Shared<T>>,
    generation: Cell<u64>,
    held: RefCell<Rc<T>>,
}

impl<T: Clone> Reader<T> {
    /// The value as it is now; whoever holds it on has it as it was.
    pub(crate) fn get(&self) -> Rc<T> {
        self.renew();
        Rc::clone(&self.held.borrow())
    }

    /// Looks at the value as it is now. The look must not read the value in turn.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.renew();
        look(&self.held.borrow())
    }

    fn renew(&self) {
        if self.shared.generation.load(Ordering::Acquire) != self.generation.get() {
            self.renew_now();
        }
    }

    #[cold]
    fn renew_now(&self) {
        let newest = self.shared.lock();
        self.generation
            .set(self.shared.generation.load(Ordering::Acquire));
        self.held.replace(Rc::new(T::clone(&newest)));
    }
}

impl<T: Clone> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            generation: self.generation.clone(),
            held: self.held.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_has_what_was_put_last_and_holds_what_it_took() {
        let live = Live::new("first".to_owned());
        let (reader, other) = (live.reader(), live.clone().reader());
        let held = reader.get();
        assert_eq!((held.as_str(), live.newest().as_str()), ("first", "first"));
        live.replace("second".to_owned());
        live.replace("third".to_owned());
        assert_eq!(held.as_str(), "first");
        assert_eq!(reader.get().as_str(), "third");
        assert_eq!(other.clone().with(String::clone), "third");
        assert_eq!(live.newest().as_str(), "third");
    }

    #[test]
    fn every_thread_reads_values_in_their_order() {
        let live = Live::new(0_u64);
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let live = live.clone();
                std::thread::spawn(move || {
                    let reader = live.reader();
                    let mut last = 0;
                    while last < 10_000 {
                        let now = *reader.get();
                        assert!(now >= last, "{now} after {last}");
                        last = now;
                    }
                })
            })
            .collect();
        for value in 1..=10_000 {
            live.replace(value);
        }
        for reader in readers {
            reader.join().unwrap();
        }
    }
}
