//! One answer, put together from ready runs, phrases and its own bytes.
use super::GzipCoder;
use super::bits::BitWriter;
use super::crc::{extended, moved};
use super::phrases::{Phrase, PhraseId};
use super::pieces::{Piece, Pieces};
use super::runs::{Found, Runs};
use super::scratch::Scratch;
use super::table::{Coded, FIXED, GZIP_HEADER, Out as _};
use super::tokens::{FARTHEST, LONGEST, SHORTEST};

/// Where runs are at least so long, their ready CRC is cheaper than to read them.
const LONG_RUN: usize = 2_048;
/// The end of the block and the last byte, then the CRC and the length (RFC 1952, section 2.3.1).
const TRAILER: usize = 12;

/// A body of gzip that is being written.
#[derive(Debug)]
pub(crate) struct GzipAnswer<'c, 's> {
    coder: &'c GzipCoder,
    scratch: &'s mut Scratch,
    out: BitWriter,
    /// The CRC of what is not in the scratch any more.
    crc: u32,
    /// How much of the plain body there is.
    length: usize,
    pieces: Pieces<'c>,
}

/// A run of three parts or more: parts of a buffer that lie side by side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'c> {
    pub runs: &'c Runs,
    pub buffer: &'c [u8],
    /// Where its first part starts, and its last.
    pub first: u32,
    pub last: u32,
}

impl<'c> Run<'c> {
    /// Finds the ready bits. `None`: these are not parts side by side, or fewer than three.
    pub(crate) fn find(&self) -> Option<Found<'c>> {
        self.runs.find(self.first, self.last)
    }
}

impl<'c, 's> GzipAnswer<'c, 's> {
    /// An answer that starts with what is written, for which room is made: so many bytes of the body come from runs, at most, and so
    /// many are its own.
    pub(crate) fn new(
        coder: &'c GzipCoder,
        scratch: &'s mut Scratch,
        (from_runs, own): (usize, usize),
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Self {
        scratch.start(coder.phrases.count());
        let table = &coder.table;
        // Runs take a fifth of their bytes or less; a longer answer allocates again.
        let room = table.start.length / 8 + from_runs / 4 + own + TRAILER;
        let mut answer = Self {
            coder,
            scratch,
            out: BitWriter::starting_with(&GZIP_HEADER, room),
            crc: 0,
            length: 0,
            pieces: Pieces::default(),
        };
        write(&mut answer.scratch.plain);
        answer.length = answer.scratch.plain.len();
        let out = &mut answer.out;
        if table.has(&answer.scratch.plain) {
            out.put_ready(&table.start, 0, table.start.length);
            answer
                .scratch
                .code_own(0..answer.length, &mut Coded { table, out });
        } else {
            // What no flag of the environment has: texts in other alphabets, mostly.
            let fixed = &*FIXED;
            out.put_ready(&fixed.start, 0, fixed.start.length);
            answer
                .scratch
                .code_own(0..answer.length, &mut Coded { table: fixed, out });
            fixed.put_end(out);
            out.put_ready(&table.start, 0, table.start.length);
        }
        answer
    }

    /// How many bytes the plain body has so far.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    fn coded(&mut self) -> Coded<'_, '_> {
        Coded {
            table: &self.coder.table,
            out: &mut self.out,
        }
    }

    /// Appends plain bytes, which the next calls code, in order.
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.scratch.plain.extend_from_slice(bytes);
    }

    /// Takes back the last byte that was appended and is not coded.
    pub(crate) fn take_back(&mut self) {
        self.scratch.plain.pop();
    }

    /// Codes the next bytes, which are these, as literals.
    #[inline]
    pub(crate) fn literals(&mut self, bytes: &[u8]) {
        self.coded().literals(bytes);
        self.length += bytes.len();
    }

    /// Codes the next bytes, which are these: they have been in the answer, this many bytes back.
    #[inline]
    pub(crate) fn repeated(&mut self, bytes: &[u8], distance: usize) {
        if bytes.len() >= SHORTEST && bytes.len() <= LONGEST && distance <= FARTHEST {
            self.coded().reference(bytes.len(), distance);
            self.length += bytes.len();
        } else {
            self.literals(bytes);
        }
    }

    /// Codes a phrase, which is next.
    #[inline]
    pub(crate) fn phrase(&mut self, id: PhraseId) {
        self.phrase_and(id, &[], 0);
    }

    /// Codes a phrase, which is next, and in one with it what follows, if that was behind it before: where `place` is right behind it.
    /// Tells how much that was.
    pub(crate) fn phrase_and(&mut self, id: PhraseId, next: &[u8], place: usize) -> usize {
        let coder = self.coder;
        let earlier = self
            .scratch
            .place_of(id)
            .filter(|place| self.length - place <= FARTHEST);
        let (Some(earlier), Some(known)) = (earlier, coder.phrases.known(id)) else {
            self.new_phrase(id, coder.phrases.get(id));
            return 0;
        };
        let more = if earlier + known.length == place {
            next.len().min(LONGEST - known.length)
        } else {
            0
        };
        let distance = self.length - earlier;
        self.coded().reference(known.length + more, distance);
        // The phrases that it starts and ends with come here too.
        self.scratch.note(id, self.length);
        if let Some(first) = known.first {
            self.scratch.note(first, self.length);
        }
        if let Some((last, start)) = known.last {
            self.scratch.note(last, self.length + start);
        }
        self.length += known.length + more;
        more
    }

    fn new_phrase(&mut self, id: PhraseId, phrase: Phrase<'c>) {
        self.scratch.note(id, self.length);
        let mut text = phrase.text;
        if let Some(first) = phrase.first {
            self.phrase(first);
            let length = self.coder.phrases.text(first).len();
            text = text.get(length..).unwrap_or_default();
        }
        let last = phrase.last.map_or(0, |last| self.coder.phrases.text(last).len());
        let (middle, _) = text
            .split_at_checked(text.len().saturating_sub(last))
            .unwrap_or_default();
        self.own(middle);
        if let Some(last) = phrase.last {
            self.phrase(last);
        }
    }

    /// Codes a phrase without so many of its last bytes, which is next.
    pub(crate) fn phrase_without(&mut self, id: PhraseId, cut: usize) {
        let coder = self.coder;
        let phrase = coder.phrases.get(id);
        let (text, _) = phrase
            .text
            .split_at_checked(phrase.text.len().saturating_sub(cut))
            .unwrap_or_default();
        if let Some(place) = self.scratch.place_of(id) {
            self.repeated(text, self.length - place);
            return;
        }
        let first = phrase
            .first
            .filter(|first| coder.phrases.text(*first).len() <= text.len());
        let mut rest = text;
        if let Some(first) = first {
            self.phrase(first);
            rest = text.get(coder.phrases.text(first).len()..).unwrap_or_default();
        }
        self.literals(rest);
    }

    /// Notes that a phrase is in this place of the answer.
    pub(crate) fn note(&mut self, id: PhraseId, place: usize) {
        debug_assert!(
            self.holds(place, self.coder.text(id)),
            "another text than is noted"
        );
        self.scratch.note(id, place);
    }

    /// Counts the next bytes, which are these, in an answer that is given up.
    pub(crate) fn pass(&mut self, bytes: &[u8]) {
        self.length += bytes.len();
    }

    /// Codes the next bytes, which are these, as literals and references to what was coded so before.
    pub(crate) fn own(&mut self, bytes: &[u8]) {
        let start = self.length - self.scratch.left_out();
        let end = start + bytes.len();
        let mut coded = Coded {
            table: &self.coder.table,
            out: &mut self.out,
        };
        if end <= self.scratch.plain.len() {
            self.scratch.code_own(start..end, &mut coded);
        } else {
            coded.literals(bytes);
        }
        self.length += bytes.len();
    }

    /// Appends and codes what is between the first part of a run, which has just been coded up to its end and a cut behind, and the cut of
    /// its last.
    pub(crate) fn run(&mut self, run: Run<'c>, found: &Found<'c>) {
        let first = run.first as usize;
        let here = Piece {
            buffer: run.buffer,
            start: first,
            end: found.end,
            place: self.length.saturating_sub(found.start + found.cut - first),
        };
        self.run_bits(found, here);
        let bytes = run.buffer.get(found.start..found.end).unwrap_or_default();
        if let Ok(length) = u32::try_from(bytes.len())
            && bytes.len() >= LONG_RUN
        {
            self.settle_crc();
            self.crc = moved(self.crc ^ found.crcs.0, length) ^ found.crcs.1;
            self.scratch.leave_out(bytes.len());
        } else {
            self.append(bytes);
        }
        self.length += bytes.len();
    }

    /// Remembers that this piece of a buffer is at `place` in the answer, or will be before the next run.
    pub(crate) fn remember(&mut self, buffer: &'c [u8], start: u32, end: u32, place: usize) {
        let (start, end) = (start as usize, end as usize);
        self.pieces.remember(Piece {
            buffer,
            start,
            end,
            place,
        });
    }

    /// Appends the bits of a run. References to what is before it become such to an earlier piece of the same buffer, or their
    /// alternatives.
    fn run_bits(&mut self, found: &Found<'_>, here: Piece<'c>) {
        let mut bit = found.first_bit;
        for far in found.far.iter().filter(|far| (far.source as usize) < here.start) {
            self.out.put_ready(found.bits, bit, far.bits.0 as usize);
            bit = far.bits.1 as usize;
            match self.pieces.distance(far, here) {
                Some(distance) => self.coded().reference(far.length as usize, distance),
                None => {
                    let (first, last) = far.alternative;
                    self.out
                        .put_ready(found.alternatives, first as usize, last as usize);
                }
            }
        }
        self.out.put_ready(found.bits, bit, found.last_bit);
    }

    fn settle_crc(&mut self) {
        self.crc = extended(self.crc, self.scratch.unsettled());
        self.scratch.settle();
    }

    /// Whether this text is at a place of the plain body, or may be, for runs are left out.
    fn holds(&self, place: usize, text: &[u8]) -> bool {
        let there = self.scratch.plain.get(place..).unwrap_or_default();
        self.scratch.left_out() > 0 || there.starts_with(text)
    }

    /// Ends the answer.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.settle_crc();
        self.coder.table.put_end(&mut self.out);
        let mut bytes = self.out.finish();
        bytes.extend_from_slice(&self.crc.to_le_bytes());
        // The length counts modulo 2^32 (RFC 1952, section 2.3.1).
        bytes.extend_from_slice(&(self.length as u32).to_le_bytes());
        bytes
    }
}
