//! The head of an answer, as awc is to read it; pure.
use httparse::{EMPTY_HEADER, Header, ParserConfig, Response, Status};

use crate::upstream::Fault;

/// Bytes of one head, as nginx and HAProxy allow some 8 to 32 KiB of them by default.
pub(super) const MOST_BYTES: usize = 64 * 1024;
/// Fields of one head. HAProxy passes 101 by default; cookies and policies that gateways add come to dozens.
const MOST_FIELDS: usize = 512;
/// What awc reads, less what is added here.
const MOST_HANDED_ON: usize = 90;

/// What callers read of an answer, beside its status and how its body is framed. By those that begin with `x-`, `cf-ray` and
/// `server` a journal knows what stands between.
const READ: [&str; 15] = [
    "age",
    "cf-ray",
    "content-encoding",
    "content-type",
    "date",
    "link",
    "location",
    "retry-after",
    "server",
    "x-amz-cf-id",
    "x-amzn-waf-action",
    "x-azure-ref",
    "x-iinfo",
    "x-squid-error",
    "x-sucuri-id",
];

/// A head that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Head {
    /// An interim answer (RFC 9110, 15.2): the final one follows.
    Interim,
    /// The final answer.
    Final {
        /// A head of the same meaning, as awc reads it.
        text: Vec<u8>,
        /// The body has neither length nor chunks (RFC 9112, 6.3, item 8).
        ends_with_connection: bool,
    },
}

/// How a body ends.
#[derive(Debug, PartialEq, Eq)]
enum Framing {
    None,
    Length(u64),
    Chunks,
    Connection,
}

/// The place after the first empty line, of which the bytes up to `from` hold no part but the last two.
pub(super) fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let from = from.saturating_sub(2);
    let mut rest = bytes.get(from..)?;
    loop {
        let newline = memchr::memchr(b'\n', rest)?;
        rest = rest.get(newline + 1..)?;
        let length = match rest {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => continue,
        };
        return Some(bytes.len() - rest.len() + length);
    }
}

/// Reads a whole head.
///
/// # Errors
/// What about it cannot be read.
pub(super) fn read(bytes: &[u8]) -> Result<Head, Fault> {
    let mut fields = [EMPTY_HEADER; MOST_FIELDS];
    let mut head = Response::new(&mut fields);
    let mut config = ParserConfig::default();
    config
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true);
    match config.parse_response(&mut head, bytes) {
        Ok(Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Fault::TooManyFields),
        Ok(Status::Partial) | Err(_) => return Err(Fault::NotHttp),
    }
    let (Some(status), Some(minor_version)) = (head.code, head.version) else {
        return Err(Fault::NotHttp);
    };
    // No status is less (RFC 9110, 15); it would be handed on with fewer digits than three.
    if status < 100 {
        return Err(Fault::NotHttp);
    }
    // 101 was not asked for, and nothing of HTTP would follow it.
    if (100..200).contains(&status) && status != 101 {
        return Ok(Head::Interim);
    }
    final_head(status, minor_version, head.headers)
}

fn final_head(status: u16, minor_version: u8, fields: &[Header<'_>]) -> Result<Head, Fault> {
    let framing = framing(status, fields)?;
    let ends_with_connection = framing == Framing::Connection;
    // awc reads a body to the connection's end in HTTP/1.0 alone.
    let version = if ends_with_connection { '0' } else { '1' };
    let mut text = format!("HTTP/1.{version} {status} \r\n").into_bytes();
    match framing {
        Framing::Length(length) => text.extend_from_slice(format!("content-length: {length}\r\n").as_bytes()),
        Framing::Chunks => text.extend_from_slice(b"transfer-encoding: chunked\r\n"),
        Framing::None | Framing::Connection => {}
    }
    if !is_kept(minor_version, fields, &framing) {
        text.extend_from_slice(b"connection: close\r\n");
    }
    let read = fields
        .iter()
        .filter(|field| READ.iter().any(|name| field.name.eq_ignore_ascii_case(name)));
    if read.clone().count() > MOST_HANDED_ON {
        return Err(Fault::TooManyFields);
    }
    for field in read {
        text.extend_from_slice(field.name.as_bytes());
        text.extend_from_slice(b": ");
        // A value over several lines is one with spaces (RFC 9112, 5.2).
        text.extend(field.value.iter().map(|&byte| match byte {
            b'\r' | b'\n' => b' ',
            other => other,
        }));
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
    Ok(Head::Final {
        text,
        ends_with_connection,
    })
}

/// RFC 9112, 6.3, for the answer to a GET.
fn framing(status: u16, fields: &[Header<'_>]) -> Result<Framing, Fault> {
    if matches!(status, 204 | 304) {
        return Ok(Framing::None);
    }
    let codings =
        elements(fields, "transfer-encoding").filter(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    let mut is_chunked = false;
    for coding in codings {
        if is_chunked || !coding.eq_ignore_ascii_case(b"chunked") {
            return Err(Fault::TransferCoding);
        }
        is_chunked = true;
    }
    if is_chunked {
        return Ok(Framing::Chunks);
    }
    let mut length = None;
    // The same number again is as one (RFC 9110, 8.6).
    for element in elements(fields, "content-length") {
        let element = number(element).ok_or(Fault::UnreadableLength)?;
        if length.is_some_and(|length| length != element) {
            return Err(Fault::UnreadableLength);
        }
        length = Some(element);
    }
    Ok(length.map_or(Framing::Connection, Framing::Length))
}

/// Whether another request may follow on the connection (RFC 9112, 9.3).
fn is_kept(minor_version: u8, fields: &[Header<'_>], framing: &Framing) -> bool {
    let says = |what: &[u8]| elements(fields, "connection").any(|option| option.eq_ignore_ascii_case(what));
    // With chunks and a length, somebody between may have read another body (RFC 9112, 6.3, item 3).
    let is_ambiguous = *framing == Framing::Chunks && elements(fields, "content-length").next().is_some();
    *framing != Framing::Connection
        && !is_ambiguous
        && !says(b"close")
        && (minor_version > 0 || says(b"keep-alive"))
}

/// The elements of a field that is a list, over all its lines.
fn elements<'h>(fields: &'h [Header<'h>], name: &'static str) -> impl Iterator<Item = &'h [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .flat_map(|field| field.value.split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
}

/// Digits alone, unlike `str::parse`.
fn number(digits: &[u8]) -> Option<u64> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// What holds of every head: where it ends does not depend on how its bytes come; what is handed on is a head of the same status,
/// and is read as itself.
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::upstream) fn fuzz(data: &[u8]) {
    let whole = end(data, 0);
    let by_parts = (0..=data.len()).find_map(|length| end(data.split_at(length).0, length.saturating_sub(1)));
    assert_eq!(whole, by_parts, "another end");
    let bytes = whole.map_or(data, |end| data.split_at(end).0);
    let Ok(Head::Final {
        text,
        ends_with_connection,
    }) = read(bytes)
    else {
        return;
    };
    assert_eq!(end(&text, 0), Some(text.len()), "the end of what is handed on");
    let again = read(&text);
    let again = match &again {
        Ok(Head::Final {
            ends_with_connection, ..
        }) => Some(*ends_with_connection),
        _ => None,
    };
    assert_eq!(again, Some(ends_with_connection), "another framing");
}

#[cfg(test)]
mod tests;
