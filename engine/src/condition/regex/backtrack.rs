//! Executes a [`Program`]: depth first, with the alternatives left on a stack of its own.
use super::characters::{WORD_CLASS, lower};
use super::program::{Instruction, Program, Set};
use super::syntax::{Case, Look, RepeatKind};
use crate::condition::Raised;
use crate::condition::budget::{BACKTRACK, BOUNDARY, Budget, INSTRUCTION, WITHOUT_CASE};

/// A slot that nothing is saved in.
const UNSET: usize = usize::MAX;

/// What to return to when a way fails.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// Another way: an instruction at a place.
    Way { instruction: usize, at: usize },
    /// A run of characters, one less each time down to `least`.
    Shorter {
        instruction: usize,
        least: usize,
        at: usize,
    },
    /// A run of characters, one more each time.
    Longer {
        instruction: usize,
        taken: u32,
        at: usize,
    },
    /// A slot's former content.
    Slot { slot: usize, content: usize },
}

struct Machine<'m> {
    program: &'m Program,
    text: &'m str,
    budget: &'m Budget,
    frames: Vec<Frame>,
    slots: Vec<usize>,
    instruction: usize,
    at: usize,
}

/// Whether a program matches at the start of a text.
pub(super) fn matches_start(program: &Program, text: &str, budget: &Budget) -> Result<bool, Raised> {
    let slots = vec![UNSET; program.slots];
    let mut machine = Machine {
        program,
        text,
        budget,
        frames: Vec::new(),
        slots,
        instruction: 0,
        at: 0,
    };
    loop {
        machine.budget.spend(INSTRUCTION)?;
        let Some(instruction) = program.instructions.get(machine.instruction) else {
            return Ok(false);
        };
        if matches!(instruction, Instruction::Match) {
            return Ok(true);
        }
        if !machine.execute(instruction)? && !machine.backtrack()? {
            return Ok(false);
        }
    }
}

impl Machine<'_> {
    /// Executes an instruction; false: this way fails.
    fn execute(&mut self, instruction: &Instruction) -> Result<bool, Raised> {
        let this = self.instruction;
        self.instruction = this + 1;
        match instruction {
            Instruction::Class(set) => return Ok(self.step(set)),
            Instruction::Run { set, min, max, kind } => return self.run(this, set, *min, *max, *kind),
            Instruction::Look(look) => {
                if matches!(look, Look::Boundary { is_ascii: false, .. }) {
                    self.budget.spend(BOUNDARY)?;
                }
                return Ok(self.holds(*look));
            }
            Instruction::Split { otherwise } => {
                self.frames.push(Frame::Way {
                    instruction: *otherwise,
                    at: self.at,
                });
            }
            Instruction::Jump(target) => self.instruction = *target,
            Instruction::Save(slot) => self.save(*slot, self.at),
            Instruction::LoopStart { slot } => {
                self.save(*slot, 0);
                self.save(slot + 1, UNSET);
            }
            Instruction::LoopTest {
                slot,
                min,
                max,
                is_greedy,
            } => {
                self.test_loop(this, *slot, *min, *max, *is_greedy);
            }
            Instruction::LoopBody { slot } => {
                self.save(*slot, self.slot(*slot) + 1);
                self.save(slot + 1, self.at);
                // Past the jump that ends the loop.
                self.instruction = this + 2;
            }
            Instruction::Mark(slot) => {
                // The slot's own frame counts as one from before the mark.
                self.save(*slot, 0);
                let height = self.frames.len();
                if let Some(content) = self.slots.get_mut(*slot) {
                    *content = height;
                }
            }
            Instruction::Commit(slot) => self.commit(self.slot(*slot))?,
            Instruction::Return(slot) => self.at = self.slot(*slot),
            Instruction::Refuse(slot) => {
                self.unwind(self.slot(*slot));
                return Ok(false);
            }
            Instruction::Back(characters) => return self.back(*characters),
            Instruction::Reference { group, case } => return self.reference(*group, *case),
            Instruction::UnlessGroup { group, otherwise } => {
                if self.slot(group * 2 + 1) == UNSET {
                    self.instruction = *otherwise;
                }
            }
            Instruction::Match => {}
        }
        Ok(true)
    }

    /// Returns to the latest alternative; false: none is left.
    fn backtrack(&mut self) -> Result<bool, Raised> {
        while let Some(frame) = self.frames.pop() {
            match frame {
                Frame::Slot { slot, content } => {
                    self.restore(slot, content);
                    continue;
                }
                Frame::Way { instruction, at } => {
                    (self.instruction, self.at) = (instruction, at);
                }
                Frame::Shorter {
                    instruction,
                    least,
                    at,
                } => {
                    let Some(previous) = self.before(at) else { continue };
                    self.at = at - previous.len_utf8();
                    self.instruction = instruction;
                    if self.at > least {
                        self.frames.push(Frame::Shorter {
                            instruction,
                            least,
                            at: self.at,
                        });
                    }
                }
                Frame::Longer {
                    instruction,
                    taken,
                    at,
                } => {
                    self.at = at;
                    self.instruction = instruction + 1;
                    if !self.lengthen(instruction, taken) {
                        continue;
                    }
                }
            }
            self.budget.spend(BACKTRACK)?;
            return Ok(true);
        }
        Ok(false)
    }

    fn run(
        &mut self,
        this: usize,
        set: &Set,
        min: u32,
        max: Option<u32>,
        kind: RepeatKind,
    ) -> Result<bool, Raised> {
        let most = if kind == RepeatKind::Lazy { Some(min) } else { max };
        let mut taken = 0;
        let mut least = self.at;
        while most.is_none_or(|most| taken < most) && self.step(set) {
            self.budget.spend(INSTRUCTION)?;
            taken += 1;
            if taken == min {
                least = self.at;
            }
        }
        if taken < min {
            return Ok(false);
        }
        match kind {
            RepeatKind::Greedy if self.at > least => {
                self.frames.push(Frame::Shorter {
                    instruction: this + 1,
                    least,
                    at: self.at,
                });
            }
            RepeatKind::Lazy if max.is_none_or(|max| taken < max) => {
                self.frames.push(Frame::Longer {
                    instruction: this,
                    taken,
                    at: self.at,
                });
            }
            _ => {}
        }
        Ok(true)
    }

    /// One character more of a lazy run.
    fn lengthen(&mut self, instruction: usize, taken: u32) -> bool {
        let program = self.program;
        let Some(Instruction::Run { set, max, .. }) = program.instructions.get(instruction) else {
            return false;
        };
        if !self.step(set) {
            return false;
        }
        let taken = taken.saturating_add(1);
        if max.is_none_or(|max| taken < max) {
            self.frames.push(Frame::Longer {
                instruction,
                taken,
                at: self.at,
            });
        }
        true
    }

    fn test_loop(&mut self, this: usize, slot: usize, min: u32, max: Option<u32>, is_greedy: bool) {
        let (body, end) = (this + 1, this + 2);
        let count = self.slot(slot);
        let is_below = |bound: u32| usize::try_from(bound).is_ok_and(|bound| count < bound);
        // An iteration that took nothing is the last: further ones would take nothing either.
        let may_iterate = max.is_none_or(is_below) && self.at != self.slot(slot + 1);
        let (next, otherwise) = match (may_iterate, is_below(min), is_greedy) {
            (false, _, _) => (end, None),
            (true, true, _) => (body, None),
            (true, false, true) => (body, Some(end)),
            (true, false, false) => (end, Some(body)),
        };
        if let Some(instruction) = otherwise {
            self.frames.push(Frame::Way {
                instruction,
                at: self.at,
            });
        }
        self.instruction = next;
    }

    fn slot(&self, slot: usize) -> usize {
        self.slots.get(slot).copied().unwrap_or(UNSET)
    }

    fn restore(&mut self, slot: usize, content: usize) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = content;
        }
    }

    fn save(&mut self, slot: usize, content: usize) {
        self.frames.push(Frame::Slot {
            slot,
            content: self.slot(slot),
        });
        self.restore(slot, content);
    }

    /// Forgets the ways above a height, but not what slots held before.
    fn commit(&mut self, height: usize) -> Result<(), Raised> {
        self.budget
            .spend_many(self.frames.len().saturating_sub(height).saturating_mul(2))?;
        let mut kept = height;
        for index in height..self.frames.len() {
            if matches!(self.frames.get(index), Some(Frame::Slot { .. })) {
                self.frames.swap(kept, index);
                kept += 1;
            }
        }
        self.frames.truncate(kept);
        Ok(())
    }

    /// Forgets everything above a height.
    fn unwind(&mut self, height: usize) {
        while self.frames.len() > height {
            if let Some(Frame::Slot { slot, content }) = self.frames.pop() {
                self.restore(slot, content);
            }
        }
    }

    fn after(&self, at: usize) -> Option<char> {
        self.text.get(at..)?.chars().next()
    }

    fn before(&self, at: usize) -> Option<char> {
        self.text.get(..at)?.chars().next_back()
    }

    fn step(&mut self, set: &Set) -> bool {
        match self.after(self.at) {
            Some(character) if set.contains(character) => {
                self.at += character.len_utf8();
                true
            }
            _ => false,
        }
    }

    fn back(&mut self, characters: u32) -> Result<bool, Raised> {
        for _ in 0..characters {
            self.budget.spend(INSTRUCTION)?;
            let Some(previous) = self.before(self.at) else {
                return Ok(false);
            };
            self.at -= previous.len_utf8();
        }
        Ok(true)
    }

    fn reference(&mut self, group: usize, case: Case) -> Result<bool, Raised> {
        let text = self.text;
        let (start, end) = (self.slot(group * 2), self.slot(group * 2 + 1));
        let Some(expected) = text.get(start..end) else {
            return Ok(false);
        };
        let steps = INSTRUCTION + if case == Case::Exact { 0 } else { WITHOUT_CASE };
        for character in expected.chars() {
            self.budget.spend(steps)?;
            match self.after(self.at) {
                Some(found) if lower(found, case) == lower(character, case) => self.at += found.len_utf8(),
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn holds(&self, look: Look) -> bool {
        let rest = self.text.get(self.at..).unwrap_or_default();
        match look {
            Look::Start => self.at == 0,
            Look::StartOfLine => self.at == 0 || self.before(self.at) == Some('\n'),
            Look::End => rest.is_empty(),
            Look::EndOrFinalNewline => matches!(rest, "" | "\n"),
            Look::EndOfLine => rest.is_empty() || rest.starts_with('\n'),
            // Python finds neither kind in an empty text.
            Look::Boundary { .. } if self.text.is_empty() => false,
            Look::Boundary { is_ascii, is_negated } => {
                let is_word = |character: char| {
                    (character.is_ascii_alphanumeric() || character == '_')
                        || (!is_ascii && !character.is_ascii() && WORD_CLASS.contains(character))
                };
                let is_boundary =
                    self.before(self.at).is_some_and(is_word) != self.after(self.at).is_some_and(is_word);
                is_boundary != is_negated
            }
        }
    }
}
