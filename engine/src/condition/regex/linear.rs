//! Tree → automaton.
use regex_syntax::hir::{self, Class, ClassUnicode, ClassUnicodeRange, Hir, Repetition};

use super::automaton::{Automaton, LARGE_SIZE, Room, USUAL_SIZE};
use super::syntax::{Look, Node, RepeatKind};
use crate::condition::{Budget, Raised};

/// How many bytes of an automaton each range of characters in a pattern takes for sure (`\w` has 770, and takes 77 kB): what is
/// too large need not be tried.
const BYTES_A_RANGE: usize = 100;

/// A pattern that runs in time linear in the text.
#[derive(Debug)]
pub(super) struct Linear {
    automaton: Automaton,
    /// It knows ASCII alone: other texts run otherwise.
    is_ascii: bool,
    has_boundary: bool,
}

impl Linear {
    /// `None`: the pattern needs backtracking, or is too large. An automaton for ASCII is small where one for all of
    /// Unicode is not, and most texts are ASCII.
    pub(super) fn new(tree: &Node, room: &mut Room) -> Option<Self> {
        let most = if tree.backtracks_without_end(false) {
            LARGE_SIZE
        } else {
            USUAL_SIZE
        };
        Self::over(tree, false, most, room).or_else(|| Self::over(tree, true, USUAL_SIZE, room))
    }

    fn over(tree: &Node, is_ascii: bool, most: usize, room: &mut Room) -> Option<Self> {
        let mut translation = Translation {
            is_ascii,
            most_ranges: most / BYTES_A_RANGE,
            has_boundary: false,
            ranges: 0,
        };
        let pattern = translation.hir(tree, true)?;
        // Boundaries of words are Python's on ASCII alone.
        if translation.has_boundary && !is_ascii {
            return None;
        }
        Some(Self {
            automaton: Automaton::new(&pattern, true, most, room)?,
            is_ascii,
            has_boundary: translation.has_boundary,
        })
    }

    /// Whether there are no texts for the backtracking engine.
    pub(super) fn takes_every_text(&self) -> bool {
        !self.is_ascii
    }

    /// An empty text has no boundary of either kind in Python.
    pub(super) fn takes(&self, text: &str) -> bool {
        !self.is_ascii || (text.is_ascii() && !(self.has_boundary && text.is_empty()))
    }

    pub(super) fn matches_start(&self, text: &str, budget: &Budget) -> Result<bool, Raised> {
        self.automaton.finds(text, budget)
    }
}

struct Translation {
    is_ascii: bool,
    most_ranges: usize,
    has_boundary: bool,
    ranges: usize,
}

impl Translation {
    /// `is_last`: nothing follows this part in the match, so that what it consumes beyond does not matter.
    fn hir(&mut self, node: &Node, is_last: bool) -> Option<Hir> {
        Some(match node {
            Node::Class(set) => {
                let set = if self.is_ascii {
                    ascii_of(set)
                } else {
                    (**set).clone()
                };
                self.ranges += set.ranges().len();
                if self.ranges > self.most_ranges {
                    return None;
                }
                Hir::class(Class::Unicode(set))
            }
            Node::Look(look) => self.look(*look, is_last)?,
            Node::Concat(nodes) => {
                let last = nodes.len().saturating_sub(1);
                let parts = nodes
                    .iter()
                    .enumerate()
                    .map(|(index, node)| self.hir(node, is_last && index == last));
                Hir::concat(parts.collect::<Option<_>>()?)
            }
            Node::Alternate(nodes) => Hir::alternation(
                nodes
                    .iter()
                    .map(|node| self.hir(node, is_last))
                    .collect::<Option<_>>()?,
            ),
            Node::Repeat {
                kind: RepeatKind::Possessive,
                ..
            } => return None,
            Node::Repeat { node, min, max, kind } => Hir::repetition(Repetition {
                min: *min,
                max: *max,
                greedy: *kind == RepeatKind::Greedy,
                sub: Box::new(self.hir(node, is_last && *max == Some(1))?),
            }),
            Node::Capture { node, .. } => self.hir(node, is_last)?,
            Node::Atomic(_) | Node::Around { .. } | Node::Reference { .. } | Node::Conditional { .. } => {
                return None;
            }
        })
    }

    fn look(&mut self, look: Look, is_last: bool) -> Option<Hir> {
        Some(Hir::look(match look {
            Look::Start => hir::Look::Start,
            Look::StartOfLine => hir::Look::StartLF,
            Look::End => hir::Look::End,
            Look::EndOfLine => hir::Look::EndLF,
            // Where nothing follows, the newline may as well be consumed.
            Look::EndOrFinalNewline if is_last => {
                let newline = Repetition {
                    min: 0,
                    max: Some(1),
                    greedy: true,
                    sub: Box::new(Hir::literal(*b"\n")),
                };
                return Some(Hir::concat(vec![
                    Hir::repetition(newline),
                    Hir::look(hir::Look::End),
                ]));
            }
            Look::EndOrFinalNewline => return None,
            Look::Boundary { is_negated, .. } => {
                self.has_boundary = true;
                if is_negated {
                    hir::Look::WordAsciiNegate
                } else {
                    hir::Look::WordAscii
                }
            }
        }))
    }
}

fn ascii_of(set: &ClassUnicode) -> ClassUnicode {
    let within = set.ranges().iter().take_while(|range| range.start().is_ascii());
    ClassUnicode::new(within.map(|range| ClassUnicodeRange::new(range.start(), range.end().min('\x7f'))))
}
