//! Heads that the dispatcher would not read as they are meant, written anew.
//!
//! # Offers to upgrade
//! A server ignores them (RFC 9110 §7.8). actix-http answers them with `connection: upgrade`, ends the connection after
//! that, and with `Upgrade: websocket` reads the body up to the connection's end. Java's client offers h2c with every
//! request, and an nginx with the usual lines for websockets passes its clients' offers on.
//!
//! # Targets
//! `curl` sends what it is given: `?identifier=é`, `"` and `<` are not written as RFC 3986 has it, and what is meant is
//! clear all the same. http's `Uri` refuses some of those bytes; here they become percent-encoded.
use std::borrow::Cow;

use memchr::memchr;

use super::MOST_FIELDS;

/// The target of most requests ends within so many bytes.
const NEAR: usize = 64;

/// Tells whether the target has bytes that http's `Uri` refuses. Mostly one look at the head's begin says that it has not.
pub(super) fn has_odd_target(head: &[u8]) -> bool {
    if let Some(near) = head.first_chunk::<NEAR>() {
        // Without branches, so that the compiler makes vector instructions of it.
        let is_odd = near.iter().fold(false, |any, byte| any | is_odd_byte(*byte));
        let has_line = near.iter().fold(false, |any, byte| any | (*byte == b'\n'));
        if has_line && !is_odd {
            return false;
        }
    }
    target(head).is_some_and(|(_, target, _)| target.iter().any(|byte| is_odd_byte(*byte)))
}

/// Parts a head, or the begin of one, into its method, its target with all that follows on the line, and its fields.
fn target(head: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (line, fields) = head.split_at(memchr(b'\n', head).unwrap_or(head.len()));
    let (method, target) = line.split_at(memchr(b' ', line)?);
    Some((method, target, fields))
}

const fn is_odd_byte(byte: u8) -> bool {
    (byte >= 0x80) | (byte == b'"') | (byte == b'<') | (byte == b'>') | (byte == b'`')
}

/// Writes a head anew; `None`: it may stay as it is, or nobody can read it.
pub(super) fn rewritten(head: &[u8]) -> Option<Vec<u8>> {
    let encoded = encoded_target(head);
    without_offer(encoded.as_deref().unwrap_or(head)).or(encoded)
}

/// Takes an offer to upgrade out of a head; `None`: there is none.
fn without_offer(head: &[u8]) -> Option<Vec<u8>> {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let is_whole = request.parse(head).is_ok_and(|read| read.is_complete());
    if !is_whole || !request.headers.iter().any(is_of_an_offer) {
        return None;
    }
    let mut bare = Vec::with_capacity(head.len());
    bare.extend_from_slice(head.split_at(memchr(b'\n', head)? + 1).0);
    for field in request.headers.iter() {
        let Some(value) = kept_value(field) else { continue };
        bare.extend_from_slice(field.name.as_bytes());
        bare.extend_from_slice(b": ");
        bare.extend_from_slice(&value);
        bare.extend_from_slice(b"\r\n");
    }
    bare.extend_from_slice(b"\r\n");
    Some(bare)
}

/// Percent-encodes what `Uri` refuses in the target of a head; `None`: nothing of it.
pub(super) fn encoded_target(head: &[u8]) -> Option<Vec<u8>> {
    let (method, target, fields) = target(head)?;
    Some([method, &encoded(target)?, fields].concat())
}

/// Percent-encodes what `Uri` refuses in a target; `None`: nothing of it.
pub(in crate::server) fn encoded(target: &[u8]) -> Option<Vec<u8>> {
    let odd = target.iter().filter(|byte| is_odd_byte(**byte)).count();
    if odd == 0 {
        return None;
    }
    let mut encoded = Vec::with_capacity(target.len() + 2 * odd);
    for byte in target {
        if is_odd_byte(*byte) {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            encoded.push(*byte);
        }
    }
    Some(encoded)
}

fn is_connection(field: &httparse::Header<'_>) -> bool {
    field.name.eq_ignore_ascii_case("connection")
}

/// `HTTP2-Settings` belongs to the offer of h2c (RFC 7540 §3.2.1).
fn is_dropped(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"upgrade") || name.eq_ignore_ascii_case(b"http2-settings")
}

fn is_of_an_offer(field: &httparse::Header<'_>) -> bool {
    is_dropped(field.name.as_bytes()) || (is_connection(field) && options(field.value).any(is_dropped))
}

fn options(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// The value of a field without what belongs to the offer; `None`: all of the field does.
fn kept_value<'a>(field: &httparse::Header<'a>) -> Option<Cow<'a, [u8]>> {
    if is_dropped(field.name.as_bytes()) {
        return None;
    }
    if !is_connection(field) {
        return Some(Cow::Borrowed(field.value));
    }
    let kept: Vec<&[u8]> = options(field.value)
        .filter(|option| !is_dropped(option))
        .collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join(&b", "[..])))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(head: &str) -> Option<String> {
        rewritten(head.as_bytes()).map(|head| String::from_utf8(head).unwrap())
    }

    #[test]
    fn offers_are_taken_out_and_the_rest_stays() {
        for (head, expected) in [
            (
                "GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nHost: p\r\nHTTP2-Settings: AAEAA\r\nUpgrade: h2c\r\n\r\n",
                "GET / HTTP/1.1\r\nHost: p\r\n\r\n",
            ),
            (
                "POST /a HTTP/1.1\r\nHost: p\r\nConnection: keep-alive, uPgRaDe\r\nX: upgrade\r\n\r\n",
                "POST /a HTTP/1.1\r\nHost: p\r\nConnection: keep-alive\r\nX: upgrade\r\n\r\n",
            ),
            (
                "GET / HTTP/1.0\nUPGRADE: websocket\nConnection: close\nConnection: upgrade\n\n",
                "GET / HTTP/1.0\nConnection: close\r\n\r\n",
            ),
            (
                "GET /?a=\u{e9} HTTP/1.1\r\nConnection: upgrade\r\n\r\n",
                "GET /?a=%C3%A9 HTTP/1.1\r\n\r\n",
            ),
        ] {
            assert_eq!(text(head).as_deref(), Some(expected));
            assert_eq!(text(expected), None);
        }
    }

    #[test]
    fn odd_bytes_of_a_target_are_encoded_and_those_of_fields_are_not() {
        let behind = " HTTP/1.1\r\nIf-None-Match: \"a\"\r\nX: \u{e9}\r\n\r\n";
        for padding in [0, 10, 50, 100] {
            let padding = "x".repeat(padding);
            for (odd, encoded) in [("\u{e9}", "%C3%A9"), ("\"<>`", "%22%3C%3E%60")] {
                let head = format!("GET /?{padding}{odd}{padding}{behind}");
                assert!(has_odd_target(head.as_bytes()));
                assert_eq!(
                    text(&head),
                    Some(format!("GET /?{padding}{encoded}{padding}{behind}"))
                );
            }
            assert!(!has_odd_target(format!("GET /?{padding}{behind}").as_bytes()));
        }
    }

    #[test]
    fn what_nobody_can_read_stays() {
        assert_eq!(text("GET / HTTP/1.1\r\nno field\r\nUpgrade: h2c\r\n\r\n"), None);
        assert_eq!(text("GET / HTTP/1.1\r\nX-Page: pg.jpg\r\n\r\n"), None);
    }
}
