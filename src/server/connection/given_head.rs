//! The head that the dispatcher was given last, and what has become of it.
use std::cell::Cell;

use super::gate::Framing;

/// The head of one connection.
#[derive(Debug)]
pub(super) struct GivenHead(Cell<Given>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    /// It has become a request; how its body is framed, where it has one and nobody asked so far.
    Begun(Option<Framing>),
    /// It has not become a request yet.
    Alone,
    /// Nor has this, whose body was given with it.
    WithBody,
}

impl GivenHead {
    /// There was none.
    pub(super) fn none() -> Self {
        Self(Cell::new(Given::Begun(None)))
    }

    /// Notes that the dispatcher gets a head.
    pub(super) fn give(&self) {
        self.0.set(Given::Alone);
    }

    /// Notes that the dispatcher gets a head, and its body after that.
    pub(super) fn give_with_body(&self) {
        self.0.set(Given::WithBody);
    }

    /// Tells whether no request has come of it so far.
    pub(super) fn is_pending(&self) -> bool {
        !matches!(self.0.get(), Given::Begun(_))
    }

    /// Notes that it has become a request. `framing` tells how its body is framed, where it has one.
    pub(super) fn begin(&self, framing: impl FnOnce() -> Option<Framing>) {
        let framing = match self.0.get() {
            Given::Alone => framing(),
            Given::WithBody | Given::Begun(_) => None,
        };
        self.0.set(Given::Begun(framing));
    }

    /// Tells whether a body follows it, and nobody asked how that is framed.
    pub(super) fn has_framing(&self) -> bool {
        matches!(self.0.get(), Given::Begun(Some(_)))
    }

    /// How the body that follows it is framed, once.
    pub(super) fn take_framing(&self) -> Option<Framing> {
        let Given::Begun(framing @ Some(_)) = self.0.get() else {
            return None;
        };
        self.0.set(Given::Begun(None));
        framing
    }
}
