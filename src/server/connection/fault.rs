//! Why the dispatcher refused a head: it does not tell, so the head is read again, by the same rules.
use actix_web::http::Uri;
use actix_web::http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};

use crate::error::HeadFault;

use super::gate::MOST_FIELDS;

/// The longest target that http's `Uri` takes.
const MOST_TARGET: usize = 65_534;

/// The first byte of a TLS record that begins a handshake (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What can be read of a head that is refused.
#[derive(Debug, Default)]
pub(crate) struct ReadHead {
    /// The method; `None` where not even that can be read.
    pub method: Option<String>,
    /// The fields before the one that cannot be read.
    pub fields: HeaderMap,
}

/// Reads what can be read of a head, and finds what is wrong with it.
pub(super) fn read_refused(head: &[u8]) -> (ReadHead, HeadFault) {
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let outcome = request.parse(head);
    let read = ReadHead {
        method: request.method.map(str::to_owned),
        fields: readable(request.headers),
    };
    let fault = match outcome {
        Err(error) => unreadable(error, head, &read),
        Ok(_) => unacceptable(&request, &read),
    };
    (read, fault)
}

/// The fields of a head that can be read.
pub(in crate::server) fn readable(fields: &[httparse::Header<'_>]) -> HeaderMap {
    let mut readable = HeaderMap::new();
    for field in fields {
        if let Ok(name) = HeaderName::from_bytes(field.name.as_bytes())
            && let Ok(value) = HeaderValue::from_bytes(field.value)
        {
            readable.append(name, value);
        }
    }
    readable
}

fn unreadable(error: httparse::Error, head: &[u8], read: &ReadHead) -> HeadFault {
    match error {
        _ if head.first() == Some(&TLS_HANDSHAKE) => HeadFault::Tls,
        httparse::Error::TooManyHeaders => HeadFault::TooManyFields,
        httparse::Error::Version if read.method.is_some() => HeadFault::Version,
        httparse::Error::HeaderName | httparse::Error::HeaderValue => HeadFault::Field,
        httparse::Error::Token if read.method.is_some() => HeadFault::Target,
        _ => HeadFault::NotHttp,
    }
}

/// Follows actix-http's decoder.
fn unacceptable(request: &httparse::Request<'_, '_>, read: &ReadHead) -> HeadFault {
    let target = request.path.unwrap_or_default();
    let is_current = request.version == Some(1);
    let count = |name| read.fields.get_all(name).count();
    let length = read.fields.get(CONTENT_LENGTH);
    let is_number = |value: &HeaderValue| {
        let text = value.to_str().map(str::trim).unwrap_or_default();
        !text.starts_with('+') && text.parse::<u64>().is_ok()
    };
    if target.len() > MOST_TARGET {
        HeadFault::TargetTooLong
    } else if target.parse::<Uri>().is_err() {
        HeadFault::Target
    } else if count(CONTENT_LENGTH) > 1 || length.is_some_and(|value| !is_number(value)) {
        HeadFault::Length
    } else if count(HOST) > 1 {
        HeadFault::TwoHosts
    } else if is_current && count(HOST) == 0 {
        HeadFault::NoHost
    } else if count(TRANSFER_ENCODING) > 0 {
        let is_chunked = |value: &HeaderValue| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
        let is_understood = count(TRANSFER_ENCODING) == 1
            && is_current
            && read.fields.get(TRANSFER_ENCODING).is_some_and(is_chunked);
        match (is_understood, length) {
            (true, Some(_)) => HeadFault::LengthAndTransferEncoding,
            (true, None) => HeadFault::Other,
            (false, _) => HeadFault::TransferEncoding,
        }
    } else if !is_current && request.method == Some("POST") && length.is_none() {
        HeadFault::NoLength
    } else {
        HeadFault::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fault_is_named() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: p\r\n\r\n", "x".repeat(MOST_TARGET));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: 1\r\n".repeat(MOST_FIELDS + 1));
        let cases = [
            ("\u{1}\u{2}\r\n\r\n", HeadFault::NotHttp),
            ("\u{16}\u{3}\u{1}\u{2}", HeadFault::Tls),
            ("PRI * HTTP/2.0\r\n\r\n", HeadFault::Version),
            ("GET /\u{7f} HTTP/1.1\r\nHost: p\r\n\r\n", HeadFault::Target),
            (&long, HeadFault::TargetTooLong),
            (&many, HeadFault::TooManyFields),
            ("GET / HTTP/1.1\r\nnonsense\r\n\r\n", HeadFault::Field),
            ("GET / HTTP/1.1\r\n\r\n", HeadFault::NoHost),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
                HeadFault::TwoHosts,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
                HeadFault::Length,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
                HeadFault::Length,
            ),
            (
                "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                HeadFault::Length,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
                HeadFault::TransferEncoding,
            ),
            (
                "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
                HeadFault::TransferEncoding,
            ),
            (
                "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
                HeadFault::LengthAndTransferEncoding,
            ),
            ("POST / HTTP/1.0\r\n\r\n", HeadFault::NoLength),
        ];
        for (head, expected) in cases {
            assert_eq!(read_refused(head.as_bytes()).1, expected, "{head:?}");
        }
    }

    #[test]
    fn what_can_be_read_is_read() {
        let (read, _) = read_refused(b"HEAD / HTTP/1.1\r\nOrigin: https://a\r\nnonsense\r\n\r\n");
        assert_eq!(read.method.as_deref(), Some("HEAD"));
    }
}
