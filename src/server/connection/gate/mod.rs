//! The gate before the dispatcher: what came over the socket passes it a message at a time.
//!
//! A head passes when it is whole and nothing before it is still in progress. So each answer is framed as its own request
//! asks (actix-http keeps one method and one version for all that it has read), what the dispatcher writes before a
//! request has begun is a refusal of the head that it was given last, and a head can be written anew (`rewrite`).
//!
//! The gate does not interpret how a message is framed: the request that the dispatcher makes of a head tells how long
//! its body is ([`Framing`]), and only then what follows is passed. Where the head says a length in the plainest way,
//! the body passes with it, because most bodies come in the packet of their head.
mod chunks;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzz;
mod look;
mod rewrite;

use memchr::{memchr, memchr_iter};

use crate::error::HeadFault;

use super::state::ConnectionState;
use chunks::Chunks;
use look::look;
use rewrite::{encoded_target, has_odd_target, rewritten};

pub(in crate::server) use rewrite::encoded;

/// As many fields as actix-http reads.
pub(in crate::server) const MOST_FIELDS: usize = 96;

/// A head that has so many bytes without an end is refused. actix-http's limit is the same.
pub(in crate::server) const MOST_HEAD: usize = 128 * 1024;

/// A head that is not whole is parsed when it has so many bytes, and each time that it has doubled since: what is no HTTP
/// is refused early, and a head that comes byte by byte does not cost the square of its length.
const FIRST_DOUBT: usize = 1;

/// How what follows a head is framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are its body.
    Length(u64),
    /// Chunks.
    Chunked,
    /// All that comes.
    Unknown,
}

/// What the next byte is.
#[derive(Debug, Clone, Copy)]
enum Next {
    Head,
    Body(u64),
    Chunk(Chunks),
    /// Nobody knows: all of it passes, and the connection ends with the request in progress.
    Unknown,
}

/// What happens to the bytes that have come.
#[derive(Debug)]
pub(super) enum Step {
    /// So many of them pass as they are.
    Pass(usize),
    /// So many of them become these.
    Become(usize, Vec<u8>),
    /// So many of them mean nothing.
    Skip(usize),
    /// They are the begin of a head, and wait for its end.
    Wait,
    /// They are a head that the dispatcher need not see.
    Refuse(HeadFault),
    /// They cannot be what has to follow.
    Broken,
}

/// The gate of one connection.
#[derive(Debug)]
pub(super) struct Gate {
    next: Next,
    /// How much of the head was looked at.
    seen: usize,
    /// Whether that had a sign of an offer to upgrade.
    may_offer: bool,
    /// With how many bytes the head is parsed, whole or not.
    doubt: usize,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            next: Next::Head,
            seen: 0,
            may_offer: false,
            doubt: FIRST_DOUBT,
        }
    }

    /// Tells whether what comes next is a head, as far as the gate knows.
    pub(super) fn expects_head(&self, state: &ConnectionState) -> bool {
        matches!(self.next, Next::Head) && !state.given_head().has_framing()
    }

    /// Decides about bytes, of which there is at least one.
    pub(super) fn step(&mut self, bytes: &[u8], state: &ConnectionState) -> Step {
        if let Some(framing) = state.given_head().take_framing() {
            self.next = match framing {
                Framing::Length(length) => body(length),
                Framing::Chunked => Next::Chunk(Chunks::Size),
                Framing::Unknown => Next::Unknown,
            };
        }
        match &mut self.next {
            Next::Head => self.head(bytes, state),
            Next::Body(left) => {
                let passed = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                self.next = body(*left - passed as u64);
                Step::Pass(passed)
            }
            Next::Chunk(chunks) => match chunks.advance(bytes) {
                Ok(passed) => {
                    if *chunks == Chunks::Over {
                        self.next = Next::Head;
                    }
                    Step::Pass(passed)
                }
                Err(_) => Step::Broken,
            },
            Next::Unknown => Step::Pass(bytes.len()),
        }
    }

    fn head(&mut self, bytes: &[u8], state: &ConnectionState) -> Step {
        // A server should ignore empty lines before a head (RFC 9112 §2.2).
        if let Some(b'\r' | b'\n') = bytes.first() {
            let is_blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
            return Step::Skip(bytes.iter().take_while(is_blank).count());
        }
        let look = look(bytes.split_at(self.seen).1);
        self.may_offer |= look.may_offer;
        let Some(end) = look.end else {
            return self.partial_head(bytes, state);
        };
        let end = self.seen + end;
        let may_offer = std::mem::take(&mut self.may_offer);
        (self.seen, self.doubt) = (0, FIRST_DOUBT);
        let (head, behind) = bytes.split_at(end);
        let rewritten = if may_offer || has_odd_target(head) {
            rewritten(head)
        } else {
            None
        };
        let head = rewritten.as_deref().unwrap_or(head);
        if head.len() > MOST_HEAD {
            return Step::Refuse(too_large(head));
        }
        let passed = self.give(head, behind, state);
        match rewritten {
            Some(mut head) => {
                head.extend_from_slice(behind.split_at(passed).0);
                Step::Become(end + passed, head)
            }
            None => Step::Pass(end + passed),
        }
    }

    /// Gives a head to the dispatcher, and tells how much of what is behind it goes with it.
    fn give(&mut self, head: &[u8], behind: &[u8], state: &ConnectionState) -> usize {
        let Some((passed, next)) = plain_framing(head, behind) else {
            state.given_head().give();
            return 0;
        };
        self.next = next;
        state.given_head().give_with_body();
        passed
    }

    fn partial_head(&mut self, bytes: &[u8], state: &ConnectionState) -> Step {
        // The end of what was seen may be the begin of a sign.
        self.seen = bytes.len().saturating_sub(2);
        state.note_head();
        if bytes.len() >= self.doubt {
            self.doubt = bytes.len() * 2;
            // As the dispatcher would get it, so that it finds what is wrong.
            let encoded = encoded_target(bytes);
            if !may_become_a_head(encoded.as_deref().unwrap_or(bytes)) {
                self.next = Next::Unknown;
                state.given_head().give();
                return match encoded {
                    Some(encoded) => Step::Become(bytes.len(), encoded),
                    None => Step::Pass(bytes.len()),
                };
            }
        }
        if bytes.len() < MOST_HEAD {
            Step::Wait
        } else {
            Step::Refuse(too_large(bytes))
        }
    }
}

/// What is wrong with a head of more than [`MOST_HEAD`] bytes.
fn too_large(head: &[u8]) -> HeadFault {
    let begin = head.get(..MOST_HEAD).unwrap_or(head);
    if memchr(b'\n', begin).is_none() {
        HeadFault::TargetTooLong
    } else {
        HeadFault::TooLarge
    }
}

fn may_become_a_head(bytes: &[u8]) -> bool {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    httparse::Request::new(&mut fields).parse(bytes).is_ok()
}

fn body(left: u64) -> Next {
    if left == 0 { Next::Head } else { Next::Body(left) }
}

/// How much of what has come behind a head is its body, where the head says it in the plainest way, and what comes next.
/// Whether the head is sound is not asked: the dispatcher refuses it where it says more than that.
fn plain_framing(head: &[u8], behind: &[u8]) -> Option<(usize, Next)> {
    if behind.is_empty() {
        return None;
    }
    // Most clients write these fields last.
    for line_end in memchr_iter(b'\n', head).rev() {
        let line = head.split_at(line_end + 1).1;
        if let Some(length) = value(line, b"content-length:") {
            return body_of(length, behind.len());
        }
        if let Some(coding) = value(line, b"transfer-encoding:") {
            return coding
                .eq_ignore_ascii_case(b"chunked")
                .then(|| chunks_of(behind))?;
        }
    }
    None
}

fn body_of(length: &[u8], arrived: usize) -> Option<(usize, Next)> {
    let length = length.iter().try_fold(0, |number: u64, byte| {
        let digit = char::from(*byte).to_digit(10)?;
        number.checked_mul(10)?.checked_add(digit.into())
    })?;
    let passed = usize::try_from(length).map_or(arrived, |length| length.min(arrived));
    Some((passed, body(length - passed as u64)))
}

fn chunks_of(behind: &[u8]) -> Option<(usize, Next)> {
    let mut chunks = Chunks::Size;
    let passed = chunks.advance(behind).ok()?;
    let is_over = chunks == Chunks::Over;
    Some((passed, if is_over { Next::Head } else { Next::Chunk(chunks) }))
}

/// The value of a field, where a line begins with its name, which is given in lower case.
#[inline]
fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    if line.first()?.to_ascii_lowercase() != *name.first()? {
        return None;
    }
    let (begin, value) = line.split_at_checked(name.len())?;
    let is_named = begin.eq_ignore_ascii_case(name);
    // The end of a line may be a line feed alone.
    let end = is_named.then(|| memchr(b'\n', value)).flatten()?;
    Some(value.split_at(end).0.trim_ascii())
}
