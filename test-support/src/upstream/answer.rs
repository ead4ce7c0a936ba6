//! What the upstream answers, and how it breaks off.
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

/// What to answer.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The body is the whole answer.
    is_raw: bool,
    pub(super) end: End,
}

/// What follows the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The body, and perhaps another request.
    KeepAlive,
    /// The body; the connection closes without having said so.
    Close,
    /// Half of the body; the declared length is never reached.
    Truncated,
    /// The same, and the connection stays open.
    Stalling,
    /// Nothing is answered, not even a head, and the connection stays open.
    Hang,
    /// The body; the connection is reset (RST) where an answer goes on or another request would follow.
    Reset,
    /// The head, and the body byte by byte, with such a pause before each.
    Drip(Duration),
    /// Chunks, as the test tells them.
    Stream,
    /// What the server at this address says, as a proxy passes it on.
    Tunnel(Tunnel),
}

/// A way through to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tunnel {
    pub(super) to: SocketAddr,
    /// The connection is reset after so many of the server's bytes.
    pub(super) reset_after: Option<usize>,
}

impl Answer {
    /// 200 with this body.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            is_raw: false,
            end: End::KeepAlive,
        }
    }

    /// Another status, without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::ok("")
        }
    }

    /// Another status, with a body.
    pub fn refusal(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            ..Self::ok(body)
        }
    }

    /// These bytes, head and all, and nothing else.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            is_raw: true,
            ..Self::ok(bytes)
        }
    }

    /// No answer at all, on a connection that stays open.
    pub fn hang() -> Self {
        Self {
            end: End::Hang,
            ..Self::ok("")
        }
    }

    /// The head of an event stream, whose events [`ScriptedUpstream::tell`](super::ScriptedUpstream::tell) sends.
    pub fn event_stream() -> Self {
        Self {
            end: End::Stream,
            ..Self::ok("")
        }
        .header("Content-Type", "text/event-stream")
        .header("Transfer-Encoding", "chunked")
    }

    /// No answer: the connection is reset.
    pub fn reset() -> Self {
        Self::raw("").resetting()
    }

    /// What a proxy answers to CONNECT, and then passes everything on to this address and back; 502 where nobody is there.
    pub fn tunnel(to: SocketAddr) -> Self {
        let tunnel = Tunnel {
            to,
            reset_after: None,
        };
        Self {
            end: End::Tunnel(tunnel),
            ..Self::ok("")
        }
    }

    /// The same, and the connection is reset after so many bytes of the server.
    pub fn tunnel_resetting_after(to: SocketAddr, bytes: usize) -> Self {
        let tunnel = Tunnel {
            to,
            reset_after: Some(bytes),
        };
        Self {
            end: End::Tunnel(tunnel),
            ..Self::ok("")
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Says the whole length, sends half of the body, and closes.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.end = End::Truncated;
        self
    }

    /// Says the whole length, sends half of the body, and stays silent.
    #[must_use]
    pub fn stalling(mut self) -> Self {
        self.end = End::Stalling;
        self
    }

    /// Says the whole length, sends half of the body, and resets the connection.
    #[must_use]
    pub fn resetting(mut self) -> Self {
        self.end = End::Reset;
        self
    }

    /// Sends the head at once and the body byte by byte, with such a pause before each.
    #[must_use]
    pub fn dripping(mut self, pause: Duration) -> Self {
        self.end = End::Drip(pause);
        self
    }

    /// Closes the connection after the answer, without announcing it.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.end = End::Close;
        self
    }

    /// Whether the connection stays open after what was written.
    pub(super) fn stays_open(&self) -> bool {
        !matches!(self.end, End::Close | End::Truncated | End::Reset)
    }

    pub(super) fn write(&self, stream: &mut TcpStream) -> io::Result<()> {
        if self.is_raw {
            return stream.write_all(&self.body);
        }
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let has_body = self.status != 304 && !matches!(self.end, End::Stream | End::Tunnel(_));
        if has_body && !self.says_its_length() {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let sent = match self.end {
            End::Truncated | End::Stalling | End::Reset => self.body.len() / 2,
            End::Drip(_) => 0,
            _ => self.body.len(),
        };
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body[..sent])?;
        if let End::Drip(pause) = self.end {
            for byte in self.body.chunks(1) {
                thread::sleep(pause);
                stream.write_all(byte)?;
            }
        }
        Ok(())
    }

    fn says_its_length(&self) -> bool {
        self.headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
    }
}

/// Writes one chunk to a listener, who may have gone.
pub(super) fn write_chunk(listener: &mut TcpStream, text: &str) {
    let _ = listener.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes());
}
