//! Values that requests read and a new configuration replaces meanwhile.
//!
//! Every request reads some, so a read costs a look at a number that hardly ever changes: an atomic count of references, or a
//! lock, would be written to by every worker at every request.
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::watch;

/// A value that can be replaced; clones share it.
#[derive(Debug)]
pub(crate) struct Live<T> {
    newest: watch::Sender<Arc<T>>,
}

impl<T> Live<T> {
    /// Starts with this value.
    pub(crate) fn new(value: T) -> Self {
        Self {
            newest: watch::Sender::new(Arc::new(value)),
        }
    }

    /// Puts another value in its place: whoever reads from now on has this one.
    pub(crate) fn replace(&self, value: T) {
        self.newest.send_replace(Arc::new(value));
    }

    /// The value, for those who read seldom.
    pub(crate) fn newest(&self) -> Arc<T> {
        Arc::clone(&self.newest.borrow())
    }
}

impl<T: Clone> Live<T> {
    /// For one thread that reads often.
    pub(crate) fn reader(&self) -> Reader<T> {
        let mut newest = self.newest.subscribe();
        let held = Rc::new(T::clone(&newest.borrow_and_update()));
        Reader {
            newest: RefCell::new(newest),
            held: RefCell::new(held),
        }
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self {
            newest: self.newest.clone(),
        }
    }
}

/// A thread's own copy of the value, renewed when it is read after a replacement.
#[derive(Debug)]
pub(crate) struct Reader<T> {
    newest: RefCell<watch::Receiver<Arc<T>>>,
    held: RefCell<Rc<T>>,
}

impl<T: Clone> Reader<T> {
    /// The value as it is now; whoever holds it on has it as it was.
    pub(crate) fn get(&self) -> Rc<T> {
        self.renew();
        Rc::clone(&self.held.borrow())
    }

    /// The same where this holds for it.
    pub(crate) fn get_if(&self, holds: impl FnOnce(&T) -> bool) -> Option<Rc<T>> {
        self.renew();
        let held = self.held.borrow();
        holds(&held).then(|| Rc::clone(&held))
    }

    /// Looks at the value as it is now. The look must not read the value in turn.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&T) -> R) -> R {
        self.renew();
        look(&self.held.borrow())
    }

    fn renew(&self) {
        // An error: nobody can replace it any more.
        if self.newest.borrow().has_changed().unwrap_or(false) {
            self.renew_now();
        }
    }

    #[cold]
    fn renew_now(&self) {
        let value = T::clone(&self.newest.borrow_mut().borrow_and_update());
        self.held.replace(Rc::new(value));
    }
}

impl<T: Clone + 'static> Reader<T> {
    /// Renews it at every replacement, on this thread: one that nobody reads would else hold what is gone. Needs a running
    /// actix `System`.
    pub(crate) fn renewed(self) -> Rc<Self> {
        let reader = Rc::new(self);
        let mut replacements = reader.newest.borrow().clone();
        let renewed = Rc::downgrade(&reader);
        actix_rt::spawn(async move {
            while replacements.changed().await.is_ok()
                && let Some(reader) = renewed.upgrade()
            {
                reader.renew();
            }
        });
        reader
    }
}

impl<T> Clone for Reader<T> {
    fn clone(&self) -> Self {
        Self {
            newest: self.newest.clone(),
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
        let third = reader.get_if(|value| value == "third");
        assert_eq!(third.as_deref().map(String::as_str), Some("third"));
        assert_eq!(reader.get_if(|value| value == "second"), None);
        assert_eq!(live.newest().as_str(), "third");
    }

    #[actix_web::test]
    async fn a_reader_that_nobody_reads_holds_nothing_that_is_gone() {
        let first = Arc::new("first".to_owned());
        let live = Live::new(Arc::clone(&first));
        let reader = live.reader().renewed();
        assert_eq!(Arc::strong_count(&first), 3);
        live.replace(Arc::new("second".to_owned()));
        while Arc::strong_count(&first) > 1 {
            actix_rt::task::yield_now().await;
        }
        assert_eq!(reader.get().as_str(), "second");
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
