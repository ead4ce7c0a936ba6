//! Strings of bits in deflate's order: the first bit is the lowest of the first byte (RFC 1951, section 3.1.1).

/// Appends bits to bytes, 64 at a time.
#[derive(Debug, Default)]
pub(super) struct BitWriter {
    out: Vec<u8>,
    /// What is not yet in `out`: fewer than 64 bits, the others are zero.
    held: u64,
    count: u32,
}

impl BitWriter {
    /// Starts with some bytes, with room for so many more.
    pub(super) fn starting_with(bytes: &[u8], room: usize) -> Self {
        let mut out = Vec::with_capacity(bytes.len() + room);
        out.extend_from_slice(bytes);
        Self {
            out,
            ..Self::default()
        }
    }

    /// Appends the lowest `count` bits, at most 64; the others must be zero.
    #[inline]
    pub(super) fn put(&mut self, bits: u64, count: u32) {
        self.held |= bits << self.count;
        let total = self.count + count;
        if total < 64 {
            self.count = total;
            return;
        }
        self.out.extend_from_slice(&self.held.to_le_bytes());
        self.held = bits.checked_shr(64 - self.count).unwrap_or(0);
        self.count = total - 64;
    }

    /// Appends ready bits.
    pub(super) fn put_ready(&mut self, ready: &ReadyBits, from: usize, to: usize) {
        let shift = (from % 64) as u32;
        let mut words = ready.words.get(from / 64..).unwrap_or_default().iter().copied();
        let mut word = words.next().unwrap_or(0);
        let mut left = to.saturating_sub(from);
        while left >= 64 {
            let next = words.next().unwrap_or(0);
            self.put(joined(word, next, shift), 64);
            word = next;
            left -= 64;
        }
        if left > 0 {
            let value = joined(word, words.next().unwrap_or(0), shift);
            self.put(value & ((1 << left) - 1), left as u32);
        }
    }

    /// Fills the last byte with zeros; gives the bytes.
    pub(super) fn finish(mut self) -> Vec<u8> {
        let bytes = self.held.to_le_bytes();
        let whole = self.count.div_ceil(8) as usize;
        self.out.extend_from_slice(bytes.get(..whole).unwrap_or_default());
        self.out
    }

    /// The bits, to be appended to others.
    pub(super) fn into_ready(self) -> ReadyBits {
        let length = self.length();
        let mut bytes = self.finish();
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let (words, _) = bytes.as_chunks::<8>();
        ReadyBits {
            words: words.iter().copied().map(u64::from_le_bytes).collect(),
            length,
        }
    }

    /// How many bits there are.
    pub(super) fn length(&self) -> usize {
        self.out.len() * 8 + self.count as usize
    }
}

/// The 64 bits that start `shift` bits (fewer than 64) after the start of `word`.
#[inline]
fn joined(word: u64, next: u64, shift: u32) -> u64 {
    word >> shift | next.checked_shl(64 - shift).unwrap_or(0)
}

/// Bits that are appended as they are.
#[derive(Debug, Default)]
pub(super) struct ReadyBits {
    words: Box<[u64]>,
    /// How many.
    pub(super) length: usize,
}

impl ReadyBits {
    /// How many bytes of memory they take beside the struct.
    pub(super) fn memory(&self) -> usize {
        size_of_val(&*self.words)
    }
}
