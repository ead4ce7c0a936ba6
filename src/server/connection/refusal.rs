//! Refusals: the answers to what is no request, or to a client that has not asked for anything yet.
//!
//! No route and no layer sees them. What an answer has to have is told by whoever makes it, see [`RefusalAnswers`].
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use crate::error::ApiError;

use super::fault::ReadHead;

/// What is refused.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Why.
    pub error: ApiError,
    /// What can be read of its head; `None`: there is none.
    pub head: Option<ReadHead>,
    /// Who sent it; `None` where it has gone.
    pub peer: Option<IpAddr>,
}

/// Makes the whole answer to what is refused, head and body, and tells whoever hears of outcomes. Clones share it.
#[derive(Clone)]
pub(crate) struct RefusalAnswers(Arc<Answer>);

type Answer = dyn Fn(&Refused) -> Vec<u8> + Send + Sync;

impl RefusalAnswers {
    /// Takes what makes them.
    pub(crate) fn new(answer: impl Fn(&Refused) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self(Arc::new(answer))
    }

    pub(in crate::server) fn answer(&self, refused: &Refused) -> Vec<u8> {
        (self.0)(refused)
    }
}

impl fmt::Debug for RefusalAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalAnswers").finish_non_exhaustive()
    }
}
