//! Answers: the head of an answer as HTTP/2 has it, with the fields that HTTP/1 would add and without those of its
//! connections (RFC 9113 §8.2.2).
use std::cell::RefCell;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_http::ResponseHead;
use actix_http::body::{BodySize, BoxBody};
use actix_http::header::{CONNECTION, CONTENT_LENGTH, DATE, HeaderName, TRANSFER_ENCODING, UPGRADE};
use actix_http::{Response, StatusCode};
use bytes::{BufMut as _, Bytes, BytesMut};

use crate::server::connection::readable;

/// Fields of one connection that have no constant.
const OF_A_CONNECTION: [&str; 2] = ["keep-alive", "proxy-connection"];

/// Makes the head, and tells how long the body is.
pub(super) fn head(answer: &ResponseHead, size: BodySize) -> (http::Response<()>, BodySize) {
    let mut head = http::Response::new(());
    *head.status_mut() =
        http::StatusCode::from_u16(answer.status.as_u16()).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let (size, keeps_length) = match answer.status {
        StatusCode::NO_CONTENT => (BodySize::None, false),
        StatusCode::NOT_MODIFIED => (BodySize::None, true),
        _ => (size, false),
    };
    let fields = head.headers_mut();
    fields.reserve(answer.headers().len() + 2);
    if let BodySize::Sized(length) = size {
        fields.insert(http::header::CONTENT_LENGTH, length.into());
    }
    let mut values = BytesMut::with_capacity(answer.headers().iter().map(|(_, value)| value.len()).sum());
    for (name, value) in answer.headers() {
        if is_left_out(name) || (*name == CONTENT_LENGTH && !keeps_length) {
            continue;
        }
        values.put_slice(value.as_bytes());
        let value = values.split().freeze();
        if let (Ok(name), Ok(value)) = (
            http::HeaderName::from_bytes(name.as_str().as_bytes()),
            http::HeaderValue::from_maybe_shared(value),
        ) {
            fields.append(name, value);
        }
    }
    if !answer.headers().contains_key(DATE) {
        fields.insert(http::header::DATE, date());
    }
    (head, size)
}

fn is_left_out(name: &HeaderName) -> bool {
    [CONNECTION, TRANSFER_ENCODING, UPGRADE].contains(name) || OF_A_CONNECTION.contains(&name.as_str())
}

/// The date of now, which is written once a second on each thread.
fn date() -> http::HeaderValue {
    thread_local! {
        static WRITTEN: RefCell<Option<(u64, http::HeaderValue)>> = const { RefCell::new(None) };
    }
    let now = SystemTime::now();
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    WRITTEN.with_borrow_mut(|written| match written {
        Some((of, date)) if *of == second => date.clone(),
        _ => {
            let date = http::HeaderValue::from_maybe_shared(Bytes::from(httpdate::fmt_http_date(now)))
                // It is text; an empty field would be no date at all.
                .unwrap_or_else(|_| http::HeaderValue::from_static(""));
            *written = Some((second, date.clone()));
            date
        }
    })
}

/// Takes an answer of HTTP/1 apart, as refusals are written.
pub(super) fn parsed(answer: &[u8]) -> Response<BoxBody> {
    let mut fields = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Response::new(&mut fields);
    let Ok(httparse::Status::Complete(length)) = parsed.parse(answer) else {
        return Response::new(StatusCode::BAD_REQUEST);
    };
    let status = parsed.code.and_then(|code| StatusCode::from_u16(code).ok());
    let body = Bytes::copy_from_slice(answer.split_at(length).1);
    let mut response = Response::with_body(status.unwrap_or(StatusCode::BAD_REQUEST), BoxBody::new(body));
    *response.headers_mut() = readable(parsed.headers);
    response
}

#[cfg(test)]
mod tests {
    use actix_http::header::{CONTENT_TYPE, HeaderValue, VARY};

    use super::*;

    fn answer(status: StatusCode, fields: &[(HeaderName, &'static str)]) -> Response<BoxBody> {
        let mut answer = Response::new(status);
        for (name, value) in fields {
            answer
                .headers_mut()
                .append(name.clone(), HeaderValue::from_static(value));
        }
        answer
    }

    fn lines(answer: &Response<BoxBody>, size: BodySize) -> Vec<String> {
        let (head, _) = head(answer.head(), size);
        let mut lines: Vec<_> = head
            .headers()
            .iter()
            .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
            .filter(|line| !line.starts_with("date: "))
            .collect();
        lines.sort();
        assert_eq!(head.headers().get_all("date").iter().count(), 1);
        lines
    }

    #[test]
    fn fields_of_a_connection_stay_out() {
        let answer = answer(
            StatusCode::OK,
            &[
                (CONTENT_TYPE, "application/json"),
                (VARY, "Accept-Encoding"),
                (VARY, "Origin"),
                (CONNECTION, "close"),
                (TRANSFER_ENCODING, "chunked"),
                (CONTENT_LENGTH, "7"),
                (HeaderName::from_static("keep-alive"), "timeout=5"),
            ],
        );
        let kept = [
            "content-type: application/json",
            "vary: Accept-Encoding",
            "vary: Origin",
        ];
        assert_eq!(lines(&answer, BodySize::Stream), kept);
        let with_length = [&["content-length: 12"][..], &kept].concat();
        assert_eq!(lines(&answer, BodySize::Sized(12)), with_length);
    }

    #[test]
    fn a_status_without_a_body_has_no_length_of_its_own() {
        assert!(lines(&answer(StatusCode::NO_CONTENT, &[]), BodySize::Sized(0)).is_empty());
        assert!(lines(&answer(StatusCode::NOT_MODIFIED, &[]), BodySize::Sized(0)).is_empty());
        assert_eq!(
            lines(&answer(StatusCode::OK, &[]), BodySize::Sized(0)),
            ["content-length: 0"]
        );
    }

    #[test]
    fn a_refusal_is_the_same() {
        let refusal = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 2\r\nvary: a\r\nvary: b\r\nconnection: close\r\n\r\n{}";
        let answer = parsed(refusal);
        assert_eq!(answer.status(), StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
        assert_eq!(
            lines(&answer, BodySize::Sized(2)),
            ["content-length: 2", "vary: a", "vary: b"]
        );
    }
}
