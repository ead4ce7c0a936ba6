//! Tree → the `regex` crate's linear-time engine.
use regex_automata::meta;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{self, Class, Hir, Repetition};

use super::syntax::{Look, Node, RepeatKind};
use crate::condition::Raised;

/// How large a compiled pattern may become, in bytes; larger ones (`\w{500}`) run on the backtracking engine, which counts.
const MAX_SIZE: usize = 1 << 21;
/// How many ranges of characters a pattern may list before it is compiled, for the same reason.
const MAX_RANGES: usize = 100_000;
/// At most this many bytes of pattern times bytes of text: some 100 ms, where the lazy automaton fails altogether.
const MAX_PRODUCT: usize = 1 << 31;

/// A pattern that runs in time linear in the text.
#[derive(Debug)]
pub(super) struct Linear {
    regex: meta::Regex,
    has_boundary: bool,
}

impl Linear {
    /// `None`: the pattern needs backtracking, or is too large.
    pub(super) fn new(tree: &Node) -> Option<Self> {
        let mut translation = Translation {
            has_boundary: false,
            ranges: 0,
        };
        let hir = translation.hir(tree, true)?;
        let config = meta::Config::new()
            .nfa_size_limit(Some(MAX_SIZE))
            .which_captures(regex_automata::nfa::thompson::WhichCaptures::None);
        let regex = meta::Builder::new().configure(config).build_from_hir(&hir).ok()?;
        Some(Self {
            regex,
            has_boundary: translation.has_boundary,
        })
    }

    /// Whether there are no texts for the backtracking engine.
    pub(super) fn takes_every_text(&self) -> bool {
        !self.has_boundary
    }

    /// Boundaries of words are Python's on ASCII alone, and an empty text has none of either kind in Python.
    pub(super) fn takes(&self, text: &str) -> bool {
        !self.has_boundary || (text.is_ascii() && !text.is_empty())
    }

    pub(super) fn matches_start(&self, text: &str) -> Result<bool, Raised> {
        if text.len().saturating_mul(self.regex.memory_usage()) > MAX_PRODUCT {
            return Err(Raised);
        }
        Ok(self.regex.is_match(Input::new(text).anchored(Anchored::Yes)))
    }
}

struct Translation {
    has_boundary: bool,
    ranges: usize,
}

impl Translation {
    /// `is_last`: nothing follows this part in the match, so that what it consumes beyond does not matter.
    fn hir(&mut self, node: &Node, is_last: bool) -> Option<Hir> {
        Some(match node {
            Node::Class(set) => {
                self.ranges += set.ranges().len();
                if self.ranges > MAX_RANGES {
                    return None;
                }
                Hir::class(Class::Unicode((**set).clone()))
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
