//! `grpc`: a message is a request of HTTP/2, with a prefix that says its length
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>). One connection is kept.
use std::fmt;
use std::time::Duration;

use actix_rt::task::JoinHandle;
use actix_web::http::Uri;
use actors::upstream::{ExtraHeaders, UpstreamOptions};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::{ResponseFuture, SendRequest};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT};
use http::{Method, Request};

use super::http::compressed;
use super::{GrpcMethod, Refusal};

mod status;

use status::Outcome;

/// What is made of an answer: an acknowledgement.
const MOST_ANSWER: usize = 64 * 1024;

/// A message's prefix: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// Sends to one server.
pub(super) struct Grpc {
    options: UpstreamOptions,
    server: Uri,
    /// What every request carries.
    fields: HeaderMap,
    connect_timeout: Duration,
    gzip: bool,
    connection: Option<Connection>,
}

/// A connection, and what drives it.
struct Connection {
    requests: SendRequest<Bytes>,
    driven: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driven.abort();
    }
}

impl Grpc {
    pub(super) fn new(
        options: UpstreamOptions,
        server: Uri,
        headers: &ExtraHeaders,
        connect_timeout: Duration,
        gzip: bool,
    ) -> Self {
        let mut fields = HeaderMap::new();
        for (name, value) in headers.iter() {
            // They are fields of the older version of the same library.
            let name = HeaderName::try_from(name.as_str());
            let value = HeaderValue::from_bytes(value.as_bytes());
            if let (Ok(name), Ok(mut value)) = (name, value) {
                value.set_sensitive(true);
                fields.insert(name, value);
            }
        }
        fields.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        fields.insert(TE, HeaderValue::from_static("trailers"));
        fields.insert(
            USER_AGENT,
            HeaderValue::from_static(concat!("edge-proxy/", env!("CARGO_PKG_VERSION"))),
        );
        if gzip {
            fields.insert("grpc-encoding", HeaderValue::from_static("gzip"));
        }
        Self {
            options,
            server,
            fields,
            connect_timeout,
            gzip,
            connection: None,
        }
    }

    /// Forgets the connection.
    pub(super) fn disconnect(&mut self) {
        self.connection = None;
    }

    pub(super) async fn send(&mut self, method: GrpcMethod, message: &Bytes) -> Result<Bytes, Refusal> {
        let (body, request) = (self.framed(message), self.request(method)?);
        let answered = async {
            let answer = self.begin(request, body).await?;
            read(answer).await
        };
        let outcome = answered.await;
        if outcome.as_ref().is_err_and(|refusal| refusal.may_be_retried) {
            self.disconnect();
        }
        outcome
    }

    /// Sends a request, over a new connection where the one before takes no more.
    async fn begin(&mut self, request: Request<()>, body: Bytes) -> Result<ResponseFuture, Refusal> {
        let mut requests = match self.ready().await {
            Some(requests) => requests,
            None => self.connect().await?,
        };
        let (answer, mut stream) = requests
            .send_request(request, false)
            .map_err(|error| broken(&error))?;
        // It is sent as far as the window allows, the rest as it opens.
        stream.send_data(body, true).map_err(|error| broken(&error))?;
        Ok(answer)
    }

    /// The connection that there is, once it takes a request.
    async fn ready(&mut self) -> Option<SendRequest<Bytes>> {
        let requests = self.connection.as_ref()?.requests.clone();
        let ready = requests.ready().await.ok();
        if ready.is_none() {
            self.disconnect();
        }
        ready
    }

    async fn connect(&mut self) -> Result<SendRequest<Bytes>, Refusal> {
        let stream = self
            .options
            .open(&self.server, self.connect_timeout, &[b"h2"])
            .await?;
        let (requests, connection) = h2::client::handshake(stream)
            .await
            .map_err(|error| broken(&error))?;
        let driven = actix_rt::spawn(async move {
            // Requests hear of its end.
            let _ = connection.await;
        });
        self.connection = Some(Connection {
            requests: requests.clone(),
            driven,
        });
        requests.ready().await.map_err(|error| broken(&error))
    }

    fn request(&self, method: GrpcMethod) -> Result<Request<()>, Refusal> {
        let server = &self.server;
        let scheme = server.scheme_str().unwrap_or("http");
        let authority = server.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{scheme}://{authority}{}", method.path()))
            .body(())
            .map_err(|_| Refusal::last("its endpoint is no URL"))?;
        *request.headers_mut() = self.fields.clone();
        Ok(request)
    }

    fn framed(&self, message: &Bytes) -> Bytes {
        let message = if self.gzip {
            compressed(message)
        } else {
            message.clone()
        };
        let mut framed = BytesMut::with_capacity(PREFIX + message.len());
        framed.put_u8(u8::from(self.gzip));
        framed.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
        framed.extend_from_slice(&message);
        framed.freeze()
    }
}

/// Reads an answer, whose status is behind its body, or in its head where it has none.
async fn read(answer: ResponseFuture) -> Result<Bytes, Refusal> {
    let answer = answer.await.map_err(|error| broken(&error))?;
    let (head, mut body) = answer.into_parts();
    if !head.status.is_success() {
        return Err(status::of_http(head.status.as_u16()));
    }
    if let Some(outcome) = Outcome::of(&head.headers) {
        return outcome.settled(Bytes::new());
    }
    let mut message = BytesMut::new();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|error| broken(&error))?;
        // Else the server may send no more.
        let _ = body.flow_control().release_capacity(piece.len());
        if message.len() < MOST_ANSWER {
            message.extend_from_slice(&piece);
        }
    }
    let trailers = body.trailers().await.map_err(|error| broken(&error))?;
    let outcome = trailers.as_ref().and_then(Outcome::of);
    let outcome = outcome
        .ok_or_else(|| Refusal::passing("its answer ends without a status, as no gRPC server's", None))?;
    let plain = message.first() == Some(&0);
    let message = message.freeze();
    outcome.settled(if plain {
        message.slice(PREFIX.min(message.len())..)
    } else {
        Bytes::new()
    })
}

/// The library's words are of the protocol, and hold nothing of a message.
fn broken(error: &h2::Error) -> Refusal {
    Refusal::passing(format!("the connection breaks: {error}"), None)
}

impl fmt::Debug for Grpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grpc")
            .field("is_connected", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}
