//! Where a chunked body ends (RFC 9112 §7.1), read as strictly as actix-http reads it.
//!
//! The dispatcher takes the chunks apart; this only finds the byte behind the last one, and the first that is wrong.

/// How far a chunked body has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunks {
    /// A size begins.
    Size,
    /// Digits of the size have come.
    Digits(u64),
    /// Blanks behind the size have come.
    Blanks(u64),
    /// An extension, which means nothing here.
    Extension(u64),
    /// The line of the size has its carriage return.
    SizeEnd(u64),
    /// So many bytes of the chunk are to come.
    Data(u64),
    /// The chunk has all its bytes.
    DataEnd,
    /// And its carriage return.
    DataLineEnd,
    /// A line behind the last chunk begins.
    Trailer,
    /// It is a field.
    Field,
    /// The field has its carriage return.
    FieldEnd,
    /// The blank line has its carriage return.
    BlankEnd,
    /// The body is whole.
    Over,
}

/// A byte that cannot be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BrokenChunk;

impl Chunks {
    /// Reads on, and gives how many of the bytes belong to the body.
    ///
    /// # Errors
    /// At a byte that cannot be there. What comes behind it has no meaning.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<usize, BrokenChunk> {
        let mut at = 0;
        while *self != Self::Over {
            if let Self::Data(left) = *self {
                let rest = bytes.len() - at;
                let taken = usize::try_from(left).map_or(rest, |left| left.min(rest));
                at += taken;
                let left = left - taken as u64;
                *self = if left == 0 {
                    Self::DataEnd
                } else {
                    Self::Data(left)
                };
            }
            let Some(byte) = bytes.get(at) else { break };
            if !matches!(self, Self::Data(_)) {
                *self = self.after(*byte).ok_or(BrokenChunk)?;
                at += 1;
            }
        }
        Ok(at)
    }

    fn after(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size, _) => Self::Digits(digit(byte)?),
            (Self::Digits(size), b'\t' | b' ') | (Self::Blanks(size), b'\t' | b' ') => Self::Blanks(size),
            (Self::Digits(size) | Self::Blanks(size), b';') => Self::Extension(size),
            (Self::Digits(size) | Self::Blanks(size) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Digits(size), _) => Self::Digits(size.checked_mul(16)?.checked_add(digit(byte)?)?),
            (Self::Extension(size), b'\t' | b' '..=0x7e | 0x80..) => Self::Extension(size),
            (Self::SizeEnd(0), b'\n') => Self::Trailer,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataEnd, b'\r') => Self::DataLineEnd,
            (Self::DataLineEnd, b'\n') => Self::Size,
            (Self::Trailer, b'\r') => Self::BlankEnd,
            (Self::Field, b'\r') => Self::FieldEnd,
            (Self::Trailer | Self::Field, _) => Self::Field,
            (Self::FieldEnd, b'\n') => Self::Trailer,
            (Self::BlankEnd, b'\n') => Self::Over,
            _ => return None,
        })
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODIES: [&str; 5] = [
        "0\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "5;name=\"v\"\r\nhello\r\n00A \t\r\n0123456789\r\n0\r\n\r\n",
        "1\r\n\r\r\n1\r\n\n\r\n0;x\r\nTrailer: a\r\nOther: b\r\n\r\n",
        "000000000000000003\r\n0\r\n\r\n0\r\n\r\n",
    ];

    #[test]
    fn the_end_is_found_however_the_bytes_come() {
        for body in BODIES {
            let bytes = format!("{body}GET / HTTP/1.1\r\n");
            for size in [1, 2, 3, 7, bytes.len()] {
                let (mut chunks, mut read) = (Chunks::Size, 0);
                for part in bytes.as_bytes().chunks(size) {
                    read += chunks.advance(part).unwrap();
                }
                assert_eq!((chunks, read), (Chunks::Over, body.len()), "{body:?} by {size}");
            }
        }
    }

    #[test]
    fn what_cannot_be_there_is_found() {
        for body in [
            "zz\r\n",
            "\r\n",
            " 5\r\n",
            "5 5\r\n",
            "5\n",
            "5\r5",
            "5\r\nhello\n",
            "5\r\nhello0\r\n",
            "5\r\nhello\r0",
            "ffffffffffffffffff\r\n",
            "5;\x01\r\n",
            "-1\r\n",
            "0\r\n\r0",
            "0\r\nField: x\r0",
        ] {
            assert_eq!(
                Chunks::Size.advance(body.as_bytes()),
                Err(BrokenChunk),
                "{body:?}"
            );
        }
    }
}
