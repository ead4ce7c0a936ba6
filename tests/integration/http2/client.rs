//! A client of the `h2` crate: one connection, and as many requests at a time as a test begins.
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use test_support::wait::in_time;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use crate::harness::CLIENT_KEY;

/// One connection.
pub(super) struct Client {
    sender: SendRequest<Bytes>,
    /// Resolves when the connection has ended.
    pub connection: JoinHandle<Result<(), h2::Error>>,
}

/// An answer as it came.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: u16,
    /// In alphabetical order.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

/// A request without a body, with the client-side key.
pub(super) fn get(path: &str) -> http::Request<()> {
    keyed("GET", path, CLIENT_KEY)
}

/// The same with another method or key.
pub(super) fn keyed(method: &str, path: &str, key: &str) -> http::Request<()> {
    http::Request::builder()
        .method(method)
        .uri(format!("http://proxy{path}"))
        .header("x-environment-key", key)
        .body(())
        .unwrap()
}

/// A socket.
pub(super) async fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

impl Client {
    /// Connects.
    pub(super) async fn open(address: SocketAddr) -> Self {
        Self::open_with(address, &Builder::new()).await
    }

    /// Connects with settings of its own.
    pub(super) async fn open_with(address: SocketAddr, builder: &Builder) -> Self {
        Self::over(connect(address).await, builder).await
    }

    /// Goes over a stream.
    pub(super) async fn over<S>(stream: S, builder: &Builder) -> Self
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = in_time(builder.handshake(stream)).await.unwrap();
        Self {
            sender,
            connection: tokio::spawn(connection),
        }
    }

    /// Begins a request; the second is where its body goes.
    pub(super) async fn begin(
        &self,
        request: http::Request<()>,
        has_body: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        in_time(self.sender.clone().ready())
            .await?
            .send_request(request, !has_body)
    }

    /// Sends a request and reads its answer.
    pub(super) async fn send(&self, request: http::Request<()>, body: Option<&[u8]>) -> Answer {
        self.try_send(request, body).await.unwrap()
    }

    /// Sends a request and reads its answer, where it gets one.
    pub(super) async fn try_send(
        &self,
        request: http::Request<()>,
        body: Option<&[u8]>,
    ) -> Result<Answer, h2::Error> {
        let (response, mut sending) = self.begin(request, body.is_some()).await?;
        if let Some(body) = body {
            sending.send_data(Bytes::copy_from_slice(body), true)?;
        }
        read(response).await
    }

    /// Subscribes: the status and the events.
    pub(super) async fn subscribe(&self, request: http::Request<()>) -> (http::Response<()>, Events) {
        let (response, sending) = self.begin(request, false).await.unwrap();
        let (head, body) = in_time(response).await.unwrap().into_parts();
        let events = Events {
            body,
            sending,
            read: String::new(),
        };
        (http::Response::from_parts(head, ()), events)
    }
}

/// Reads an answer to its end.
pub(super) async fn read(response: ResponseFuture) -> Result<Answer, h2::Error> {
    let (head, mut body) = in_time(response).await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(piece) = in_time(body.data()).await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        bytes.extend_from_slice(&piece);
    }
    let mut headers: Vec<_> = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    Ok(Answer {
        status: head.status.as_u16(),
        headers,
        body: bytes.into(),
    })
}

impl Answer {
    /// The value of a header, where it is there.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_str())
    }
}

/// An open event stream.
pub(super) struct Events {
    body: RecvStream,
    sending: SendStream<Bytes>,
    read: String,
}

impl Events {
    /// The next frame of it; `None`: it has ended cleanly.
    pub(super) async fn frame(&mut self) -> Option<String> {
        loop {
            if let Some((frame, rest)) = self.read.split_once("\n\n") {
                let frame = format!("{frame}\n\n");
                self.read = rest.to_owned();
                return Some(frame);
            }
            let piece = in_time(self.body.data()).await?.expect("a clean end");
            self.body.flow_control().release_capacity(piece.len()).unwrap();
            self.read += std::str::from_utf8(&piece).unwrap();
        }
    }

    /// The next frame that is no comment and no `retry`.
    pub(super) async fn event(&mut self) -> Option<String> {
        loop {
            match self.frame().await {
                Some(frame) if frame.starts_with(':') || frame.starts_with("retry:") => {}
                frame => return frame,
            }
        }
    }

    /// Gives the stream up.
    pub(super) fn cancel(&mut self) {
        self.sending.send_reset(Reason::CANCEL);
    }
}
