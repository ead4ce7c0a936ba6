//! Requests: a head that came over HTTP/2 becomes what the same head would be over HTTP/1, within the same limits.
//!
//! The library refuses what is malformed (RFC 9113 §8.1.1) by a reset of its stream: pseudo-header fields that are
//! missing, repeated or out of place, fields of HTTP/1's connections, a `Content-Length` that is not the body's, and
//! targets that http's `Uri` does not take. What its decoder of fields does not take ends the connection (GOAWAY,
//! `PROTOCOL_ERROR`), since nothing behind it is decoded: names that are empty or have upper case, blanks or control
//! characters, values with control characters, methods that are none, pseudo-header fields that nobody knows. What is left
//! is decided here, and gets an answer.
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::h2::RecvStream;
use actix_http::error::PayloadError;
use actix_http::header::{CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, HeaderValue};
use actix_http::{Method, Payload, Request, Uri, Version};
use bytes::{BufMut as _, Bytes, BytesMut};
use futures::Stream;
use http::request::Parts;

use crate::error::HeadFault;
use crate::server::connection::{MOST_FIELDS, MOST_HEAD, ReadHead, encoded};

/// What a field takes on a line of its own besides its name and its value, as it would over HTTP/1.
const LINE: usize = ": \r\n".len();

/// A request, and what is not part of it.
pub(super) struct Received {
    /// The request, with its body.
    pub request: Request,
    /// The bytes of its head.
    pub head: usize,
    /// Whether its client waits to be told to send the body.
    pub expects_continue: bool,
}

/// Why a request is refused, and what can be read of it.
pub(super) type RefusedHead = Box<(HeadFault, ReadHead)>;

/// Makes a request.
///
/// # Errors
/// Where its head has too much of something, or says two things.
pub(super) fn receive(received: http::Request<RecvStream>) -> Result<Received, RefusedHead> {
    let (head, body) = received.into_parts();
    let refused = |fault| {
        let method = Some(head.method.as_str().to_owned());
        let fields = headers(&head).unwrap_or_default();
        Box::new((fault, ReadHead { method, fields }))
    };
    let bytes = size(&head);
    if bytes > MOST_HEAD {
        return Err(refused(HeadFault::TooLarge));
    }
    if head.headers.len() > MOST_FIELDS {
        return Err(refused(HeadFault::TooManyFields));
    }
    let uri = uri(&head).ok_or_else(|| refused(HeadFault::Target))?;
    let method =
        Method::from_bytes(head.method.as_str().as_bytes()).map_err(|_| refused(HeadFault::NotHttp))?;
    let fields = headers(&head).map_err(refused)?;
    let expects_continue = fields
        .get(EXPECT)
        .is_some_and(|expected| expected.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    let payload: Payload = if body.is_end_stream() {
        Payload::None
    } else {
        Payload::Stream {
            payload: Box::pin(Body(body)),
        }
    };
    let has_body = !matches!(payload, Payload::None);
    let mut request = Request::with_payload(payload);
    let made = request.head_mut();
    made.uri = uri;
    made.method = method;
    made.version = Version::HTTP_2;
    made.headers = fields;
    Ok(Received {
        request,
        head: bytes,
        expects_continue: expects_continue && has_body,
    })
}

/// How many bytes the head would have over HTTP/1, about.
fn size(head: &Parts) -> usize {
    let target = head
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let authority = head
        .uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let field =
        |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + LINE;
    target + authority + head.headers.iter().map(field).sum::<usize>()
}

/// The target in origin form. Which host is meant is said by `Host`, as over HTTP/1; CONNECT alone has nothing else.
fn uri(head: &Parts) -> Option<Uri> {
    let Some(target) = head.uri.path_and_query() else {
        return Uri::try_from(head.uri.authority()?.as_str()).ok();
    };
    let target = target.as_str();
    match encoded(target.as_bytes()) {
        Some(encoded) => Uri::from_maybe_shared(Bytes::from(encoded)).ok(),
        None => Uri::try_from(target).ok(),
    }
}

/// The fields, with the values in one allocation. Blanks around a value are no part of it, as over HTTP/1.
fn headers(head: &Parts) -> Result<HeaderMap, HeadFault> {
    let authority = head.uri.authority().map(http::uri::Authority::as_str);
    let mut hosts = head.headers.get_all(http::header::HOST).iter();
    let host = match (authority, hosts.next(), hosts.next()) {
        (None, None, _) => return Err(HeadFault::NoHost),
        (_, _, Some(_)) => return Err(HeadFault::TwoHosts),
        // RFC 9113 §8.3.1: they are one and the same, in any case (RFC 9110 §4.2.3), or the request says two things.
        (Some(authority), Some(host), None)
            if !authority.as_bytes().eq_ignore_ascii_case(host.as_bytes()) =>
        {
            return Err(HeadFault::TwoHosts);
        }
        (Some(authority), _, None) => authority.as_bytes(),
        (None, Some(host), None) => host.as_bytes(),
    };
    if head.headers.get_all(http::header::CONTENT_LENGTH).iter().count() > 1 {
        return Err(HeadFault::Length);
    }
    let mut values = Values::of(head, host);
    let mut fields = HeaderMap::with_capacity(head.headers.keys_len() + 1);
    fields.append(HOST, values.next(host)?);
    for name in head.headers.keys() {
        let all = head.headers.get_all(name).iter();
        if name == http::header::HOST {
            continue;
        }
        if name == http::header::COOKIE {
            // They may come in crumbs (RFC 9113 §8.2.3).
            let cookie = all
                .map(http::HeaderValue::as_bytes)
                .collect::<Vec<_>>()
                .join(&b"; "[..]);
            fields.append(
                COOKIE,
                HeaderValue::from_bytes(&cookie).map_err(|_| HeadFault::Field)?,
            );
            continue;
        }
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).map_err(|_| HeadFault::Field)?;
        for value in all {
            fields.append(name.clone(), values.next(value.as_bytes())?);
        }
    }
    let is_number = |length: &HeaderValue| length.as_bytes().iter().all(u8::is_ascii_digit);
    if !fields.get(CONTENT_LENGTH).is_none_or(is_number) {
        return Err(HeadFault::Length);
    }
    Ok(fields)
}

/// Values that share one allocation.
struct Values(BytesMut);

impl Values {
    fn of(head: &Parts, host: &[u8]) -> Self {
        let bytes = head.headers.values().map(http::HeaderValue::len).sum::<usize>();
        Self(BytesMut::with_capacity(bytes + host.len()))
    }

    fn next(&mut self, value: &[u8]) -> Result<HeaderValue, HeadFault> {
        self.0.put_slice(value.trim_ascii());
        let value = self.0.split().freeze();
        HeaderValue::from_maybe_shared(value).map_err(|_| HeadFault::Field)
    }
}

/// The body of a request. What is taken of it makes room for more; what is not bounds it.
struct Body(RecvStream);

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = &mut self.get_mut().0;
        let piece = match ready!(body.poll_data(cx)) {
            Some(Ok(piece)) => piece,
            // The library knows why; to its reader it has ended early.
            Some(Err(_)) => return Poll::Ready(Some(Err(PayloadError::Incomplete(None)))),
            None => return Poll::Ready(None),
        };
        let released = body.flow_control().release_capacity(piece.len());
        Poll::Ready(Some(
            released
                .map(|()| piece)
                .map_err(|_| PayloadError::Incomplete(None)),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(authority: Option<&str>, target: &str, fields: &[(&str, &str)]) -> Parts {
        let mut uri = http::uri::Parts::default();
        uri.path_and_query = Some(target.parse().unwrap());
        if let Some(authority) = authority {
            uri.authority = Some(authority.parse().unwrap());
            uri.scheme = Some(http::uri::Scheme::HTTP);
        }
        let mut request = http::Request::builder().uri(http::Uri::from_parts(uri).unwrap());
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn lines(head: &Parts) -> Result<Vec<String>, HeadFault> {
        let fields = headers(head)?;
        let mut lines: Vec<_> = fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .collect();
        lines.sort();
        Ok(lines)
    }

    #[test]
    fn fields_are_those_of_http_1() {
        let given = head(
            Some("proxy:8000"),
            "/api/v1/flags/",
            &[
                ("x-environment-key", " key\t"),
                ("cookie", "a=1"),
                ("cookie", "b=2"),
                ("accept", "x"),
                ("accept", "y"),
                ("content-length", "12"),
            ],
        );
        assert_eq!(
            lines(&given).unwrap(),
            [
                "accept: x",
                "accept: y",
                "content-length: 12",
                "cookie: a=1; b=2",
                "host: proxy:8000",
                "x-environment-key: key"
            ]
        );
    }

    #[test]
    fn a_host_is_said_once() {
        let hosts = |authority, hosts: &[(&str, &str)]| lines(&head(authority, "/", hosts));
        assert_eq!(hosts(None, &[("host", "a")]).unwrap(), ["host: a"]);
        assert_eq!(hosts(Some("a"), &[("host", "a")]).unwrap(), ["host: a"]);
        assert_eq!(hosts(Some("a"), &[("host", "b")]), Err(HeadFault::TwoHosts));
        assert_eq!(hosts(None, &[]), Err(HeadFault::NoHost));
        let twice = [("host", "a"), ("host", "a")];
        assert_eq!(hosts(None, &twice), Err(HeadFault::TwoHosts));
        assert_eq!(hosts(Some("a"), &twice), Err(HeadFault::TwoHosts));
    }

    #[test]
    fn a_length_is_said_once_and_is_a_number() {
        for lengths in [
            &[("content-length", "1"), ("content-length", "1")][..],
            &[("content-length", "+1")],
        ] {
            assert_eq!(lines(&head(Some("a"), "/", lengths)), Err(HeadFault::Length));
        }
    }

    #[test]
    fn odd_targets_are_encoded() {
        for (given, expected) in [
            ("/flags/?identifier=\u{e9}", "/flags/?identifier=%C3%A9"),
            ("/a\"b", "/a%22b"),
            ("//a//b?c=//d", "//a//b?c=//d"),
            ("*", "*"),
        ] {
            assert_eq!(uri(&head(Some("a"), given, &[])).unwrap().to_string(), expected);
        }
    }
}
