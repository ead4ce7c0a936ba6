//! Ready runs: parts of a buffer that lie side by side, each coded so that it can follow the one before it.
use std::ops::Range;

use super::bits::{BitWriter, ReadyBits};
use super::crc::extended;
use super::table::{Coded, Counts, Table};
use super::tokens::{Finder, Tokens};

/// References reach back over so many parts: most of what recurs does so within them.
const REACH: usize = 8;

/// A part of a buffer, a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub start: u32,
    pub end: u32,
}

/// Ready bits of the parts of a buffer, from a little behind the start of each up to as much behind that of the next: where they
/// cease to be alike.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    /// Where each part starts; ascending.
    starts: Box<[u32]>,
    /// The places that start what lies side by side.
    firsts: Box<[u32]>,
    /// The CRC of the buffer up to the start of each part, and where its bits start.
    bounds: Box<[Bound]>,
    /// How far behind its start the bits of a part start.
    cut: u32,
    bits: ReadyBits,
    /// References to more than the part before; ascending.
    far: Box<[Far]>,
    /// The bits of what may stand for those.
    alternatives: ReadyBits,
}

#[derive(Debug, Clone, Copy)]
struct Bound {
    crc: u32,
    bit: u32,
}

/// A reference to more than the part before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Far {
    /// What it stands for in the buffer, and what it refers to.
    pub target: u32,
    pub source: u32,
    pub length: u32,
    /// Its bits, from where to where.
    pub bits: (u32, u32),
    /// Those of what stands for the same and refers to the part before alone.
    pub alternative: (u32, u32),
}

/// Parts whose tokens are counted, to be coded once there is a table.
pub(super) struct Tokenised {
    starts: Vec<u32>,
    firsts: Vec<u32>,
    crcs: Vec<u32>,
    cut: u32,
    tokens: Tokens,
    /// Where the tokens of each part start.
    token_starts: Vec<usize>,
}

/// The ready bits between the first part of a run and its last.
pub(crate) struct Found<'r> {
    pub(super) bits: &'r ReadyBits,
    pub first_bit: usize,
    pub last_bit: usize,
    /// They stand for this part of the buffer, a cut farther behind.
    pub start: usize,
    pub end: usize,
    pub cut: usize,
    /// The CRC of the buffer up to there.
    pub crcs: (u32, u32),
    /// The references among them that may reach back before the run, and the bits of their alternatives.
    pub far: &'r [Far],
    pub(super) alternatives: &'r ReadyBits,
}

impl Tokenised {
    /// Tokenises the parts of a buffer, which must ascend; those that are not longer than `cut` are left out.
    pub(super) fn new(bytes: &[u8], parts: &[Part], cut: u32) -> Self {
        let parts: Vec<Part> = parts
            .iter()
            .filter(|part| part.end.saturating_sub(part.start) > cut)
            .copied()
            .collect();
        let mut own = Self {
            starts: parts.iter().map(|part| part.start).collect(),
            firsts: Vec::new(),
            crcs: Vec::new(),
            cut,
            tokens: Tokens::default(),
            token_starts: Vec::new(),
        };
        own.check(bytes);
        let end = parts.last().map_or(0, |last| last.end as usize);
        let mut finder = Finder::new(bytes.get(..end).unwrap_or_default());
        let mut place = 0;
        for side_by_side in parts.chunk_by(|left, right| left.end == right.start) {
            own.firsts.push(u32::try_from(place).unwrap_or(u32::MAX));
            own.tokenise(side_by_side, &mut finder);
            place += side_by_side.len();
        }
        own
    }

    fn check(&mut self, bytes: &[u8]) {
        let (mut covered, mut crc) = (0, 0);
        for start in &self.starts {
            let start = *start as usize;
            crc = extended(crc, bytes.get(covered..start).unwrap_or_default());
            covered = start;
            self.crcs.push(crc);
        }
    }

    fn tokenise(&mut self, parts: &[Part], finder: &mut Finder<'_>) {
        let cut = |part: &Part| (part.start + self.cut) as usize;
        for (place, part) in parts.iter().enumerate() {
            self.token_starts.push(self.tokens.list.len());
            let start = cut(part);
            let Some(next) = parts.get(place + 1) else {
                // No run goes beyond the start of the last part.
                return;
            };
            let place_of = |back: usize| {
                let earlier = parts.get(place.saturating_sub(back)).unwrap_or(part);
                earlier.start as usize
            };
            if place == 0 {
                (part.start as usize..cut(next)).for_each(|place| finder.note(place));
            } else {
                let reach = (place_of(REACH), place_of(1));
                finder.tokenise((start, cut(next)), reach, &mut self.tokens);
            }
        }
    }

    pub(super) fn count(&self, counts: &mut Counts, weight: u64) {
        for token in &self.tokens.list {
            token.put(&mut counts.weighted(weight));
        }
    }

    pub(super) fn code(self, table: &Table) -> Runs {
        let mut coder = Coder {
            table,
            bits: BitWriter::default(),
            alternatives: BitWriter::default(),
            far: Vec::with_capacity(self.tokens.far.len()),
        };
        let ends = self.token_starts.iter().skip(1).copied();
        let ends = ends.chain([self.tokens.list.len()]);
        let parts = self
            .starts
            .iter()
            .zip(&self.crcs)
            .zip(self.token_starts.iter().zip(ends));
        let bounds = parts.map(|((start, crc), (first, end))| {
            let bit = bits_of(&coder.bits);
            coder.code(&self.tokens, *first..end, start + self.cut);
            Bound { crc: *crc, bit }
        });
        let bounds = bounds.collect();
        Runs {
            starts: self.starts.into(),
            firsts: self.firsts.into(),
            bounds,
            cut: self.cut,
            bits: coder.bits.into_ready(),
            far: coder.far.into(),
            alternatives: coder.alternatives.into_ready(),
        }
    }
}

/// Codes the tokens of a buffer.
struct Coder<'t> {
    table: &'t Table,
    bits: BitWriter,
    alternatives: BitWriter,
    far: Vec<Far>,
}

fn bits_of(out: &BitWriter) -> u32 {
    u32::try_from(out.length()).unwrap_or(u32::MAX)
}

impl Coder<'_> {
    /// Codes the tokens in these places, which stand for what is at `target` and behind.
    fn code(&mut self, tokens: &Tokens, range: Range<usize>, mut target: u32) {
        let table = self.table;
        for place in range {
            let Some(token) = tokens.list.get(place) else {
                return;
            };
            let first_bit = bits_of(&self.bits);
            token.put(&mut Coded {
                table,
                out: &mut self.bits,
            });
            if let Some((far, end)) = tokens.far.get(self.far.len())
                && *far == place
            {
                let start = self
                    .far
                    .len()
                    .checked_sub(1)
                    .and_then(|before| tokens.far.get(before));
                let start = start.map_or(0, |(_, end)| *end);
                let first_alternative = bits_of(&self.alternatives);
                for token in tokens.alternatives.get(start..*end).unwrap_or_default() {
                    token.put(&mut Coded {
                        table,
                        out: &mut self.alternatives,
                    });
                }
                self.far.push(Far {
                    target,
                    source: token.source(target),
                    length: token.length(),
                    bits: (first_bit, bits_of(&self.bits)),
                    alternative: (first_alternative, bits_of(&self.alternatives)),
                });
            }
            target += token.length();
        }
    }
}

impl Runs {
    /// The ready bits of what lies between two parts, given by their starts: from the cut of the one behind the first up to the cut of
    /// the last. `None`: they are not parts side by side, or fewer than three.
    pub(super) fn find(&self, first: u32, last: u32) -> Option<Found<'_>> {
        let first = self.starts.binary_search(&first).ok()?;
        let last = self.starts.binary_search(&last).ok()?;
        // How many firsts there are up to a place: the same for what lies side by side.
        let group = |place: usize| self.firsts.partition_point(|first| *first as usize <= place);
        if last < first + 2 || group(first) != group(last) {
            return None;
        }
        let start = *self.starts.get(first + 1)?;
        let end = *self.starts.get(last)?;
        let (from, to) = (self.bounds.get(first + 1)?, self.bounds.get(last)?);
        // What lies farther behind reaches no more than the run.
        let reached = self.starts.get((first + REACH).min(last))? + self.cut;
        let far = |offset: u32| self.far.partition_point(|far| far.target < offset);
        Some(Found {
            bits: &self.bits,
            first_bit: from.bit as usize,
            last_bit: to.bit as usize,
            start: start as usize,
            end: end as usize,
            cut: self.cut as usize,
            crcs: (from.crc, to.crc),
            far: self
                .far
                .get(far(start + self.cut)..far(reached))
                .unwrap_or_default(),
            alternatives: &self.alternatives,
        })
    }

    /// How many bytes of memory they take.
    pub(crate) fn memory(&self) -> usize {
        size_of_val(&*self.starts)
            + size_of_val(&*self.firsts)
            + size_of_val(&*self.bounds)
            + size_of_val(&*self.far)
            + self.bits.memory()
            + self.alternatives.memory()
    }
}
