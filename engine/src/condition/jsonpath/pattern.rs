//! The patterns of `match` and `search`: I-Regexp (RFC 9485).
use regex_automata::nfa::thompson::pikevm::PikeVM;
use regex_automata::{Anchored, Input};

use crate::condition::Raised;
use crate::condition::budget::Budget;
use crate::condition::regex::{Automaton, Room, USUAL_SIZE, parts};

/// How large a pattern may become when compiled, in bytes.
const MAX_PATTERN_SIZE: usize = 1 << 17;
/// Bytes of a compiled pattern that may be looked at in one step, for each byte of the text.
const PARTS_A_STEP: usize = 8;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Compiled {
    engine: Engine,
    anchored: Anchored,
}

#[derive(Debug)]
enum Engine {
    Automaton(Box<Automaton>),
    /// What is too large for an automaton, or used too little.
    Parts(PikeVM),
}

impl Compiled {
    /// `None`: it is no I-Regexp, or too large; it matches nothing. Without `room` it becomes no automaton.
    pub(super) fn new(pattern: &str, is_whole: bool, room: Option<&mut Room>) -> Option<Self> {
        let pattern = translated(pattern)?;
        let (pattern, anchored) = if is_whole {
            (format!(r"\A(?:{pattern})\z"), Anchored::Yes)
        } else {
            (pattern, Anchored::No)
        };
        let pattern = regex_syntax::parse(&pattern).ok()?;
        let automaton = room.and_then(|room| Automaton::new(&pattern, is_whole, USUAL_SIZE, room));
        let engine = match automaton {
            Some(automaton) => Engine::Automaton(Box::new(automaton)),
            None => {
                let parts = parts(&pattern, MAX_PATTERN_SIZE)?;
                Engine::Parts(PikeVM::builder().build_from_nfa(parts).ok()?)
            }
        };
        Some(Self { engine, anchored })
    }

    pub(super) fn matches(&self, text: &str, budget: &Budget) -> Result<bool, Raised> {
        match &self.engine {
            Engine::Automaton(automaton) => automaton.finds(text, budget),
            Engine::Parts(machine) => {
                let parts = machine.get_nfa().memory_usage() / PARTS_A_STEP;
                budget.spend_many(parts.saturating_mul(text.len() + 1))?;
                let input = Input::new(text).anchored(self.anchored);
                Ok(machine.is_match(&mut machine.create_cache(), input))
            }
        }
    }
}

/// From I-Regexp (RFC 9485) to the `regex` crate's syntax. `None`: the pattern is no I-Regexp.
fn translated(pattern: &str) -> Option<String> {
    let mut translated = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut is_in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next()?;
                if !matches!(escaped, '('..='+' | '-' | '.' | '?' | '['..='^' | 'n' | 'r' | 't' | '{'..='}' | 'p' | 'P')
                {
                    return None;
                }
                translated.extend(['\\', escaped]);
                continue;
            }
            '(' if !is_in_class && characters.peek() == Some(&'?') => return None,
            '*' | '+' | '?' | '}' if !is_in_class && matches!(characters.peek(), Some('?' | '*' | '+')) => {
                return None;
            }
            '.' if !is_in_class => {
                translated.push_str(r"[^\n\r]");
                continue;
            }
            '[' if is_in_class => return None,
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            '&' | '~' if is_in_class => translated.push('\\'),
            _ => {}
        }
        translated.push(character);
    }
    Some(translated)
}
