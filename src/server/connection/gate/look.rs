//! The look at a head: where it ends, and whether something in it is to be changed before the dispatcher reads it.
//!
//! Every request passes here, so it is one pass over the bytes, 32 at a time, in a loop that the compiler makes vector
//! instructions of.

use memchr::memchr_iter;

/// The neighbours that are compared at once.
const BLOCK: usize = 32;

/// The bytes that they are.
const PAIRS: usize = BLOCK + 1;

/// What was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    /// Where the head ends: behind its blank line. `None`: not in these bytes.
    pub end: Option<usize>,
    /// Whether `pg` stands in it, or close behind it, in any case, as in every `Upgrade`.
    pub may_offer: bool,
}

/// Looks at a head, or at the part of it that was not looked at before.
pub(super) fn look(bytes: &[u8]) -> Look {
    // Most of what comes is one head. Then there is no other blank line before its own, and none is searched for.
    let is_ended = bytes.ends_with(b"\r\n\r\n");
    let searched = if is_ended { bytes.len() - 2 } else { bytes.len() };
    let searched = bytes.split_at(searched).0;
    let mut look = Look {
        end: None,
        may_offer: false,
    };
    if let Some(last) = searched.len().checked_sub(PAIRS) {
        let mut at = 0;
        while let Some(pairs) = searched.get(at..).and_then(<[u8]>::first_chunk::<PAIRS>) {
            let (offers, is_blank) = signs(pairs);
            look.may_offer |= offers;
            if is_blank {
                look.end = blank_line_end(bytes, at, at + PAIRS);
            }
            if look.end.is_some() || at == last {
                break;
            }
            // The last block begins where it ends with the bytes, among those that were seen already.
            at = (at + BLOCK).min(last);
        }
    } else {
        look.may_offer = searched.windows(2).any(|pair| pair.eq_ignore_ascii_case(b"pg"));
        look.end = blank_line_end(bytes, 0, bytes.len());
    }
    if is_ended && look.end.is_none() {
        look.end = Some(bytes.len());
    }
    look
}

/// Tells which signs may stand in a block: of an offer, and of a blank line. It looks at pairs of neighbours, and says yes
/// too often rather than not.
#[inline]
fn signs(pairs: &[u8; PAIRS]) -> (bool, bool) {
    let (Some(left), Some(right)) = (pairs.first_chunk::<BLOCK>(), pairs.last_chunk::<BLOCK>()) else {
        return (true, true);
    };
    let (mut offers, mut blanks) = (0, 0);
    for (left, right) in left.iter().zip(right) {
        offers |= u8::from(left | 0x20 == b'p') & u8::from(right | 0x20 == b'g');
        // No line of a head begins with a control character.
        blanks |= u8::from(*left == b'\n') & u8::from(*right <= b'\r');
    }
    (offers != 0, blanks != 0)
}

/// Where the first blank line ends whose line before it ends in a range. httparse takes a line feed alone for the end of a
/// line too.
fn blank_line_end(bytes: &[u8], from: usize, to: usize) -> Option<usize> {
    let range = bytes.get(from..to)?;
    memchr_iter(b'\n', range).find_map(|at| match bytes.get(from + at + 1..)? {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_ends_with_its_blank_line_wherever_that_is() {
        for padding in 0..100 {
            for blank in ["\r\n\r\n", "\n\n", "\r\n\n", "\n\r\n"] {
                let head = format!("GET /{} HTTP/1.1\r\nHost: p{blank}", "x".repeat(padding));
                for behind in ["", "GET", "\r\n\r\n", "{\"up\":1}"] {
                    let look = look(format!("{head}{behind}").as_bytes());
                    assert_eq!(
                        look,
                        Look {
                            end: Some(head.len()),
                            may_offer: false
                        },
                        "{head:?}"
                    );
                }
                let partial = head.split_at(head.len() - 1).0;
                assert_eq!(look(partial.as_bytes()).end, None, "{partial:?}");
            }
        }
    }

    #[test]
    fn an_offer_is_seen_in_any_case_wherever_it_is() {
        for padding in 0..100 {
            for name in ["Upgrade", "upgrade", "UPGRADE", "uPgRaDe", "upGrade"] {
                let head = format!(
                    "GET / HTTP/1.1\r\nX: {}\r\n{name}: h2c\r\n\r\n",
                    "x".repeat(padding)
                );
                assert_eq!(
                    look(head.as_bytes()),
                    Look {
                        end: Some(head.len()),
                        may_offer: true
                    }
                );
            }
        }
    }
}
