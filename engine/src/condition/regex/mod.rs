//! Python's `re` patterns.
//!
//! Patterns are read as Python 3.11 reads them. A pattern without back-reference, look-around, condition and atomic group
//! runs on the `regex` crate's linear-time engine. Any other runs on a backtracking engine of our own, which counts its
//! steps: a crate's bound holds for one search, but ours must hold for all regexes of a request together.
//!
//! # Layout
//! - `syntax`: a pattern as a tree. `parse`, `escape`, `class`, `group`: text → tree. `characters`: `\w`, letter case.
//! - `linear`: tree → the linear-time engine. `program`, `backtrack`: tree → steps, and what executes them.
mod backtrack;
mod budget;
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

pub(crate) use budget::RegexBudget;

use super::Raised;
use linear::Linear;
use program::Program;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Regex {
    linear: Option<Linear>,
    /// For what the linear engine does not do: the whole pattern, or some texts.
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

/// The patterns compiled so far: segments of one environment often share them.
#[derive(Debug, Default)]
pub(crate) struct RegexCache(HashMap<String, Result<Arc<Regex>, RegexError>>);

impl RegexCache {
    pub(super) fn compile(&mut self, pattern: String) -> Result<Arc<Regex>, RegexError> {
        let compiled = |pattern: &String| Regex::new(pattern).map(Arc::new);
        self.0.entry(pattern).or_insert_with_key(compiled).clone()
    }
}

impl Regex {
    /// Python's `re.compile(pattern)`.
    pub(super) fn new(pattern: &str) -> Result<Self, RegexError> {
        let pattern = parse::parse(pattern)?;
        let linear = Linear::new(&pattern.tree);
        let is_enough = linear.as_ref().is_some_and(Linear::takes_every_text);
        let program = (!is_enough).then(|| Program::new(&pattern));
        Ok(Self { linear, program })
    }

    /// Whether Python's `match` finds something: a match at the start of the text, wherever it ends.
    ///
    /// # Errors
    /// Where the request's budget ends.
    pub(super) fn matches_start(&self, text: &str, budget: &mut RegexBudget) -> Result<bool, Raised> {
        match (&self.linear, &self.program) {
            (Some(linear), _) if linear.takes(text) => linear.matches_start(text),
            (_, Some(program)) => backtrack::matches_start(program, text, budget),
            (_, None) => Err(Raised),
        }
    }
}
