//! `http/protobuf`: a POST a message (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>).
use std::io::Write as _;
use std::time::Duration;

use actix_web::http::Uri;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use actors::upstream::{UpstreamClient, UpstreamOptions};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Refusal;
use super::refusal::WHICH_PROTOCOL;

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Sends to one URL.
pub(super) struct Http {
    client: UpstreamClient,
    url: Uri,
}

impl Http {
    pub(super) fn new(options: &UpstreamOptions, url: Uri, connect_timeout: Duration) -> Self {
        Self {
            client: options.client(&url, connect_timeout),
            url,
        }
    }

    pub(super) async fn send(&self, message: &Bytes, gzip: bool) -> Result<Bytes, Refusal> {
        let mut fields = vec![(CONTENT_TYPE, PROTOBUF)];
        let body = if gzip {
            fields.push((CONTENT_ENCODING, GZIP));
            compressed(message)
        } else {
            message.clone()
        };
        let answer = self.client.deliver(&self.url, &fields, &body).await?;
        match answer.status {
            200..300 => Ok(answer.body),
            status @ (429 | 502 | 503 | 504) => Err(Refusal::passing(
                format!("it answers {status}"),
                answer.retry_after,
            )),
            status @ (401 | 403) => Err(Refusal::last(format!(
                "it answers {status}; check OTEL_EXPORTER_OTLP_HEADERS"
            ))),
            status @ (404 | 405 | 415) => Err(Refusal::last(format!(
                "it answers {status}; check the endpoint's path (/v1/traces and /v1/metrics are put behind \
                 OTEL_EXPORTER_OTLP_ENDPOINT, and nothing behind a signal's own); {WHICH_PROTOCOL}"
            ))),
            status @ (400 | 422) => Err(Refusal::of_message(format!("it answers {status}"))),
            status => Err(Refusal::last(format!("it answers {status}"))),
        }
    }
}

/// The message in gzip.
pub(super) fn compressed(message: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Neither fails: it is written into memory.
    let _ = encoder.write_all(message);
    encoder.finish().unwrap_or_default().into()
}
