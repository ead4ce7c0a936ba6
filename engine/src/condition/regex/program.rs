//! Tree → the backtracking engine's instructions.
use std::collections::HashMap;
use std::sync::Arc;

use regex_syntax::hir::ClassUnicode;

use super::syntax::{Case, Look, Node, Pattern, RepeatKind};
use crate::python::classes::Class;

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) instructions: Vec<Instruction>,
    /// How many slots the instructions use: two for each group, then those of loops and look-around.
    pub(super) slots: usize,
}

#[derive(Debug)]
pub(super) enum Instruction {
    /// One character of the set.
    Class(Set),
    /// As many characters of the set as there are, within bounds; fewer, on backtracking.
    Run {
        set: Set,
        min: u32,
        max: Option<u32>,
        kind: RepeatKind,
    },
    Look(Look),
    /// Goes on; on backtracking, there.
    Split {
        otherwise: usize,
    },
    Jump(usize),
    /// Remembers the place in the text in a slot.
    Save(usize),
    /// Begins a loop: no iterations yet. Its slots: the count, and where the last iteration began.
    LoopStart {
        slot: usize,
    },
    /// Decides on a further iteration. The next instruction begins one, the one after that ends the loop.
    LoopTest {
        slot: usize,
        min: u32,
        max: Option<u32>,
        is_greedy: bool,
    },
    LoopBody {
        slot: usize,
    },
    /// Remembers in a slot how many alternatives are left.
    Mark(usize),
    /// Forgets the alternatives since then.
    Commit(usize),
    /// Returns to the place saved in a slot.
    Return(usize),
    /// Forgets the alternatives since then, and fails.
    Refuse(usize),
    /// Goes back by characters.
    Back(u32),
    Reference {
        group: usize,
        case: Case,
    },
    /// Goes there, where a group has no match.
    UnlessGroup {
        group: usize,
        otherwise: usize,
    },
    Match,
}

/// A set of characters, fast for ASCII.
#[derive(Debug)]
pub(super) struct Set {
    ascii: u128,
    all: Arc<Class>,
}

/// The sets of a document's patterns, each kept once: `\w` alone takes 6 kB.
#[derive(Debug, Default)]
pub(super) struct Sets(HashMap<Class, Arc<Class>>);

impl Sets {
    fn share(&mut self, set: &ClassUnicode) -> Set {
        let all = Class::from(set);
        let all = self
            .0
            .entry(all)
            .or_insert_with_key(|all| Arc::new(all.clone()))
            .clone();
        let ascii = ('\0'..='\x7f').filter(|character| all.contains(*character));
        Set {
            ascii: ascii.fold(0, |bits, character| bits | 1 << u32::from(character)),
            all,
        }
    }
}

impl Set {
    pub(super) fn contains(&self, character: char) -> bool {
        if character.is_ascii() {
            self.ascii >> u32::from(character) & 1 == 1
        } else {
            self.all.contains(character)
        }
    }
}

impl Program {
    pub(super) fn new(pattern: &Pattern, sets: &mut Sets) -> Self {
        let mut program = Self {
            instructions: Vec::new(),
            slots: pattern.groups * 2,
        };
        program.add(&pattern.tree, sets);
        program.push(Instruction::Match);
        program.instructions.shrink_to_fit();
        program
    }

    fn push(&mut self, instruction: Instruction) -> usize {
        self.instructions.push(instruction);
        self.instructions.len() - 1
    }

    fn new_slots(&mut self, count: usize) -> usize {
        self.slots += count;
        self.slots - count
    }

    /// Sets where an instruction leads to: here.
    fn lead_here(&mut self, instruction: usize) {
        let here = self.instructions.len();
        match self.instructions.get_mut(instruction) {
            Some(
                Instruction::Split { otherwise }
                | Instruction::UnlessGroup { otherwise, .. }
                | Instruction::Jump(otherwise),
            ) => *otherwise = here,
            _ => debug_assert!(false, "leads nowhere"),
        }
    }

    fn add(&mut self, node: &Node, sets: &mut Sets) {
        match node {
            Node::Class(set) => {
                self.push(Instruction::Class(sets.share(set)));
            }
            Node::Look(look) => {
                self.push(Instruction::Look(*look));
            }
            Node::Concat(nodes) => nodes.iter().for_each(|node| self.add(node, sets)),
            Node::Alternate(nodes) => self.add_alternatives(nodes, sets),
            Node::Repeat { max: Some(0), .. } => {}
            Node::Repeat { node, min, max, kind } => self.add_repeat(node, *min, *max, *kind, sets),
            Node::Capture { group, node } => {
                self.push(Instruction::Save(group * 2));
                self.add(node, sets);
                self.push(Instruction::Save(group * 2 + 1));
            }
            Node::Atomic(node) => {
                let slot = self.new_slots(1);
                self.push(Instruction::Mark(slot));
                self.add(node, sets);
                self.push(Instruction::Commit(slot));
            }
            Node::Around {
                node,
                behind,
                is_negative,
            } => self.add_around(node, *behind, *is_negative, sets),
            Node::Reference { group, case } => {
                self.push(Instruction::Reference {
                    group: *group,
                    case: *case,
                });
            }
            Node::Conditional { group, yes, no } => {
                let test = self.push(Instruction::UnlessGroup {
                    group: *group,
                    otherwise: 0,
                });
                self.add(yes, sets);
                let end = self.push(Instruction::Jump(0));
                self.lead_here(test);
                self.add(no, sets);
                self.lead_here(end);
            }
        }
    }

    fn add_alternatives(&mut self, nodes: &[Node], sets: &mut Sets) {
        let Some((last, others)) = nodes.split_last() else {
            return;
        };
        let mut ends = Vec::with_capacity(others.len());
        for node in others {
            let split = self.push(Instruction::Split { otherwise: 0 });
            self.add(node, sets);
            ends.push(self.push(Instruction::Jump(0)));
            self.lead_here(split);
        }
        self.add(last, sets);
        ends.into_iter().for_each(|end| self.lead_here(end));
    }

    fn add_repeat(&mut self, node: &Node, min: u32, max: Option<u32>, kind: RepeatKind, sets: &mut Sets) {
        if let Some(set) = single_class(node) {
            let set = sets.share(set);
            self.push(Instruction::Run { set, min, max, kind });
            return;
        }
        let mark = (kind == RepeatKind::Possessive).then(|| self.new_slots(1));
        if let Some(mark) = mark {
            self.push(Instruction::Mark(mark));
        }
        let slot = self.new_slots(2);
        self.push(Instruction::LoopStart { slot });
        let test = self.push(Instruction::LoopTest {
            slot,
            min,
            max,
            is_greedy: kind != RepeatKind::Lazy,
        });
        self.push(Instruction::LoopBody { slot });
        // The body's end jumps back to the test; the test ends the loop at the instruction after the body's first.
        let end = self.push(Instruction::Jump(0));
        self.add(node, sets);
        self.push(Instruction::Jump(test));
        self.lead_here(end);
        if let Some(mark) = mark {
            self.push(Instruction::Commit(mark));
        }
    }

    fn add_around(&mut self, node: &Node, behind: Option<u32>, is_negative: bool, sets: &mut Sets) {
        let slot = self.new_slots(2);
        self.push(Instruction::Mark(slot));
        let otherwise = is_negative.then(|| self.push(Instruction::Split { otherwise: 0 }));
        self.push(Instruction::Save(slot + 1));
        if let Some(characters) = behind {
            self.push(Instruction::Back(characters));
        }
        self.add(node, sets);
        match otherwise {
            Some(otherwise) => {
                self.push(Instruction::Refuse(slot));
                self.lead_here(otherwise);
            }
            None => {
                self.push(Instruction::Commit(slot));
                self.push(Instruction::Return(slot + 1));
            }
        }
    }
}

/// The set, where a part is one character and captures nothing.
fn single_class(node: &Node) -> Option<&ClassUnicode> {
    match node {
        Node::Class(set) => Some(set),
        Node::Concat(nodes) => match nodes.as_slice() {
            [node] => single_class(node),
            _ => None,
        },
        _ => None,
    }
}
