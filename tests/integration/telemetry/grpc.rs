//! The same by gRPC.
use std::net::SocketAddr;
use std::thread;

use bytes::Bytes;
use http::{HeaderMap, Response};
use serde_json::json;
use test_support::wait::wait;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use super::collector::{ReceivedSpan, metrics_of, spans_of, variables};
use super::{TRACEPARENT, traced_by};
use crate::harness::{CLIENT_KEY, Request};

/// How a call ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// With a message and this status behind it.
    Status(u16),
    /// With this status alone.
    StatusAlone(u16),
    /// With this status of HTTP, as a proxy gives it.
    Http(u16),
    /// Not at all.
    Hang,
    /// The stream is reset.
    Reset,
}

/// A call as it came.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) path: String,
    fields: HeaderMap,
    pub(crate) message: Vec<u8>,
}

/// A server of gRPC that replies in this order, and by the last of it from then on.
pub(crate) struct GrpcCollector {
    pub(crate) address: SocketAddr,
    calls: watch::Receiver<Vec<Call>>,
    _end: oneshot::Sender<()>,
}

impl GrpcCollector {
    pub(crate) fn start(replies: &[Reply]) -> Self {
        let (started, address) = std::sync::mpsc::channel();
        let (calls_sender, calls) = watch::channel(Vec::new());
        let (end, ended) = oneshot::channel();
        let replies = replies.to_vec();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                started.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    () = accept(listener, calls_sender, replies) => {}
                    _ = ended => {}
                }
            });
        });
        Self {
            address: address.recv().unwrap(),
            calls,
            _end: end,
        }
    }

    /// The calls, once there have been so many.
    pub(crate) fn calls(&self, count: usize) -> Vec<Call> {
        let mut calls = self.calls.clone();
        wait(async {
            calls
                .wait_for(|calls| calls.len() >= count)
                .await
                .unwrap()
                .clone()
        })
    }
}

async fn accept(listener: TcpListener, calls: watch::Sender<Vec<Call>>, replies: Vec<Reply>) {
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (calls, replies) = (calls.clone(), replies.clone());
        tokio::spawn(async move {
            let mut connection = h2::server::handshake(socket).await.unwrap();
            while let Some(Ok((request, respond))) = connection.accept().await {
                tokio::spawn(answer(request, respond, calls.clone(), replies.clone()));
            }
        });
    }
}

async fn answer(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    calls: watch::Sender<Vec<Call>>,
    replies: Vec<Reply>,
) {
    let (head, mut body) = request.into_parts();
    let mut message = Vec::new();
    while let Some(piece) = body.data().await {
        message.extend_from_slice(&piece.unwrap());
    }
    let mut number = 0;
    calls.send_modify(|calls| {
        number = calls.len();
        calls.push(Call {
            path: head.uri.path().to_owned(),
            fields: head.headers,
            message,
        });
    });
    let reply = replies.get(number).or(replies.last()).copied().unwrap();
    let ok = || Response::builder().header("content-type", "application/grpc");
    match reply {
        Reply::Status(status) => {
            let mut stream = respond.send_response(ok().body(()).unwrap(), false).unwrap();
            stream.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
            let mut trailers = HeaderMap::new();
            trailers.insert("grpc-status", status.into());
            stream.send_trailers(trailers).unwrap();
        }
        Reply::StatusAlone(status) => {
            let answer = ok().header("grpc-status", status).body(()).unwrap();
            respond.send_response(answer, true).unwrap();
        }
        Reply::Http(status) => {
            let answer = Response::builder().status(status).body(()).unwrap();
            respond.send_response(answer, true).unwrap();
        }
        Reply::Hang => std::future::pending().await,
        Reply::Reset => respond.send_reset(h2::Reason::INTERNAL_ERROR),
    }
}

/// The spans of the calls after one request of a proxy, once there have been so many calls.
fn sent(replies: &[Reply], count: usize, more: &[(&'static str, &str)]) -> (Vec<Call>, Vec<ReceivedSpan>) {
    let collector = GrpcCollector::start(replies);
    let mut variables = variables(&format!("http://{}", collector.address));
    variables.push(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()));
    let app = traced_by(variables, more, json!({}));
    let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert_eq!(app.send(request.header("traceparent", TRACEPARENT)).status, 200);
    let calls = collector.calls(count);
    let spans = calls.iter().flat_map(|call| spans_of(&plain(&call.message)));
    (calls.clone(), spans.collect())
}

/// A message without its prefix, and without its compression.
fn plain(message: &[u8]) -> Vec<u8> {
    let (prefix, rest) = message.split_at(5);
    let length = u32::from_be_bytes(prefix[1..].try_into().unwrap());
    assert_eq!(usize::try_from(length).unwrap(), rest.len());
    if prefix[0] == 0 {
        return rest.to_vec();
    }
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(rest), &mut plain).unwrap();
    plain
}

#[test]
fn spans_come_by_grpc() {
    for (compression, encoding) in [("none", None), ("gzip", Some("gzip"))] {
        let more = [
            ("OTEL_EXPORTER_OTLP_COMPRESSION", compression),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=one"),
        ];
        let (calls, spans) = sent(&[Reply::Status(0)], 1, &more);
        let call = &calls[0];
        assert_eq!(
            call.path,
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
        );
        let field = |name: &str| call.fields.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(field("content-type"), Some("application/grpc"));
        assert_eq!(field("te"), Some("trailers"));
        assert_eq!(field("x-tenant"), Some("one"));
        assert_eq!(field("grpc-encoding"), encoding);
        let names: Vec<_> = spans.iter().map(|span| span.span.name.as_str()).collect();
        assert_eq!(names, ["evaluate.flags", "GET /api/v1/flags/"]);
    }
}

#[test]
fn figures_come_by_grpc() {
    let collector = GrpcCollector::start(&[Reply::Status(0)]);
    let mut variables = variables(&format!("http://{}", collector.address));
    variables.push(("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()));
    let more = [
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_METRICS_EXPORTER", "otlp"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
    ];
    let _app = traced_by(variables, &more, json!({}));
    let call = &collector.calls(1)[0];
    assert_eq!(
        call.path,
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    );
    assert!(!metrics_of(&plain(&call.message)).is_empty());
}

#[test]
fn what_passes_is_tried_again_and_a_connection_is_made_anew() {
    for first in [
        Reply::Status(14),
        Reply::StatusAlone(14),
        Reply::Http(503),
        Reply::Reset,
    ] {
        let (_, spans) = sent(&[first, Reply::Status(0)], 2, &[]);
        assert_eq!(spans.len(), 4, "{first:?}");
        assert_eq!(spans[0].id(), spans[2].id(), "{first:?}");
    }
}

#[test]
fn who_hangs_is_given_up_and_asked_again() {
    let (_, spans) = sent(
        &[Reply::Hang, Reply::Status(0)],
        2,
        &[("OTEL_EXPORTER_OTLP_TIMEOUT", "50")],
    );
    assert_eq!(spans[0].id(), spans[2].id());
}
