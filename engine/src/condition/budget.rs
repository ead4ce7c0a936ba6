//! How much work one evaluation may do.
//!
//! Work that the document alone decides (how many segments, conditions and features there are) is done whatever it costs.
//! What depends on what the client sent is counted in steps: regexes, paths, hashes, long texts and numbers, and flags
//! that read each other. One step stands for a nanosecond or two of a server's core. Steps depend on the document and the
//! identity alone, never on what was evaluated before, so that the same question gets the same answer.
use std::cell::Cell;

use super::Raised;

/// The steps of all conditions of one evaluation: 2 to 3 ms. It is what a hundred thousand backtracking steps come to, the
/// bound that regexes have always had here ([`BACKTRACK`], and an [`INSTRUCTION`] on either side of it).
const CONDITIONS: u32 = 2_000_000;
/// The steps of choosing multivariate options, set aside so that no condition can take them. That is some 2,000
/// features for an identifier of 30 bytes, 120 for one of 2,000; further ones answer their control values.
const OPTIONS: u32 = 500_000;

/// The most steps that one evaluation takes.
///
/// A step stands for a nanosecond or two, so that no identity within the limits of [`Identity`](crate::Identity) takes
/// more than 5 ms, beside what the number of its segments, conditions and features costs a document anyway.
pub const MOST_STEPS: u32 = CONDITIONS + OPTIONS;

/// The steps of a light evaluation, of conditions and of options each: 0.1 ms. An ordinary identity takes a
/// hundredth of it; 300 multivariate features fit in.
const LIGHT: u32 = 60_000;
/// The steps of its conditions where whoever takes more is refused: thirty ordinary identities' worth, or forty prerequisites.
const LIGHT_AND_SCARCE: u32 = 20_000;

/// The backtracking engine returns to an alternative.
pub(super) const BACKTRACK: u32 = 16;
/// The backtracking engine executes an instruction or takes a character. This also bounds its stack, to some 24 MB.
pub(super) const INSTRUCTION: u32 = 2;
/// It compares two characters without case, beside that.
pub(super) const WITHOUT_CASE: u32 = 14;
/// It asks for the boundary of a word beyond ASCII, beside that.
pub(super) const BOUNDARY: u32 = 6;
/// A condition that asks an automaton, beside [`AUTOMATON_BYTE`].
pub(super) const AUTOMATON: u32 = 16;
/// An automaton looks at a byte.
pub(super) const AUTOMATON_BYTE: usize = 2;
/// A path visits a value.
pub(super) const VISIT: u32 = 20;
/// A path compares the name of a member, in steps.
pub(super) const MEMBER: usize = 4;
/// A filter compares a value with another.
pub(super) const COMPARISON: u32 = 4;
/// A function of a path compiles a pattern that is no literal , beside [`PATTERN_BYTE`]: `\p{L}` takes 0.1 ms.
pub(super) const PATTERN: u32 = 75_000;
/// A byte of such a pattern.
pub(super) const PATTERN_BYTE: usize = 3_000;
/// A hash, beside [`HASH_BYTE`]: MD5 works on blocks of 64 bytes, of which the last is for its own.
const HASH: u32 = 128;
/// A byte that is hashed.
const HASH_BYTE: usize = 2;
/// A trait in the context that paths search, beside a step for four bytes.
pub(crate) const CONTEXT_TRAIT: u32 = 64;
/// A rule or condition, where flags read each other: there the document does not bound how often each is evaluated.
pub(crate) const NESTED: u32 = 8;
/// A path asks for a flag, resolved or not.
pub(crate) const FLAG: u32 = 32;
/// A resolved flag is made what paths see, beside that.
pub(crate) const FLAG_RESULT: u32 = 400;

/// An integer of more digits may not fit 64 bits.
const LONG_DIGITS: usize = 18;

/// What an evaluation may take of a thread that others wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LightWork {
    /// 0.1 ms, about: where whoever takes more is evaluated elsewhere.
    Ample,
    /// A third of it for conditions, and as much for multivariate options: where whoever takes more is refused. Many who ask
    /// for much work else hold a server up by their first tries alone.
    Scarce,
}

/// The steps that one evaluation has left.
#[derive(Debug)]
pub(crate) struct Budget {
    conditions: Cell<u32>,
    options: Cell<u32>,
    is_light: bool,
    /// Whether a light budget was not enough.
    is_too_little: Cell<bool>,
    /// Whether something was refused since [`Self::take_refusal`] last asked.
    refused: Cell<bool>,
}

impl Budget {
    /// A fresh budget: one an evaluation.
    #[inline]
    pub(crate) fn new() -> Self {
        Self {
            conditions: Cell::new(CONDITIONS),
            options: Cell::new(OPTIONS),
            is_light: false,
            is_too_little: Cell::new(false),
            refused: Cell::new(false),
        }
    }

    /// A small budget, for a first try: what is refused is no outcome.
    #[inline]
    pub(crate) fn light(work: LightWork) -> Self {
        Self {
            conditions: Cell::new(match work {
                LightWork::Ample => LIGHT,
                LightWork::Scarce => LIGHT_AND_SCARCE,
            }),
            options: Cell::new(LIGHT),
            is_light: true,
            ..Self::new()
        }
    }

    /// Whether it is light and was not enough.
    #[inline]
    pub(crate) fn is_too_little(&self) -> bool {
        self.is_too_little.get()
    }

    /// Takes steps for a condition.
    ///
    /// # Errors
    /// Where fewer are left; then none are.
    #[inline]
    pub(crate) fn spend(&self, steps: u32) -> Result<(), Raised> {
        match self.conditions.get().checked_sub(steps) {
            Some(left) => {
                self.conditions.set(left);
                Ok(())
            }
            None => Err(self.refuse()),
        }
    }

    /// Takes a number of steps, such as a length.
    ///
    /// # Errors
    /// As [`Self::spend`].
    #[inline]
    pub(crate) fn spend_many(&self, steps: usize) -> Result<(), Raised> {
        self.spend(u32::try_from(steps).unwrap_or(u32::MAX))
    }

    /// Takes the steps of a hash of two ids for a condition.
    ///
    /// # Errors
    /// As [`Self::spend`].
    pub(crate) fn spend_hash(&self, first: &str, second: &str) -> Result<(), Raised> {
        self.spend(hash(first, second))
    }

    /// Takes the steps of a hash that chooses a multivariate option; false: too few are left.
    pub(crate) fn spend_option(&self, first: &str, second: &str) -> bool {
        match self.options.get().checked_sub(hash(first, second)) {
            Some(left) => {
                self.options.set(left);
                true
            }
            None => {
                self.options.set(0);
                self.is_too_little.set(self.is_light);
                false
            }
        }
    }

    /// Takes the steps of reading a decimal integer (`is_read`), or writing one, of so many digits: quadratic where it does
    /// not fit 64 bits.
    ///
    /// # Errors
    /// As [`Self::spend`].
    #[inline]
    pub(crate) fn spend_digits(&self, digits: usize, is_read: bool) -> Result<(), Raised> {
        if digits <= LONG_DIGITS {
            return Ok(());
        }
        let divisor = if is_read { 250 } else { 200 };
        self.spend_many(digits.saturating_mul(digits) / divisor + 50)
    }

    /// Takes the steps of reading a text as the integer that it may be.
    ///
    /// # Errors
    /// As [`Self::spend`].
    #[inline]
    pub(crate) fn spend_text(&self, text: &str) -> Result<(), Raised> {
        let may_be_integer = || text.bytes().skip(1).all(|byte| byte.is_ascii_digit());
        if text.len() > LONG_DIGITS && may_be_integer() {
            self.spend_digits(text.len(), true)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn refuse(&self) -> Raised {
        self.conditions.set(0);
        self.is_too_little.set(self.is_light);
        self.refused.set(!self.is_light);
        Raised
    }

    /// Whether a condition was refused steps of a whole budget since the last call.
    #[inline]
    pub(crate) fn take_refusal(&self) -> bool {
        self.refused.get() && self.refused.replace(false)
    }

    /// Whether conditions have none left.
    pub(crate) fn is_spent(&self) -> bool {
        self.conditions.get() == 0
    }

    /// Makes it whole again.
    pub(crate) fn renew(&self) {
        self.conditions.set(CONDITIONS);
        self.options.set(OPTIONS);
        self.refused.set(false);
    }

    /// How many steps were taken of a whole budget.
    pub(crate) fn spent(&self) -> u32 {
        MOST_STEPS - self.conditions.get() - self.options.get()
    }
}

fn hash(first: &str, second: &str) -> u32 {
    u32::try_from((first.len() + second.len()) * HASH_BYTE)
        .unwrap_or(u32::MAX)
        .saturating_add(HASH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_and_stays_ended() {
        let budget = Budget::new();
        assert_eq!(budget.spend(CONDITIONS - 1), Ok(()));
        assert!(!budget.take_refusal());
        assert_eq!(budget.spend(2), Err(Raised));
        assert_eq!(budget.spend(1), Err(Raised));
        assert!(budget.take_refusal());
        assert!(!budget.take_refusal(), "it is told once");
        assert_eq!(budget.spent(), CONDITIONS);
    }

    #[test]
    fn options_are_apart_from_conditions() {
        let budget = Budget::new();
        assert_eq!(budget.spend(u32::MAX), Err(Raised));
        assert!(budget.spend_option("1", "key_identity"));
        let long = "x".repeat(OPTIONS as usize);
        assert!(!budget.spend_option("1", &long));
        assert!(!budget.spend_option("1", "key_identity"));
        assert_eq!(budget.spent(), MOST_STEPS);
    }

    #[test]
    fn a_light_one_reports_nothing_but_that_it_is_too_little() {
        for (work, steps) in [(LightWork::Ample, LIGHT), (LightWork::Scarce, LIGHT_AND_SCARCE)] {
            let budget = Budget::light(work);
            assert_eq!(budget.spend(steps), Ok(()));
            assert!(!budget.is_too_little());
            assert_eq!(budget.spend(1), Err(Raised));
            assert!(budget.is_too_little() && !budget.take_refusal());
        }

        let budget = Budget::light(LightWork::Scarce);
        assert!(budget.spend_option("1", "key_identity") && !budget.is_too_little());
        assert!(!budget.spend_option("1", &"x".repeat(LIGHT as usize)));
        assert!(budget.is_too_little());
    }
}
