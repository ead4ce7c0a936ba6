//! Python's `re` patterns.
//!
//! Patterns are read as Python 3.11 reads them. A pattern without back-reference, look-around, condition and atomic group
//! runs on a deterministic automaton, in steps linear in the text. Any other runs on a backtracking engine of our own, which
//! counts its steps: a crate's bound holds for one search, but ours must hold for all regexes of a request together.
//!
//! # Layout
//! - `syntax`: a pattern as a tree. `parse`, `escape`, `class`, `group`: text → tree. `characters`: `\w`, letter case.
//! - `linear`, `automaton`: tree → automaton. `program`, `backtrack`: tree → instructions, and what executes them.
mod automaton;
mod backtrack;
mod characters;
mod class;
mod escape;
mod group;
mod linear;
mod parse;
mod program;
mod syntax;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{Budget, Raised};
use linear::Linear;
use program::{Program, Sets};

pub(crate) use automaton::Room;
pub(in crate::condition) use automaton::{Automaton, USUAL_SIZE, parts};

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Regex {
    linear: Option<Linear>,
    /// For what the automaton does not do: the whole pattern, or some texts.
    program: Option<Program>,
}

/// Why a pattern does not compile: Python's `re.error`, in few words, or what this engine lacks. Never the pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RegexError(&'static str);

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the pattern does not compile: {}", self.0)
    }
}

/// The patterns compiled so far: segments of one environment often share them, and patterns share sets of characters.
#[derive(Debug, Default)]
pub(crate) struct RegexCache {
    compiled: HashMap<String, Result<Arc<Regex>, RegexError>>,
    sets: Sets,
    /// For the automata of paths too.
    pub(crate) room: Room,
}

impl RegexCache {
    pub(super) fn compile(&mut self, pattern: String) -> Result<Arc<Regex>, RegexError> {
        if let Some(known) = self.compiled.get(&pattern) {
            return known.clone();
        }
        let compiled = Regex::new(&pattern, self).map(Arc::new);
        self.compiled.insert(pattern, compiled.clone());
        compiled
    }
}

/// Whether a text matches, as says each of the engines that can run the pattern.
///
/// # Errors
/// Where the pattern does not compile.
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::condition) fn by_each_engine(
    pattern: &str,
    text: &str,
) -> Result<[Option<Result<bool, Raised>>; 2], RegexError> {
    let mut shared = RegexCache::default();
    let pattern = parse::parse(pattern)?;
    let linear = Linear::new(&pattern.tree, &mut shared.room).filter(|linear| linear.takes(text));
    let program = Program::new(&pattern, &mut shared.sets);
    Ok([
        linear.map(|linear| linear.matches_start(text, &Budget::new())),
        Some(backtrack::matches_start(&program, text, &Budget::new())),
    ])
}

impl Regex {
    /// Python's `re.compile(pattern)`.
    fn new(pattern: &str, shared: &mut RegexCache) -> Result<Self, RegexError> {
        let pattern = parse::parse(pattern)?;
        let linear = Linear::new(&pattern.tree, &mut shared.room);
        let is_enough = linear.as_ref().is_some_and(Linear::takes_every_text);
        let program = (!is_enough).then(|| Program::new(&pattern, &mut shared.sets));
        Ok(Self { linear, program })
    }

    /// Whether Python's `match` finds something: a match at the start of the text, wherever it ends.
    ///
    /// # Errors
    /// Where the request's budget ends.
    pub(super) fn matches_start(&self, text: &str, budget: &Budget) -> Result<bool, Raised> {
        match (&self.linear, &self.program) {
            (Some(linear), _) if linear.takes(text) => linear.matches_start(text, budget),
            (_, Some(program)) => backtrack::matches_start(program, text, budget),
            (_, None) => Err(Raised),
        }
    }
}
