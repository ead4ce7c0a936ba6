//! Refusals of what is no request: whole answers that have what the layers give to others.
use std::time::SystemTime;

use actix_web::body::MessageBody as _;
use actix_web::http::header::HeaderMap;

use super::cors::mark_refusal;
use super::observe::Observers;
use crate::routes::answer;
use crate::server::Refused;
use crate::settings::AllowedOrigins;

/// Makes the answer and tells whoever hears of outcomes. The connection ends with it.
pub(super) fn answer(refused: &Refused, origins: &AllowedOrigins, observers: &Observers) -> Vec<u8> {
    let no_fields = HeaderMap::new();
    let fields = refused.head.as_ref().map_or(&no_fields, |head| &head.fields);
    // Its path may be unreadable. Where it is not of the API the answer varies by more than it must, which does no harm.
    let mut answer = answer::refused("/api/v1/", &refused.error);
    observers.refused(refused.error.reason());
    mark_refusal(origins, fields, answer.headers_mut());
    let (answer, body) = answer.into_parts();
    let body = body.try_into_bytes().unwrap_or_default();
    // Whoever sends nothing at all has asked for nothing, and is no line in a log.
    if let Some(head) = &refused.head {
        let bytes = body.len() as u64;
        observers.answered(
            head.method.as_deref(),
            answer.status(),
            bytes,
            refused.peer,
            fields,
        );
    }
    let is_head = refused
        .head
        .as_ref()
        .is_some_and(|head| head.method.as_deref() == Some("HEAD"));
    let mut bytes = format!(
        "HTTP/1.1 {}\r\ncontent-length: {}\r\n",
        answer.status(),
        body.len()
    )
    .into_bytes();
    for (name, value) in answer.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    let date = httpdate::fmt_http_date(SystemTime::now());
    bytes.extend_from_slice(format!("connection: close\r\ndate: {date}\r\n\r\n").as_bytes());
    if !is_head {
        bytes.extend_from_slice(&body);
    }
    bytes
}
