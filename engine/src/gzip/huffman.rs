//! Huffman codes with a bounded length.
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A symbol's code, in the order in which it is written: the lowest bit first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Code {
    pub bits: u16,
    pub length: u8,
}

/// The lengths of a complete code of the symbols that occur (those whose count is not zero), each at most `longest`. There must
/// be two such symbols at least, and at most `2^longest`.
pub(super) fn code_lengths(counts: &[u32], longest: u8) -> Vec<u8> {
    let mut counts = counts.to_vec();
    loop {
        let lengths = unbounded_lengths(&counts);
        if lengths.iter().all(|length| *length <= longest) {
            return lengths;
        }
        // Flatter counts make a flatter tree; equal ones make one of the least depth.
        for count in counts.iter_mut().filter(|count| **count > 0) {
            *count = count.div_ceil(2);
        }
    }
}

fn unbounded_lengths(counts: &[u32]) -> Vec<u8> {
    let mut heap = BinaryHeap::new();
    // The parent of each node: the symbols, then the inner nodes, each after its children.
    let mut parents = vec![usize::MAX; counts.len()];
    for (symbol, count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        heap.push(Reverse((u64::from(*count), symbol)));
    }
    while let (Some(Reverse((least, first))), Some(Reverse((next, second)))) = (heap.pop(), heap.pop()) {
        let node = parents.len();
        parents.push(usize::MAX);
        for child in [first, second] {
            if let Some(parent) = parents.get_mut(child) {
                *parent = node;
            }
        }
        heap.push(Reverse((least + next, node)));
    }
    let mut depths = vec![0_u8; parents.len()];
    for node in (0..parents.len()).rev() {
        let parent = parents.get(node).and_then(|parent| depths.get(*parent)).copied();
        if let (Some(parent), Some(depth)) = (parent, depths.get_mut(node)) {
            *depth = parent.saturating_add(1);
        }
    }
    depths.truncate(counts.len());
    depths
}

/// The canonical codes of these lengths (RFC 1951, section 3.2.2).
pub(super) fn codes(lengths: &[u8]) -> Vec<Code> {
    let mut codes = vec![Code::default(); lengths.len()];
    let mut next = 0_u32;
    for length in 1..=15_u8 {
        next <<= 1;
        for (code, _) in codes.iter_mut().zip(lengths).filter(|(_, own)| **own == length) {
            // Codes are sent from their highest bit on.
            let reversed = next.reverse_bits() >> (32 - u32::from(length));
            *code = Code {
                bits: u16::try_from(reversed).unwrap_or(0),
                length,
            };
            next += 1;
        }
    }
    codes
}
