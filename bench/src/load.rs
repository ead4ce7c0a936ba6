//! The client: so many connections, each sending its next request when the last is answered.
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::statistics::Sample;

/// Connections held at once.
const CONNECTIONS: usize = 32;

/// A request as it is written to the socket.
#[derive(Debug, Clone)]
pub struct Request(Vec<u8>);

impl Request {
    /// With these header lines.
    pub fn new(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!(
                "Content-Type: application/json\r\nContent-Length: {}\r\n",
                body.len()
            ));
        }
        text.push_str("\r\n");
        text.push_str(body);
        Self(text.into_bytes())
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A whole answer: head and body.
#[derive(Debug, Clone)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Its status code.
    pub fn status(&self) -> Option<u16> {
        std::str::from_utf8(self.0.get(9..12)?).ok()?.parse().ok()
    }

    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(head(&self.0)?, name)
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        head(&self.0)
            .and_then(|head| self.0.get(head.len() + 4..))
            .unwrap_or_default()
    }
}

fn head(answer: &[u8]) -> Option<&str> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    std::str::from_utf8(answer.get(..end)?).ok()
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// The answer's length once its head is there.
fn whole_length(answer: &[u8]) -> Option<usize> {
    let head = head(answer)?;
    // 304 announces no body and has none.
    let body = header(head, "content-length").map_or(Some(0), |length| length.parse().ok())?;
    let body = if head.contains(" 304 ") { 0 } else { body };
    Some(head.len() + 4 + body)
}

/// Asks once, on a connection of its own.
pub fn ask(address: SocketAddr, request: &Request) -> io::Result<Answer> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.write_all(request.bytes())?;
    read_answer(&mut stream)
}

/// Reads one answer.
pub fn read_answer(stream: &mut std::net::TcpStream) -> io::Result<Answer> {
    let mut answer = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        answer.extend_from_slice(buffer.get(..read).unwrap_or_default());
        if whole_length(&answer).is_some_and(|length| answer.len() >= length) {
            return Ok(Answer(answer));
        }
    }
}

/// What came of one round.
#[derive(Debug, Clone)]
pub struct Round {
    /// Requests answered.
    pub answered: usize,
    /// Microseconds from a request to its answer's end.
    pub latencies: Sample,
}

/// Sends a request over and over for a while.
///
/// Every answer must begin and be as long as the first: the servers measured here give the same answer every time, so
/// the client, which shares the machine with them, need not parse.
pub async fn drive(address: SocketAddr, request: &Request, duration: Duration) -> io::Result<Round> {
    let first = ask(address, request)?;
    let latencies = RefCell::new(Vec::new());
    let clients = (0..CONNECTIONS).map(|_| send_again_and_again(address, request, &first, &latencies));
    // The time limit is the end of the round, not a failure.
    if let Ok(Err(error)) = timeout(duration, futures::future::try_join_all(clients)).await {
        return Err(error);
    }
    let latencies = latencies.into_inner();
    Ok(Round {
        answered: latencies.len(),
        latencies: Sample::new(latencies.into_iter().map(f64::from)),
    })
}

async fn send_again_and_again(
    address: SocketAddr,
    request: &Request,
    first: &Answer,
    latencies: &RefCell<Vec<f32>>,
) -> io::Result<()> {
    const STATUS_LINE: usize = "HTTP/1.1 200 ".len();
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; first.bytes().len()];
    loop {
        let sent = Instant::now();
        stream.write_all(request.bytes()).await?;
        stream.read_exact(&mut answer).await?;
        if answer.get(..STATUS_LINE) != first.bytes().get(..STATUS_LINE) {
            return Err(io::Error::other("an answer has another status than the first"));
        }
        latencies.borrow_mut().push(sent.elapsed().as_secs_f32() * 1e6);
    }
}
