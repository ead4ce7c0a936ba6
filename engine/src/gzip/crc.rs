//! The CRC of bytes that are known by their CRC: what `crc32_combine` of zlib does.
//!
//! A CRC of 32 bits is a polynomial over GF(2), the lowest power in the highest bit; bytes behind what it covers multiply it by a power
//! of x.

/// The polynomial of gzip's CRC (RFC 1952, section 8).
const POLYNOMIAL: u32 = 0xEDB8_8320;

/// The product of two polynomials.
const fn multiplied(left: u32, mut right: u32) -> u32 {
    let mut product = 0;
    let mut power = 0;
    while power < 32 {
        product ^= right & 0_u32.wrapping_sub(left >> (31 - power) & 1);
        right = right >> 1 ^ POLYNOMIAL & 0_u32.wrapping_sub(right & 1);
        power += 1;
    }
    product
}

/// `x^(8 * place * 256^digit)` for each digit of a length in bytes.
static POWERS: [[u32; 256]; 4] = {
    let mut powers = [[0; 256]; 4];
    let mut base = 1 << 23;
    let mut digit = 0;
    while digit < 4 {
        let mut power = 1 << 31;
        let mut place = 0;
        while place < 256 {
            #[expect(clippy::indexing_slicing, reason = "it is evaluated when this is compiled")]
            {
                powers[digit][place] = power;
            }
            power = multiplied(power, base);
            place += 1;
        }
        base = power;
        digit += 1;
    }
    powers
};

/// What a CRC becomes by `length` bytes of zero, without the inversions before and after.
pub(super) fn moved(crc: u32, length: u32) -> u32 {
    POWERS
        .iter()
        .zip(length.to_le_bytes())
        .filter(|(_, digit)| *digit > 0)
        .fold(crc, |crc, (powers, digit)| {
            let power = powers.get(usize::from(digit)).copied().unwrap_or(0);
            multiplied(power, crc)
        })
}

/// The CRC of what `crc` covers and these bytes.
#[inline]
pub(super) fn extended(crc: u32, bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(crc);
    hasher.update(bytes);
    hasher.finalize()
}
