//! LZ77: bytes as literals and references back (RFC 1951, section 3.2.5).
use super::scratch::alike;
use super::table::Out;

/// References reach back at most so far.
pub(super) const FARTHEST: usize = 32_768;
/// References are at most so long.
pub(super) const LONGEST: usize = 258;
/// References are at least so long.
pub(super) const SHORTEST: usize = 3;
/// How many earlier places with the same three bytes are looked at.
const MOST_TRIES: usize = 64;
/// A reference of three bytes pays only where its distance is short.
const FARTHEST_OF_THREE: usize = 256;
/// What a reference to more than the part before must be longer than another: some answers lack what it refers to.
const FAR_GAIN: usize = 3;
const HASH_BITS: u32 = 15;

/// A literal, or a reference back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    Literal(u8),
    Reference { length: u16, distance: u16 },
}

impl Token {
    fn reference(length: usize, distance: usize) -> Self {
        Self::Reference {
            length: u16::try_from(length).unwrap_or(0),
            distance: u16::try_from(distance).unwrap_or(0),
        }
    }

    /// How many bytes it stands for.
    pub(super) fn length(self) -> u32 {
        match self {
            Self::Literal(_) => 1,
            Self::Reference { length, .. } => length.into(),
        }
    }

    /// The place that it refers to, where it stands for what is at `target`.
    pub(super) fn source(self, target: u32) -> u32 {
        match self {
            Self::Literal(_) => target,
            Self::Reference { distance, .. } => target.saturating_sub(distance.into()),
        }
    }

    pub(super) fn put(self, out: &mut impl Out) {
        match self {
            Self::Literal(byte) => out.literals(&[byte]),
            Self::Reference { length, distance } => out.reference(length.into(), distance.into()),
        }
    }
}

/// The tokens of a text.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    pub list: Vec<Token>,
    /// The references before what is near, in order: their places in the list, and where their [`Self::alternatives`] end.
    pub far: Vec<(usize, usize)>,
    /// What stands for the same bytes as those references, and refers to what is near alone.
    pub alternatives: Vec<Token>,
}

/// A symbol and the extra bits behind its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Symbol {
    pub place: usize,
    pub extra: u32,
    pub extra_bits: u32,
}

impl Symbol {
    /// The symbol of a length from 3 to 258.
    pub(super) fn of_length(length: usize) -> Self {
        let value = u32::try_from(length.saturating_sub(3)).unwrap_or(0);
        let (place, extra_bits) = match value {
            0..8 => (257 + value, 0),
            255.. => (285, 0),
            _ => {
                let power = value.ilog2();
                (257 + 4 * (power - 1) + (value >> (power - 2) & 3), power - 2)
            }
        };
        Self::new(place, value, extra_bits)
    }

    /// The symbol of a distance from 1 to 32,768.
    #[inline]
    pub(super) fn of_distance(distance: usize) -> Self {
        let value = u32::try_from(distance.saturating_sub(1)).unwrap_or(0);
        if value < 4 {
            return Self::new(value, value, 0);
        }
        let power = value.ilog2();
        Self::new(2 * power + (value >> (power - 1) & 1), value, power - 1)
    }

    #[inline]
    fn new(place: u32, value: u32, extra_bits: u32) -> Self {
        Self {
            place: place as usize,
            extra: value & ((1 << extra_bits) - 1),
            extra_bits,
        }
    }
}

/// Finds references in one buffer, from its start to its end.
pub(super) struct Finder<'b> {
    bytes: &'b [u8],
    /// The last place of each hash, and for each place the one before it; all of them plus one.
    last: Vec<u32>,
    earlier: Vec<u32>,
}

impl<'b> Finder<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self {
            bytes,
            last: vec![0; 1 << HASH_BITS],
            earlier: vec![0; bytes.len()],
        }
    }

    /// Notes a place, so that later ones can refer to it. Places must come in order.
    pub(super) fn note(&mut self, place: usize) {
        let known = self.hash(place).and_then(|hash| self.last.get_mut(hash));
        if let (Some(last), Some(earlier)) = (known, self.earlier.get_mut(place)) {
            *earlier = *last;
            *last = u32::try_from(place + 1).unwrap_or(0);
        }
    }

    /// Adds the tokens of a part. References reach back to `floor` at most, where everything from there on has been noted, and before
    /// `near` only where that makes them longer.
    pub(super) fn tokenise(
        &mut self,
        (start, end): (usize, usize),
        (floor, near): (usize, usize),
        tokens: &mut Tokens,
    ) {
        let mut place = start;
        let mut found = None;
        while place < end {
            let (length, distance) = found
                .take()
                .unwrap_or_else(|| self.find(place, end, (floor, near)));
            self.note(place);
            if length > 0 {
                let next = self.find(place + 1, end, (floor, near));
                if next.0 <= length {
                    if distance > place - near {
                        self.find_alternatives(place, place + length, near, &mut tokens.alternatives);
                        tokens.far.push((tokens.list.len(), tokens.alternatives.len()));
                    }
                    tokens.list.push(Token::reference(length, distance));
                    (place + 1..place + length).for_each(|place| self.note(place));
                    place += length;
                    continue;
                }
                found = Some(next);
            }
            tokens
                .list
                .extend(self.bytes.get(place).copied().map(Token::Literal));
            place += 1;
        }
    }

    /// Adds tokens that refer to what is between `near` and `place` alone.
    fn find_alternatives(&self, mut place: usize, end: usize, near: usize, tokens: &mut Vec<Token>) {
        while place < end {
            let (length, distance) = self.find(place, end, (near, near));
            if length > 0 {
                tokens.push(Token::reference(length, distance));
            } else {
                tokens.extend(self.bytes.get(place).copied().map(Token::Literal));
            }
            place += length.max(1);
        }
    }

    /// The longest reference from a place, and its distance; its length is zero where there is none.
    fn find(&self, place: usize, end: usize, (floor, near): (usize, usize)) -> (usize, usize) {
        let mut best = (0, 0);
        let Some(wanted) = self.bytes.get(place..end.min(place + LONGEST)) else {
            return best;
        };
        let last = self.hash(place).and_then(|hash| self.last.get(hash));
        let mut candidate = last.copied().unwrap_or(0) as usize;
        for _ in 0..MOST_TRIES {
            let Some(from) = candidate.checked_sub(1).filter(|from| *from >= floor) else {
                break;
            };
            candidate = self.earlier.get(from).copied().unwrap_or(0) as usize;
            let Some(distance) = place.checked_sub(from).filter(|distance| *distance > 0) else {
                // It was noted for what follows.
                continue;
            };
            if distance > FARTHEST {
                break;
            }
            let there = self.bytes.get(from..).unwrap_or_default();
            let least = if from < near && best.0 > 0 {
                best.0 + FAR_GAIN
            } else {
                best.0
            };
            // Most candidates differ there already.
            if wanted.get(least) != there.get(least) {
                continue;
            }
            let length = alike(wanted, there);
            if length > least && (length > 3 || length == 3 && distance <= FARTHEST_OF_THREE) {
                best = (length, distance);
                if length == wanted.len() {
                    break;
                }
            }
        }
        best
    }

    fn hash(&self, place: usize) -> Option<usize> {
        let bytes = self.bytes.get(place..)?.first_chunk::<3>()?;
        let [a, b, c] = bytes.map(u32::from);
        Some(((a << 16 | b << 8 | c).wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as usize)
    }
}
