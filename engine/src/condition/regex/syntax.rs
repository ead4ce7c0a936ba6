//! A pattern as a tree: flags resolved, letter case folded into the classes.
use std::rc::Rc;

use regex_syntax::hir::ClassUnicode;

/// A read pattern.
#[derive(Debug)]
pub(super) struct Pattern {
    pub(super) tree: Node,
    /// How many groups capture, the whole match among them.
    pub(super) groups: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    /// One character of a set.
    Class(Rc<ClassUnicode>),
    Look(Look),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat {
        node: Box<Node>,
        min: u32,
        max: Option<u32>,
        kind: RepeatKind,
    },
    Capture {
        group: usize,
        node: Box<Node>,
    },
    Atomic(Box<Node>),
    /// Look-ahead, or look-behind by so many characters.
    Around {
        node: Box<Node>,
        behind: Option<u32>,
        is_negative: bool,
    },
    Reference {
        group: usize,
        case: Case,
    },
    /// `(?(group)yes|no)`
    Conditional {
        group: usize,
        yes: Box<Node>,
        no: Box<Node>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RepeatKind {
    Greedy,
    Lazy,
    Possessive,
}

/// How letter case counts in comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Ignored,
    IgnoredInAscii,
}

/// What holds or not between two characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Start,
    StartOfLine,
    /// `\Z`
    End,
    /// `$`: also before a final newline.
    EndOrFinalNewline,
    EndOfLine,
    Boundary {
        is_ascii: bool,
        is_negated: bool,
    },
}

/// The repetition count that stands for "without bound", and the largest width, in Python.
const MAX_REPEAT: u64 = u32::MAX as u64;

/// How many characters a part takes, at least and at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Width {
    pub(super) min: u64,
    pub(super) max: u64,
}

impl Width {
    const NONE: Self = Self { min: 0, max: 0 };

    fn bounded(min: u64, max: u64) -> Self {
        Self {
            min: min.min(MAX_REPEAT - 1),
            max: max.min(MAX_REPEAT),
        }
    }

    fn then(self, next: Self) -> Self {
        Self::bounded(
            self.min.saturating_add(next.min),
            self.max.saturating_add(next.max),
        )
    }

    fn or(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

impl Node {
    /// Whether a text may have endlessly many ways through this: something that repeats or has alternatives, in something
    /// that repeats.
    pub(super) fn backtracks_without_end(&self, is_repeated: bool) -> bool {
        let any = |nodes: &[Self]| nodes.iter().any(|node| node.backtracks_without_end(is_repeated));
        match self {
            Self::Class(_) | Self::Look(_) | Self::Reference { .. } => false,
            Self::Concat(nodes) => any(nodes),
            Self::Alternate(nodes) => is_repeated || any(nodes),
            Self::Repeat { node, min, max, .. } => {
                let varies = *max != Some(*min);
                varies && is_repeated || node.backtracks_without_end(is_repeated || varies)
            }
            Self::Capture { node, .. } | Self::Atomic(node) | Self::Around { node, .. } => {
                node.backtracks_without_end(is_repeated)
            }
            Self::Conditional { yes, no, .. } => {
                yes.backtracks_without_end(is_repeated) || no.backtracks_without_end(is_repeated)
            }
        }
    }

    /// The width, given those of the groups that are closed by now.
    pub(super) fn width(&self, groups: &[Option<Width>]) -> Width {
        match self {
            Self::Class(_) => Width { min: 1, max: 1 },
            Self::Look(_) | Self::Around { .. } => Width::NONE,
            Self::Concat(nodes) => nodes
                .iter()
                .fold(Width::NONE, |width, node| width.then(node.width(groups))),
            Self::Alternate(nodes) => nodes
                .iter()
                .map(|node| node.width(groups))
                .reduce(Width::or)
                .unwrap_or(Width::NONE),
            Self::Repeat { node, min, max, .. } => {
                let width = node.width(groups);
                let max = max.map_or(MAX_REPEAT, u64::from);
                Width::bounded(
                    width.min.saturating_mul((*min).into()),
                    width.max.saturating_mul(max),
                )
            }
            Self::Capture { node, .. } | Self::Atomic(node) => node.width(groups),
            Self::Reference { group, .. } => groups.get(*group).copied().flatten().unwrap_or(Width::NONE),
            Self::Conditional { yes, no, .. } => yes.width(groups).or(no.width(groups)),
        }
    }
}
