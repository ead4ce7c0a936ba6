//! Requests beside the streams.
use std::net::SocketAddr;

use engine::UpdatedAt;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::server::{AUTHENTICATION_TOKEN, CLIENT_SIDE_KEY};

/// A keep-alive connection that asks for flags.
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server accepts");
        stream.set_nodelay(true).expect("a socket");
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// The answer's head; its body is read and dropped.
    pub async fn flags(&mut self) -> String {
        let request = format!(
            "GET /api/v1/flags/ HTTP/1.1\r\nHost: load\r\nX-Environment-Key: {CLIENT_SIDE_KEY}\r\n\r\n"
        );
        self.ask(&request).await
    }

    async fn ask(&mut self, request: &str) -> String {
        self.stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        self.received.clear();
        loop {
            let end = self.received.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                let head = String::from_utf8_lossy(&self.received[..end]).to_ascii_lowercase();
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                let length: usize = length.and_then(|length| length.parse().ok()).unwrap_or(0);
                while self.received.len() < end + 4 + length {
                    self.read().await;
                }
                return head;
            }
            self.read().await;
        }
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
pub async fn queue_change(address: SocketAddr, updated_at: UpdatedAt) {
    let body = format!(r#"{{"updated_at": "{}"}}"#, updated_at.to_rfc3339());
    let request = format!(
        "POST /sse/environments/{CLIENT_SIDE_KEY}/queue-change HTTP/1.1\r\nHost: load\r\n\
         Authorization: Token {AUTHENTICATION_TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let head = Connection::open(address).await.ask(&request).await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
}

/// Waits until the first document is served.
pub async fn is_serving(address: SocketAddr) {
    let mut connection = Connection::open(address).await;
    while !connection.flags().await.starts_with("http/1.1 200") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
