//! Portions: how much of what was read the dispatcher may have at a time.
//!
//! It makes requests of all that it has, and those that wait for their turn take 4 KiB each, which is forty times their
//! bytes. And it answers all of them in one turn, while other connections wait: of those who send many requests at once,
//! each turn takes two. A body is not held back: it hardly ever has blank lines.
use memchr::memchr_iter;

/// Up to this many bytes are not looked at: most requests are shorter, and few fit in.
const UNSEEN: usize = 512;

/// The blank lines of a portion, each of which ends a head: with one alone a body would be parted from its head.
const HEADS: usize = 2;

/// What is read at once. A body of 1 MiB takes 128 turns, between which others have theirs.
pub(super) const AT_ONCE: usize = 8 * 1024;

/// The room below which the dispatcher makes its buffer larger (actix-http's `LW_BUFFER_SIZE`).
const LEAST_ROOM: usize = 1024;

/// Gives how much may be read into so much room.
///
/// The dispatcher doubles its buffer, up to 128 KiB, where a read leaves less than 1 KiB of room, and keeps it so.
pub(super) fn read_at_once(room: usize) -> usize {
    if room > 2 * LEAST_ROOM {
        AT_ONCE.min(room - LEAST_ROOM)
    } else {
        room
    }
}

/// Gives how many of these bytes make a portion.
pub(super) fn portion(bytes: &[u8]) -> usize {
    if bytes.len() <= UNSEEN {
        return bytes.len();
    }
    // httparse takes a line feed alone for the end of a line too.
    let mut ends = memchr_iter(b'\n', bytes).filter_map(|at| match bytes.split_at(at + 1).1 {
        [b'\n', ..] => Some(at + 2),
        [b'\r', b'\n', ..] => Some(at + 3),
        _ => None,
    });
    ends.nth(HEADS - 1).unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_portion_has_two_heads() {
        for end in ["\r\n", "\n"] {
            let head = format!("GET / HTTP/1.1{end}Host: {}{end}{end}", "x".repeat(100));
            for heads in [1, 2, 3, 4, 5, 60] {
                let expected = if head.len() * heads <= UNSEEN {
                    heads
                } else {
                    heads.min(HEADS)
                };
                let bytes = head.repeat(heads);
                assert_eq!(portion(bytes.as_bytes()), head.len() * expected, "{heads} heads");
            }
        }
    }

    #[test]
    fn a_body_is_one_portion() {
        let body = r#"{"a":1},"#.repeat(1_000);
        let request = format!("POST / HTTP/1.1\r\n\r\n[{body}");
        assert_eq!(portion(request.as_bytes()), request.len());
    }
}
