//! Asking a collector as the exporter does, with a message that holds nothing: what is wrong shows, and nothing is kept there.
use std::path::Path;
use std::time::Duration;

use actix_web::http::Uri;
use actors::upstream::{Fault, UpstreamOptions};
use bytes::Bytes;
use tokio::time::Instant;

use super::{CONNECTING, Destination, GrpcMethod, Refusal, grpc};
use crate::settings::OtlpProtocol;

impl Destination {
    /// How it is reached.
    pub(crate) fn options(&self) -> &UpstreamOptions {
        &self.options
    }

    /// Which protocol it is sent by.
    pub(crate) fn protocol(&self) -> OtlpProtocol {
        self.export.protocol
    }

    /// The file of root certificates that are trusted in place of others.
    pub(crate) fn certificate(&self) -> Option<&Path> {
        self.export.certificate.as_deref()
    }

    /// What connecting may take.
    pub(crate) fn connect_timeout(&self) -> Duration {
        self.export.timeout.mul_f64(CONNECTING)
    }

    /// The path that takes it.
    pub(crate) fn path(&self, method: GrpcMethod) -> String {
        match self.export.protocol {
            OtlpProtocol::Grpc => method.path().to_owned(),
            OtlpProtocol::HttpProtobuf => {
                let url: Option<Uri> = self.export.url.parse().ok();
                url.map_or_else(String::new, |url| url.path().to_owned())
            }
        }
    }

    /// Sends a message without a span or a figure, which servers are to take
    /// (<https://opentelemetry.io/docs/specs/otlp/#full-success>). It is of no bytes: also what a resource says of itself is kept by
    /// some. Waits as long as for any message.
    ///
    /// # Errors
    /// Why it is not taken.
    pub(crate) async fn offer_nothing(self, method: GrpcMethod) -> Result<(), Refusal> {
        let until = Instant::now() + self.export.timeout;
        self.connect().send(method, &Bytes::new(), until).await.map(drop)
    }
}

/// Opens a connection as the exporter of this protocol does, and closes it.
///
/// # Errors
/// Why there is none.
pub(crate) async fn try_connection(
    options: &UpstreamOptions,
    protocol: OtlpProtocol,
    url: &Uri,
    timeout: Duration,
) -> Result<(), Fault> {
    match protocol {
        OtlpProtocol::HttpProtobuf => options.try_connection(url, timeout).await,
        OtlpProtocol::Grpc => options.open(url, timeout, grpc::PROTOCOLS).await.map(drop),
    }
}
