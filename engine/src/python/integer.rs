//! Python's `int`.
use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive, ToPrimitive};

use super::digits;

/// The longest integer that Python converts from text (`sys.int_info.default_max_str_digits`).
pub(crate) const MAX_DIGITS: usize = 4300;

/// Python's `int`: exact at any size. A number that fits 64 bits is always [`Integer::Small`].
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) enum Integer {
    /// Fits 64 bits.
    Small(i64),
    /// Does not fit 64 bits.
    Big(BigInt),
}

impl Integer {
    /// Python's `float(integer)`. `None`: too large (Python raises OverflowError).
    pub(crate) fn to_float(&self) -> Option<f64> {
        match self {
            Self::Small(number) => Some(*number as f64),
            Self::Big(number) => number.to_f64().filter(|float| float.is_finite()),
        }
    }

    /// Python's `int(float)`: the fraction cut off. `None`: not finite.
    pub(crate) fn from_float(float: f64) -> Option<Self> {
        let whole = float.trunc();
        if !whole.is_finite() {
            return None;
        }
        // Both bounds are exact in f64: −2⁶³ and 2⁶³.
        if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole) {
            return Some(Self::Small(whole as i64));
        }
        BigInt::from_f64(whole).map(Self::from)
    }

    /// Python's comparison of an `int` with a `float`: exact, without rounding either. `None`: NaN.
    pub(crate) fn partial_cmp_float(&self, float: f64) -> Option<Ordering> {
        if float.is_nan() {
            return None;
        }
        let Some(whole) = Self::from_float(float) else {
            return Some(if float > 0.0 {
                Ordering::Less
            } else {
                Ordering::Greater
            });
        };
        let fraction = 0.0_f64.partial_cmp(&float.fract())?;
        Some(self.cmp(&whole).then(fraction))
    }

    /// At least as many as its decimal digits.
    pub(crate) fn most_digits(&self) -> usize {
        match self {
            Self::Small(_) => 19,
            // A digit takes more than three bits.
            Self::Big(number) => usize::try_from(number.bits() / 3).unwrap_or(usize::MAX),
        }
    }

    /// Reads an optional sign and ASCII digits. `None`: it is something else, or longer than [`MAX_DIGITS`].
    pub(crate) fn from_ascii(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        if digits.is_empty() || digits.len() > MAX_DIGITS || !digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        match text.parse::<i64>() {
            Ok(number) => Some(Self::Small(number)),
            Err(_) => text.parse::<BigInt>().ok().map(Self::from),
        }
    }
}

/// Python's `int(text)`: outer blanks, a sign, decimal digits of any script, single underscores between them.
///
/// `None`: Python raises ValueError, as it does for more than 4300 digits.
pub(crate) fn parse_int(text: &str) -> Option<Integer> {
    Integer::from_ascii(&digits::plain(text)?)
}

impl From<i64> for Integer {
    fn from(number: i64) -> Self {
        Self::Small(number)
    }
}

impl From<BigInt> for Integer {
    fn from(number: BigInt) -> Self {
        number.to_i64().map_or(Self::Big(number), Self::Small)
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Small(one), Self::Small(two)) => one.cmp(two),
            (Self::Big(one), Self::Big(two)) => one.cmp(two),
            // A number past 64 bits lies beyond all that fit, on the side of its sign.
            (Self::Small(_), Self::Big(two)) => side(two).reverse(),
            (Self::Big(one), Self::Small(_)) => side(one),
        }
    }
}

fn side(number: &BigInt) -> Ordering {
    if number.sign() == Sign::Minus {
        Ordering::Less
    } else {
        Ordering::Greater
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small(number) => number.fmt(f),
            Self::Big(number) => number.fmt(f),
        }
    }
}

/// Shows no digits: the number may be a trait's.
impl fmt::Debug for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Integer")
    }
}
