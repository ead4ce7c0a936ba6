//! Requests beside the streams, for which `test_support`'s blocking client would take a thread each: here are hundreds
//! at a time on one.
use std::net::SocketAddr;
use std::time::Duration;

use engine::UpdatedAt;
use test_support::http::{Request, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::{AUTHENTICATION_TOKEN, CLIENT_SIDE_KEY};

/// A keep-alive connection that asks for flags.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// The status; the body is read and dropped.
    pub(crate) async fn flags(&mut self) -> u16 {
        self.ask(&Request::get("/api/v1/flags/").key(CLIENT_SIDE_KEY))
            .await
    }

    async fn ask(&mut self, request: &Request) -> u16 {
        self.stream
            .write_all(&request.bytes())
            .await
            .expect("the server reads");
        self.received.clear();
        let head = loop {
            let end = self.received.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                break self.received[..end + 4].to_vec();
            }
            self.read().await;
        };
        let length = head.len();
        let response = Response::parse_head(head).expect("a response");
        let length = length + response.body_length(false).expect("its length");
        while self.received.len() < length {
            self.read().await;
        }
        response.status
    }

    async fn read(&mut self) {
        let read = self
            .stream
            .read_buf(&mut self.received)
            .await
            .expect("the server answers");
        assert!(read > 0, "the server closed a connection that was in use");
    }
}

/// Announces a change as Flagsmith's core does.
pub(crate) async fn queue_change(address: SocketAddr, updated_at: UpdatedAt) {
    let path = format!("/sse/environments/{CLIENT_SIDE_KEY}/queue-change");
    let body = format!(r#"{{"updated_at": "{}"}}"#, updated_at.to_rfc3339());
    let request = Request::post(&path, body)
        .header("Authorization", &format!("Token {AUTHENTICATION_TOKEN}"))
        .header("Content-Type", "application/json");
    assert_eq!(Connection::open(address).await.ask(&request).await, 200);
}

/// Waits until the first document is served.
pub(crate) async fn is_serving(address: SocketAddr) {
    let mut connection = Connection::open(address).await;
    while connection.flags().await != 200 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
