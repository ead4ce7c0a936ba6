//! Deterministic automata: patterns that look at each byte once, whatever the text.
//!
//! They are built whole when the document is compiled. An automaton that is built during searches keeps a cache for each
//! thread and each pattern, and what a search costs depends on the searches before. Where an automaton would be large the
//! pattern runs otherwise, and is counted otherwise.
use regex_automata::dfa::dense;
use regex_automata::dfa::{Automaton as _, StartKind};
use regex_automata::nfa::thompson::{self, NFA, WhichCaptures};
use regex_automata::{Anchored, Input};
use regex_syntax::hir::Hir;

use crate::condition::budget::{AUTOMATON, AUTOMATON_BYTE};
use crate::condition::{Budget, Raised};

/// How large an automaton usually may become, in bytes. `^[a-z.]+@example\.com$` takes 1 kB, ten `.` in a row 20.
pub(crate) const USUAL_SIZE: usize = 1 << 16;
/// How large one may become whose pattern would backtrack without end.
pub(super) const LARGE_SIZE: usize = 1 << 18;
/// How much memory building one may take, in bytes.
const MAX_BUILDING: usize = 1 << 19;
/// How large the pattern's parts may become before that, in bytes.
const MAX_PARTS: usize = 1 << 18;
/// What all automata of a document may take together, in bytes. One that becomes too large counts with the most it may
/// take, so that this bounds the time to build them too: some 0.2 s.
const MAX_TOTAL: usize = 1 << 23;

/// How much all automata of a document may still take.
#[derive(Debug)]
pub(crate) struct Room(usize);

impl Default for Room {
    fn default() -> Self {
        Self(MAX_TOTAL)
    }
}

/// A pattern as a deterministic automaton.
#[derive(Debug)]
pub(crate) struct Automaton {
    dfa: dense::DFA<Vec<u32>>,
    anchored: Anchored,
}

impl Automaton {
    /// `None`: it would be larger than so many bytes, or there is no room.
    pub(crate) fn new(pattern: &Hir, is_anchored: bool, most: usize, room: &mut Room) -> Option<Self> {
        room.0.checked_sub(most)?;
        let built = Self::build(pattern, is_anchored, most);
        room.0 -= built.as_ref().map_or(most, Self::size).min(most);
        built
    }

    fn build(pattern: &Hir, is_anchored: bool, most: usize) -> Option<Self> {
        let (start, anchored) = if is_anchored {
            (StartKind::Anchored, Anchored::Yes)
        } else {
            (StartKind::Unanchored, Anchored::No)
        };
        let config = dense::Config::new()
            .start_kind(start)
            .accelerate(false)
            .dfa_size_limit(Some(most))
            .determinize_size_limit(Some(MAX_BUILDING));
        let dfa = dense::Builder::new()
            .configure(config)
            .build_from_nfa(&parts(pattern, MAX_PARTS)?);
        Some(Self {
            dfa: dfa.ok()?,
            anchored,
        })
    }

    fn size(&self) -> usize {
        self.dfa.memory_usage()
    }

    /// Whether the pattern is found: at the start of the text, or anywhere where it is not anchored.
    ///
    /// # Errors
    /// Where the request's budget ends.
    pub(crate) fn finds(&self, text: &str, budget: &Budget) -> Result<bool, Raised> {
        budget.spend(AUTOMATON)?;
        let (finds, looked_at) = self.search(text);
        budget.spend_many(looked_at * AUTOMATON_BYTE)?;
        Ok(finds)
    }

    /// Whether the pattern is found, and how many bytes were looked at to tell.
    fn search(&self, text: &str) -> (bool, usize) {
        let Ok(mut state) = self
            .dfa
            .start_state_forward(&Input::new(text).anchored(self.anchored))
        else {
            return (false, 0);
        };
        for (before, byte) in text.bytes().enumerate() {
            state = self.dfa.next_state(state, byte);
            if self.dfa.is_special_state(state) {
                return (self.dfa.is_match_state(state), before + 1);
            }
        }
        let end = self.dfa.next_eoi_state(state);
        (self.dfa.is_match_state(end), text.len())
    }
}

/// The parts of a pattern; `None`: they would be too large.
pub(crate) fn parts(pattern: &Hir, most: usize) -> Option<NFA> {
    let config = thompson::Config::new()
        .nfa_size_limit(Some(most))
        .which_captures(WhichCaptures::None);
    thompson::Compiler::new()
        .configure(config)
        .build_from_hir(pattern)
        .ok()
}
