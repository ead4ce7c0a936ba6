//! Gzip that is put together from ready pieces.
//!
//! The answers to identities are made of runs of bytes that are the same for many, and a few bytes of their own. The runs are
//! tokenised and coded once, with one Huffman table for all, and kept as strings of bits. An answer is the table's header, its own
//! bytes as literals, the runs' bits shifted into place, and the CRC (RFC 1951 and 1952).
//!
//! # Layout
//! - `answer`: one answer. `runs`: ready runs. `pieces`: where they are in an answer. `phrases`: what recurs at places that are known in the answer only. `scratch`: what an
//!   answer takes, and its own bytes.
//! - `table`: the codes of an environment; `block_start`: how they are told; `huffman`: how they are made; `tokens`: LZ77; `bits`, `crc`: arithmetic.
mod answer;
mod bits;
mod block_start;
mod crc;
mod huffman;
mod phrases;
mod pieces;
mod runs;
mod scratch;
mod table;
#[cfg(test)]
mod tests;
mod tokens;

pub(crate) use answer::{GzipAnswer, Run};
pub(crate) use phrases::{Phrase, PhraseCollector, PhraseId};
pub(crate) use runs::{Part, Runs};
pub(crate) use scratch::{Scratch, alike};

use phrases::Phrases;
use runs::Tokenised;
use table::{Counts, Out as _, Table};
use tokens::{FARTHEST, Finder, LONGEST, SHORTEST, Tokens};

/// How the answers of one environment are coded.
#[derive(Debug)]
pub(crate) struct GzipCoder {
    table: Table,
    phrases: Phrases,
}

/// A buffer whose parts become ready runs.
pub(crate) struct Source<'b> {
    pub bytes: &'b [u8],
    /// Ascending.
    pub parts: Vec<Part>,
    /// How often it is answered, beside the others.
    pub weight: u64,
}

/// Texts like those that answers hold beside runs, one after the other.
pub(crate) struct Example<'b> {
    pub texts: &'b [&'b [u8]],
    /// References between such texts: their lengths and distances.
    pub references: &'b [(usize, usize)],
    /// How often such bytes are answered, beside the runs.
    pub weight: u64,
}

impl GzipCoder {
    /// Codes the parts of these buffers, in the same order, each from `cut` bytes behind its start up to as much behind that of the
    /// next.
    pub(crate) fn new(
        sources: Vec<Source<'_>>,
        examples: &[Example<'_>],
        phrases: Phrases,
        cut: u32,
    ) -> (Self, Vec<Runs>) {
        let mut counts = Counts::default();
        counts.allow(phrases.all_text());
        let tokenised = sources.into_iter().map(|source| {
            let tokenised = Tokenised::new(source.bytes, &source.parts, cut);
            counts.allow(source.bytes);
            tokenised.count(&mut counts, source.weight);
            tokenised
        });
        let tokenised: Vec<_> = tokenised.collect();
        examples.iter().for_each(|example| count(&mut counts, example));
        let table = Table::new(&counts);
        let runs = tokenised
            .into_iter()
            .map(|tokenised| tokenised.code(&table))
            .collect();
        (Self { table, phrases }, runs)
    }

    /// A phrase's text.
    pub(crate) fn text(&self, phrase: PhraseId) -> &[u8] {
        self.phrases.text(phrase)
    }

    /// How many bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.table.memory() + self.phrases.memory()
    }
}

fn count(counts: &mut Counts, example: &Example<'_>) {
    let text = example.texts.concat();
    counts.allow(&text);
    let mut tokens = Tokens::default();
    Finder::new(&text).tokenise((0, text.len()), (0, 0), &mut tokens);
    for token in tokens.list {
        token.put(&mut counts.weighted(example.weight));
    }
    for (length, distance) in example.references {
        if (SHORTEST..=LONGEST).contains(length) && (1..=FARTHEST).contains(distance) {
            counts.weighted(example.weight).reference(*length, *distance);
        }
    }
}
