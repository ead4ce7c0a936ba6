//! The start of a block with codes of its own: their lengths, coded (RFC 1951, section 3.2.7).
use super::bits::{BitWriter, ReadyBits};
use super::huffman::{code_lengths, codes};
use super::table::put_code;

/// The longest code of a code length.
const LONGEST_LENGTH_CODE: u8 = 7;
/// The order in which the lengths of the code of code lengths are sent (RFC 1951, section 3.2.7).
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/// A code length, or a repetition of one, with its extra bits.
struct Repeated {
    symbol: u8,
    extra: u64,
    extra_bits: u32,
}

/// The header of a last block with codes of its own.
pub(super) fn start(lengths: &[u8], distance_lengths: &[u8]) -> ReadyBits {
    let used = lengths
        .iter()
        .rposition(|length| *length > 0)
        .map_or(0, |last| last + 1);
    let sent = [lengths.get(..used).unwrap_or_default(), distance_lengths].concat();
    let sent = repeated(&sent);
    let mut counts = vec![0_u32; ORDER.len()];
    for own in &sent {
        if let Some(count) = counts.get_mut(usize::from(own.symbol)) {
            *count += 1;
        }
    }
    // A code of one symbol would be incomplete.
    for count in counts.iter_mut().take(2) {
        *count = (*count).max(1);
    }
    let own_lengths = code_lengths(&counts, LONGEST_LENGTH_CODE);
    let own_codes = codes(&own_lengths);
    let ordered = ORDER.map(|place| own_lengths.get(place).copied().unwrap_or(0));
    let shown = ordered
        .iter()
        .rposition(|length| *length > 0)
        .map_or(4, |last| (last + 1).max(4));

    let mut out = BitWriter::default();
    out.put(0b101, 3);
    out.put((used - 257) as u64, 5);
    out.put((distance_lengths.len() - 1) as u64, 5);
    out.put((shown - 4) as u64, 4);
    ordered
        .iter()
        .take(shown)
        .for_each(|length| out.put((*length).into(), 3));
    for own in sent {
        put_code(&mut out, own_codes.get(usize::from(own.symbol)));
        out.put(own.extra, own.extra_bits);
    }
    out.into_ready()
}

/// Code lengths with their repetitions told by the symbols 16, 17 and 18 (RFC 1951, section 3.2.7).
fn repeated(lengths: &[u8]) -> Vec<Repeated> {
    let mut sent = Vec::new();
    let mut push = |symbol, extra: usize, extra_bits| {
        sent.push(Repeated {
            symbol,
            extra: extra as u64,
            extra_bits,
        });
    };
    for same in lengths.chunk_by(|a, b| a == b) {
        let length = same.first().copied().unwrap_or(0);
        let mut left = same.len();
        if length > 0 {
            push(length, 0, 0);
            left -= 1;
        }
        while left > 0 {
            let taken = match (length, left) {
                (0, 11..) => left.min(138),
                (0, 3..) => left.min(10),
                (1.., 3..) => left.min(6),
                _ => 1,
            };
            match (length, taken) {
                (_, 1) => push(length, 0, 0),
                (0, 11..) => push(18, taken - 11, 7),
                (0, _) => push(17, taken - 3, 3),
                _ => push(16, taken - 3, 2),
            }
            left -= taken;
        }
    }
    sent
}
