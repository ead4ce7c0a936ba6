//! The Huffman table of an environment, and the start of the block that has it.
use std::sync::LazyLock;

use super::bits::{BitWriter, ReadyBits};
use super::block_start::start;
use super::huffman::{Code, code_lengths, codes};
use super::tokens::{LONGEST, SHORTEST, Symbol};

const LITERALS: usize = 256;
const END_OF_BLOCK: usize = 256;
const LITERALS_AND_LENGTHS: usize = 286;
const DISTANCES: usize = 30;
/// RFC 1951, section 3.2.7.
const LONGEST_CODE: u8 = 15;
/// What comes before the first block: deflate, no flags, no time, no hint, an unknown system (RFC 1952, section 2.3).
pub(super) const GZIP_HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
/// What JSON, identifiers and traits are mostly made of.
const USUAL: &[u8] = b"{}[]\",:;=.-_@ ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
/// What the counts are scaled to: a literal that no ready run has gets a code of 12 bits or so.
const SCALE: u64 = 1 << 12;

/// Takes the symbols of an answer.
pub(super) trait Out {
    fn literals(&mut self, bytes: &[u8]);
    fn reference(&mut self, length: usize, distance: usize);
}

/// How often each symbol occurs in answers.
#[derive(Debug)]
pub(super) struct Counts {
    literals_and_lengths: Vec<u64>,
    distances: Vec<u64>,
    /// The literals that have a code.
    allowed: [bool; LITERALS],
}

impl Default for Counts {
    fn default() -> Self {
        let mut counts = Self {
            literals_and_lengths: vec![0; LITERALS_AND_LENGTHS],
            distances: vec![0; DISTANCES],
            allowed: [false; LITERALS],
        };
        counts.allow(USUAL);
        counts
    }
}

impl Counts {
    /// Gives each of these bytes a code, however seldom it is.
    pub(super) fn allow(&mut self, bytes: &[u8]) {
        let mut are_there = [false; LITERALS];
        for byte in bytes {
            if let Some(is_there) = are_there.get_mut(usize::from(*byte)) {
                *is_there = true;
            }
        }
        self.allowed
            .iter_mut()
            .zip(are_there)
            .for_each(|(allowed, is_there)| *allowed |= is_there);
    }

    /// Counts each symbol so many times.
    pub(super) fn weighted(&mut self, weight: u64) -> Weighted<'_> {
        Weighted { counts: self, weight }
    }
}

/// Counts each symbol several times.
pub(super) struct Weighted<'c> {
    counts: &'c mut Counts,
    weight: u64,
}

impl Out for Weighted<'_> {
    fn literals(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let place = usize::from(*byte);
            add(&mut self.counts.literals_and_lengths, place, self.weight);
        }
    }

    fn reference(&mut self, length: usize, distance: usize) {
        let length = Symbol::of_length(length).place;
        add(&mut self.counts.literals_and_lengths, length, self.weight);
        add(
            &mut self.counts.distances,
            Symbol::of_distance(distance).place,
            self.weight,
        );
    }
}

/// Writes symbols in a table's codes.
pub(super) struct Coded<'t, 'o> {
    pub table: &'t Table,
    pub out: &'o mut BitWriter,
}

impl Out for Coded<'_, '_> {
    #[inline]
    fn literals(&mut self, bytes: &[u8]) {
        let literals = &self.table.literals;
        let code = |byte: u8| literals.get(usize::from(byte)).copied().unwrap_or_default();
        // A code has 15 bits at most.
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            let (bits, count) = four
                .iter()
                .fold((0, 0), |joined, byte| behind(joined, code(*byte)));
            self.out.put(bits, count);
        }
        let (bits, count) = rest
            .iter()
            .fold((0, 0), |joined, byte| behind(joined, code(*byte)));
        self.out.put(bits, count);
    }

    #[inline]
    fn reference(&mut self, length: usize, distance: usize) {
        let table = self.table;
        let place = length.saturating_sub(SHORTEST);
        let LengthCode { bits, count } = table.lengths.get(place).copied().unwrap_or_default();
        let symbol = Symbol::of_distance(distance);
        let code = table.distances.get(symbol.place).copied().unwrap_or_default();
        // 15 bits and 5, then 15 and 13.
        let distance_bits = u64::from(code.bits) | u64::from(symbol.extra) << code.length;
        let all = u64::from(bits) | distance_bits << count;
        self.out
            .put(all, u32::from(count) + u32::from(code.length) + symbol.extra_bits);
    }
}

/// Bits, and how many, with a code behind them.
#[inline]
fn behind((bits, count): (u64, u32), code: Code) -> (u64, u32) {
    (
        bits | u64::from(code.bits) << count,
        count + u32::from(code.length),
    )
}

fn add(counts: &mut [u64], place: usize, weight: u64) {
    if let Some(count) = counts.get_mut(place) {
        *count += weight;
    }
}

/// The counts, scaled. Every symbol has one at least, since an answer may need it.
fn scaled(counts: &[u64]) -> Vec<u32> {
    let total = counts.iter().sum::<u64>().max(1);
    let scale = |count: &u64| {
        u32::try_from(count.saturating_mul(SCALE) / total)
            .unwrap_or(u32::MAX)
            .max(1)
    };
    counts.iter().map(scale).collect()
}

/// The code of a length, with its extra bits.
#[derive(Debug, Clone, Copy, Default)]
struct LengthCode {
    bits: u32,
    count: u8,
}

impl LengthCode {
    fn new(length: usize, codes: &[Code]) -> Self {
        let symbol = Symbol::of_length(length);
        let code = codes.get(symbol.place).copied().unwrap_or_default();
        Self {
            bits: u32::from(code.bits) | symbol.extra << code.length,
            count: code.length + u8::try_from(symbol.extra_bits).unwrap_or(0),
        }
    }
}

/// The codes that need no table. They have all literals.
pub(super) static FIXED: LazyLock<Table> = LazyLock::new(Table::fixed);

/// Codes for every length and distance, the end of the block, and the literals that there may be.
#[derive(Debug)]
pub(super) struct Table {
    literals: [Code; LITERALS],
    /// All, by symbol.
    literals_and_lengths: Vec<Code>,
    distances: [Code; DISTANCES],
    /// Those of the lengths from 3 on, with their extra bits.
    lengths: Vec<LengthCode>,
    /// What comes before the first symbol of a block.
    pub start: ReadyBits,
}

impl Table {
    pub(super) fn new(counts: &Counts) -> Self {
        let mut all = scaled(&counts.literals_and_lengths);
        let not_allowed = all.iter_mut().zip(counts.allowed).filter(|(_, allowed)| !allowed);
        not_allowed.for_each(|(count, _)| *count = 0);
        let lengths = code_lengths(&all, LONGEST_CODE);
        let distance_lengths = code_lengths(&scaled(&counts.distances), LONGEST_CODE);
        Self::of(&lengths, &distance_lengths, start(&lengths, &distance_lengths))
    }

    /// The codes that need no table (RFC 1951, section 3.2.6). They start another block.
    fn fixed() -> Self {
        let lengths = [vec![8; 144], vec![9; 112], vec![7; 24], vec![8; 8]].concat();
        let mut start = BitWriter::default();
        start.put(0b010, 3);
        Self::of(&lengths, &[5; DISTANCES], start.into_ready())
    }

    fn of(lengths: &[u8], distance_lengths: &[u8], start: ReadyBits) -> Self {
        let literals_and_lengths = codes(lengths);
        let mut literals = [Code::default(); LITERALS];
        literals
            .iter_mut()
            .zip(&literals_and_lengths)
            .for_each(|(own, code)| *own = *code);
        let mut distances = [Code::default(); DISTANCES];
        distances
            .iter_mut()
            .zip(codes(distance_lengths))
            .for_each(|(own, code)| *own = code);
        Self {
            literals,
            lengths: (SHORTEST..=LONGEST)
                .map(|length| LengthCode::new(length, &literals_and_lengths))
                .collect(),
            literals_and_lengths,
            distances,
            start,
        }
    }

    /// Tells whether all of these bytes have a code.
    pub(super) fn has(&self, bytes: &[u8]) -> bool {
        let length = |byte: &u8| {
            self.literals
                .get(usize::from(*byte))
                .map_or(0, |code| code.length)
        };
        // Without an end before the last, which is quicker: almost always it has them all.
        bytes.iter().map(length).fold(u8::MAX, u8::min) > 0
    }

    pub(super) fn put_end(&self, out: &mut BitWriter) {
        put_code(out, self.literals_and_lengths.get(END_OF_BLOCK));
    }

    /// How many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.literals_and_lengths)
            + size_of_val(&*self.lengths)
            + self.start.memory()
    }

    #[cfg(test)]
    pub(super) fn code_lengths(&self) -> [Vec<u8>; 2] {
        [&self.literals_and_lengths[..], &self.distances]
            .map(|codes| codes.iter().map(|code| code.length).collect())
    }
}

#[inline]
pub(super) fn put_code(out: &mut BitWriter, code: Option<&Code>) {
    let code = code.copied().unwrap_or_default();
    out.put(code.bits.into(), code.length.into());
}
