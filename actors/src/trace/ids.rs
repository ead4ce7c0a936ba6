use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

/// The id of a trace; never zero (W3C Trace Context, 3.2.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(NonZeroU128);

/// The id of a span; never zero (W3C Trace Context, 3.2.2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

impl TraceId {
    /// A new one.
    pub(super) fn random() -> Self {
        // Zero comes once in 2^128 times.
        Self(NonZeroU128::new(rand::random()).unwrap_or(NonZeroU128::MIN))
    }

    /// Reads 32 digits in lower case.
    pub(super) fn parse(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 32] = digits.try_into().ok()?;
        let number = digits.iter().try_fold(0_u128, |number, digit| {
            Some(number << 4 | u128::from(value(*digit)?))
        })?;
        NonZeroU128::new(number).map(Self)
    }

    /// Its bytes, as OTLP has them.
    pub fn bytes(self) -> [u8; 16] {
        self.0.get().to_be_bytes()
    }

    /// Its half that is random wherever only 7 bytes are (W3C Trace Context, 3.2.2.3).
    pub(super) fn low(self) -> u64 {
        let [.., a, b, c, d, e, f, g, h] = self.bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl SpanId {
    /// A new one.
    pub(super) fn random() -> Self {
        Self(NonZeroU64::new(rand::random()).unwrap_or(NonZeroU64::MIN))
    }

    /// Reads 16 digits in lower case.
    pub(super) fn parse(digits: &[u8]) -> Option<Self> {
        let digits: &[u8; 16] = digits.try_into().ok()?;
        let number = digits.iter().try_fold(0_u64, |number, digit| {
            Some(number << 4 | u64::from(value(*digit)?))
        })?;
        NonZeroU64::new(number).map(Self)
    }

    /// Its bytes, as OTLP has them.
    pub fn bytes(self) -> [u8; 8] {
        self.0.get().to_be_bytes()
    }
}

/// The value of a hexadecimal digit; upper case is none (W3C Trace Context, 3.2.2.1).
pub(super) fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// 32 digits.
impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// 16 digits.
impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written() {
        let (trace, span) = (TraceId::random(), SpanId::random());
        assert_eq!(TraceId::parse(trace.to_string().as_bytes()), Some(trace));
        assert_eq!(SpanId::parse(span.to_string().as_bytes()), Some(span));
        let known = TraceId::parse(b"000000000000000000000000000000a1").unwrap();
        assert_eq!((known.bytes()[15], known.low()), (0xa1, 0xa1));
        assert_ne!(TraceId::random(), trace);
    }

    #[test]
    fn nothing_else_is_an_id() {
        for wrong in [
            "",
            "0",
            "00000000000000000000000000000000",
            "0000000000000000000000000000000A",
            "0000000000000000000000000000000g",
            "000000000000000000000000000000011",
        ] {
            assert_eq!(TraceId::parse(wrong.as_bytes()), None, "{wrong}");
        }
        for wrong in ["0000000000000000", "000000000000000A", "00000000000000001"] {
            assert_eq!(SpanId::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }
}
