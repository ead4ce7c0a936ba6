//! `grpc`: a message is a request of HTTP/2, with a prefix that says its length
//! (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>). One connection is kept.
use std::fmt;
use std::time::Duration;

use actix_rt::task::JoinHandle;
use actix_web::http::Uri;
use actors::upstream::{ExtraHeaders, UpstreamOptions};
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::RecvStream;
use h2::client::{ResponseFuture, SendRequest};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, TE, USER_AGENT};
use http::{Method, Request, Response};

use super::http::compressed;
use super::refusal::WHICH_PROTOCOL;
use super::{GrpcMethod, Refusal};

mod status;

use status::Outcome;

/// What is made of an answer: an acknowledgement.
const MOST_ANSWER: usize = 64 * 1024;

/// What the handshake of TLS offers to speak.
pub(super) const PROTOCOLS: &[&[u8]] = &[b"h2"];

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
    /// Whether it has given a head of an answer: until then what is there may speak anything.
    has_answered: bool,
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
        let outcome = match self.answer(request, body).await {
            Ok(answer) => Ok(answer),
            Err(Failure::Refused(refusal)) => Err(refusal),
            Err(Failure::Broken(error)) => Err(self.broken(&error)),
        };
        if outcome.as_ref().is_err_and(|refusal| refusal.may_be_retried) {
            self.disconnect();
        }
        outcome
    }

    async fn answer(&mut self, request: Request<()>, body: Bytes) -> Result<Bytes, Failure> {
        let answer = self.begin(request, body).await?;
        let answer = answer.await?;
        if let Some(connection) = &mut self.connection {
            connection.has_answered = true;
        }
        read(answer).await
    }

    fn broken(&self, error: &h2::Error) -> Refusal {
        let error = words(error);
        let has_answered = self.connection.as_ref().is_some_and(|known| known.has_answered);
        let why = match has_answered {
            true => format!("the connection breaks: {error}"),
            // An answer of HTTP/1.1 is a malformed frame.
            false => format!(
                "the connection breaks before any answer of gRPC ({error}); check whether it expects https; {WHICH_PROTOCOL}"
            ),
        };
        Refusal::passing(why, None)
    }

    /// Sends a request, over a new connection where the one before takes no more.
    async fn begin(&mut self, request: Request<()>, body: Bytes) -> Result<ResponseFuture, Failure> {
        let mut requests = match self.ready().await {
            Some(requests) => requests,
            None => self.connect().await?,
        };
        let (answer, mut stream) = requests.send_request(request, false)?;
        // It is sent as far as the window allows, the rest as it opens.
        stream.send_data(body, true)?;
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

    async fn connect(&mut self) -> Result<SendRequest<Bytes>, Failure> {
        let opened = self
            .options
            .open(&self.server, self.connect_timeout, PROTOCOLS)
            .await;
        let stream = opened.map_err(|fault| Failure::Refused(fault.into()))?;
        let (requests, connection) = h2::client::handshake(stream).await?;
        let driven = actix_rt::spawn(async move {
            // Requests hear of its end.
            let _ = connection.await;
        });
        self.connection = Some(Connection {
            requests: requests.clone(),
            driven,
            has_answered: false,
        });
        Ok(requests.ready().await?)
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

/// Why there is no answer.
enum Failure {
    Refused(Refusal),
    /// The connection, or the stream within it.
    Broken(h2::Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<h2::Error> for Failure {
    fn from(error: h2::Error) -> Self {
        Self::Broken(error)
    }
}

/// What an error is. The library's own words would go on with what the server says as it ends a connection (GOAWAY), which is
/// any text of any length.
fn words(error: &h2::Error) -> String {
    match (error.reason(), error.get_io()) {
        (Some(reason), _) => reason.description().to_owned(),
        (None, Some(error)) => error.to_string(),
        (None, None) => "it is used wrongly".to_owned(),
    }
}

/// Reads an answer, whose status is behind its body, or in its head where it has none.
async fn read(answer: Response<RecvStream>) -> Result<Bytes, Failure> {
    let (head, mut body) = answer.into_parts();
    if !head.status.is_success() {
        return Err(status::of_http(head.status.as_u16()).into());
    }
    if let Some(outcome) = Outcome::of(&head.headers) {
        return Ok(outcome.settled(Bytes::new())?);
    }
    let mut message = BytesMut::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        // Else the server may send no more.
        let _ = body.flow_control().release_capacity(piece.len());
        if message.len() < MOST_ANSWER {
            message.extend_from_slice(&piece);
        }
    }
    let trailers = body.trailers().await?;
    let outcome = trailers.as_ref().and_then(Outcome::of);
    let outcome = outcome.ok_or_else(|| {
        Refusal::passing(
            format!("its answer ends without a status, as no gRPC server's; {WHICH_PROTOCOL}"),
            None,
        )
    })?;
    let plain = message.first() == Some(&0);
    let message = message.freeze();
    Ok(outcome.settled(if plain {
        message.slice(PREFIX.min(message.len())..)
    } else {
        Bytes::new()
    })?)
}

impl fmt::Debug for Grpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grpc")
            .field("is_connected", &self.connection.is_some())
            .finish_non_exhaustive()
    }
}
