//! Sending to a collector.
//!
//! # Layout
//! - [`Destination`]: where a signal goes, made on any thread; [`Connected`]: the same on the thread that sends.
//! - [`Batches`] (`batches`): takes spans out of their queue and sends them, one batch at a time.
//! - [`Readings`] (`readings`): reads figures and sends them, each time all of them.
//! - `http`, `grpc`: the two protocols; [`Refusal`] (`refusal`): why something was not taken.
//! - `trial`: the same with nothing to send, for the doctor.
//! - `standing`, `losses`: what the operator hears of it; `pace`: when to try again.
use std::fmt;
use std::time::Duration;

use actix_web::http::Uri;
use actors::upstream::{RootCertificates, TlsFiles, UpstreamOptions};
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

mod batches;
mod grpc;
mod http;
mod losses;
mod pace;
mod readings;
mod refusal;
mod standing;
mod trial;

pub(super) use batches::Batches;
use grpc::Grpc;
use http::Http;
pub(super) use readings::{Read, Readings};
pub(crate) use refusal::Refusal;
pub(crate) use trial::try_connection;

use crate::settings::{Export, OtlpProtocol, ProcessSettings};

/// The part of a request's time that connecting may take.
const CONNECTING: f64 = 0.8;

/// What takes a signal by gRPC.
#[derive(Debug, Clone, Copy)]
pub(crate) enum GrpcMethod {
    Traces,
    Metrics,
}

impl GrpcMethod {
    /// Its path.
    fn path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        }
    }
}

/// Where a signal goes.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    export: Export,
    /// How it is reached: as all that this process asks, but for what is meant for Flagsmith alone.
    options: UpstreamOptions,
}

impl Destination {
    pub(crate) fn new(export: &Export, process: &ProcessSettings) -> Self {
        let roots = match &export.certificate {
            Some(file) => RootCertificates {
                file: Some(file.clone()),
                ..RootCertificates::default()
            },
            None => process.roots.clone(),
        };
        let files = TlsFiles {
            roots,
            // Where it is gone later on nobody is trusted: without it all public authorities would be.
            ca_file: export.certificate.clone(),
            ..TlsFiles::default()
        };
        let mut options = UpstreamOptions::new(export.url.clone()).with_tls_files(files);
        options.proxies = process.outgoing.clone();
        options.headers = export.headers.clone();
        Self {
            export: export.clone(),
            options,
        }
    }

    /// Gets ready to send, on the thread that sends. Nothing is connected yet.
    pub(super) fn connect(self) -> Connected {
        let Export {
            url,
            protocol,
            headers,
            timeout,
            gzip,
            certificate: _,
        } = self.export;
        // The settings have read it as one.
        let url: Uri = url.parse().unwrap_or_default();
        let connect_timeout = timeout.mul_f64(CONNECTING);
        let sender = match protocol {
            OtlpProtocol::HttpProtobuf => {
                Sender::Http(Box::new(Http::new(&self.options, url, connect_timeout)))
            }
            OtlpProtocol::Grpc => {
                let grpc = Grpc::new(self.options, url, &headers, connect_timeout, gzip);
                Sender::Grpc(Box::new(grpc))
            }
        };
        Connected {
            sender,
            timeout,
            gzip,
        }
    }
}

/// Shows the URL, which holds no credentials.
impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {}", self.export.url, self.export.protocol.name())
    }
}

/// What sends one signal, of the thread that sends.
pub(super) struct Connected {
    sender: Sender,
    timeout: Duration,
    gzip: bool,
}

enum Sender {
    Http(Box<Http>),
    Grpc(Box<Grpc>),
}

impl Connected {
    /// Sends a message, and gives the answer's, which may say that a part of it was not taken. Waits until then at most.
    ///
    /// # Errors
    /// Why it was not taken, and whether another attempt may change that.
    async fn send(&mut self, method: GrpcMethod, message: &Bytes, until: Instant) -> Result<Bytes, Refusal> {
        let until = until.min(Instant::now() + self.timeout);
        let sent = async {
            match &mut self.sender {
                Sender::Http(http) => http.send(message, self.gzip).await,
                Sender::Grpc(grpc) => grpc.send(method, message).await,
            }
        };
        let outcome = timeout_at(until, sent).await;
        outcome.unwrap_or_else(|_| {
            if let Sender::Grpc(grpc) = &mut self.sender {
                // What does not answer may never do again.
                grpc.disconnect();
            }
            Err(Refusal::late())
        })
    }
}
