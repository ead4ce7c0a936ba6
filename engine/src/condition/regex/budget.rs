//! How much work the regexes of one request may do.
use crate::condition::Raised;

/// How often the backtracking engine may return to an alternative within one request.
const MAX_BACKTRACKS: u32 = 100_000;
/// How many characters and instructions it may take meanwhile; this also bounds its stack to some 24 MB.
const MAX_WORK: u32 = 1_000_000;

/// How much work the regexes of one request may do on the backtracking engine. Once used up, each further pattern that
/// needs that engine raises. Patterns on the linear-time engine cost nothing.
#[derive(Debug)]
pub(crate) struct RegexBudget {
    backtracks: u32,
    work: u32,
}

impl RegexBudget {
    /// A fresh budget: one a request.
    pub(crate) fn new() -> Self {
        Self {
            backtracks: MAX_BACKTRACKS,
            work: MAX_WORK,
        }
    }

    pub(super) fn backtrack(&mut self) -> Result<(), Raised> {
        self.backtracks = self.backtracks.checked_sub(1).ok_or(Raised)?;
        Ok(())
    }

    pub(super) fn work(&mut self) -> Result<(), Raised> {
        self.work = self.work.checked_sub(1).ok_or(Raised)?;
        Ok(())
    }
}

impl Default for RegexBudget {
    fn default() -> Self {
        Self::new()
    }
}
