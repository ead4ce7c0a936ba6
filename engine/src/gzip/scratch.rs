//! What putting an answer together takes besides the answer. A thread keeps it from one answer to the next, so that it allocates
//! nothing.
use std::ops::Range;

use super::phrases::PhraseId;
use super::table::Out;
use super::tokens::{FARTHEST, LONGEST};

const HASH_BITS: u32 = 9;
/// References to own bytes are at least so long.
const SHORTEST: usize = 4;
/// What is kept at most, in bytes of plain text and in phrases.
const MOST_KEPT: usize = 64 * 1024;

/// What putting an answer together takes besides the answer.
#[derive(Debug)]
pub(crate) struct Scratch {
    /// The plain body, without long runs.
    pub(super) plain: Vec<u8>,
    /// Up to where the CRC covers the plain body.
    settled: usize,
    /// Where long runs were left out: the place in `plain`, and how long all are up to there.
    gaps: Vec<(usize, usize)>,
    /// Where each phrase was last: `base`, one, and the place in the answer. Less: not in this answer.
    phrases: Vec<u32>,
    /// The same for each hash of own bytes, with the place in `plain`.
    hashes: Vec<u32>,
    base: u32,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            plain: Vec::new(),
            settled: 0,
            gaps: Vec::new(),
            phrases: Vec::new(),
            hashes: vec![0; 1 << HASH_BITS],
            base: 0,
        }
    }
}

impl Scratch {
    /// Starts an answer that may have so many phrases.
    pub(super) fn start(&mut self, phrases: usize) {
        if self.plain.capacity() > MOST_KEPT || self.phrases.capacity() > phrases.max(MOST_KEPT) {
            *self = Self::default();
        }
        // What was noted for the answer before must count no more.
        let before = u32::try_from(self.plain.len() + self.left_out()).unwrap_or(u32::MAX);
        self.base = self.base.saturating_add(before).saturating_add(1);
        if self.base > u32::MAX / 2 {
            self.base = 0;
            self.phrases.fill(0);
            self.hashes.fill(0);
        }
        self.plain.clear();
        self.gaps.clear();
        self.settled = 0;
        if self.phrases.len() < phrases {
            self.phrases.resize(phrases, 0);
        }
    }

    /// Where a phrase was last in this answer.
    #[inline]
    pub(super) fn place_of(&self, id: PhraseId) -> Option<usize> {
        let noted = self.phrases.get(id.place())?;
        Some(noted.checked_sub(self.base + 1)? as usize)
    }

    #[inline]
    pub(super) fn note(&mut self, id: PhraseId, place: usize) {
        if let Some(noted) = self.phrases.get_mut(id.place()) {
            *noted = self.base + 1 + place as u32;
        }
    }

    /// The end of the plain body that the CRC does not cover yet.
    pub(super) fn unsettled(&self) -> &[u8] {
        self.plain.get(self.settled..).unwrap_or_default()
    }

    pub(super) fn settle(&mut self) {
        self.settled = self.plain.len();
    }

    /// Notes that so many bytes of the answer, which follow now, are left out here.
    pub(super) fn leave_out(&mut self, length: usize) {
        let (_, before) = self.gaps.last().copied().unwrap_or_default();
        self.gaps.push((self.plain.len(), before + length));
    }

    /// How much of the answer is left out in all.
    #[inline]
    pub(super) fn left_out(&self) -> usize {
        self.gaps.last().map_or(0, |(_, length)| *length)
    }

    /// How much of the answer is left out before a place in `plain`, and up to where that is so.
    #[inline]
    fn left_out_before(&self, place: usize) -> (usize, usize) {
        if self.gaps.is_empty() {
            return (0, usize::MAX);
        }
        let behind = self.gaps.partition_point(|(gap, _)| *gap <= place);
        let before = behind.checked_sub(1).and_then(|before| self.gaps.get(before));
        let end = self.gaps.get(behind).map_or(usize::MAX, |(gap, _)| *gap);
        (before.map_or(0, |(_, length)| *length), end)
    }

    /// Codes this part of the plain body. References start where words do: that is where most of what recurs starts.
    pub(super) fn code_own(&mut self, range: Range<usize>, out: &mut impl Out) {
        let (left_out, _) = self.left_out_before(range.start);
        let text = self.plain.get(range.clone()).unwrap_or_default();
        let (mut done, mut place) = (0, 0);
        while let Some((wanted, first)) = text
            .get(place..)
            .and_then(|rest| Some((rest, rest.first_chunk()?)))
        {
            let hash = u32::from_le_bytes(*first).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS);
            let here = range.start + place;
            let mut found = None;
            if let Some(noted) = self.hashes.get_mut(hash as usize) {
                let earlier = noted.checked_sub(self.base + 1);
                *noted = self.base + 1 + here as u32;
                found = earlier.map(|earlier| earlier as usize);
            }
            let found = found.and_then(|earlier| self.reference(earlier, here + left_out, wanted));
            let Some((length, distance)) = found else {
                // On to the next word, or to the next sign that is none.
                let of_word = wanted.iter().take_while(|letter| letter.is_ascii_alphanumeric());
                place += of_word.count().max(1);
                continue;
            };
            out.literals(text.get(done..place).unwrap_or_default());
            out.reference(length, distance);
            place += length;
            done = place;
        }
        out.literals(text.get(done..).unwrap_or_default());
    }

    /// The length and the distance of a reference from this place in the answer to an earlier one in `plain`.
    #[inline]
    fn reference(&self, earlier: usize, place: usize, wanted: &[u8]) -> Option<(usize, usize)> {
        let (left_out, end) = self.left_out_before(earlier);
        let distance = place - (earlier + left_out);
        let there = self.plain.get(earlier..end.min(self.plain.len()))?;
        let wanted = wanted.get(..LONGEST).unwrap_or(wanted);
        let length = alike(wanted, there);
        (length >= SHORTEST && distance <= FARTHEST).then_some((length, distance))
    }
}

/// How many bytes are alike at the start.
#[inline]
pub(crate) fn alike(one: &[u8], other: &[u8]) -> usize {
    let most = one.len().min(other.len());
    let (one, other) = (
        one.get(..most).unwrap_or_default(),
        other.get(..most).unwrap_or_default(),
    );
    let (one_words, _) = one.as_chunks::<8>();
    let (other_words, _) = other.as_chunks::<8>();
    let mut length = 0;
    for (one, other) in one_words.iter().zip(other_words) {
        let differ = u64::from_le_bytes(*one) ^ u64::from_le_bytes(*other);
        if differ != 0 {
            return length + (differ.trailing_zeros() / 8) as usize;
        }
        length += 8;
    }
    let rest = one.iter().zip(other).skip(length);
    length + rest.take_while(|(a, b)| a == b).count()
}
