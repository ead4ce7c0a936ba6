//! The load: so many connections, each sending its next request when the last is answered.
//!
//! `test_support`'s client parses what comes, line by line, which costs more than the server takes to answer; it asks
//! for the first answer here, and for all that is not load.
use std::cell::{Cell, RefCell};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use test_support::http::Request;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::child::Server;
use crate::statistics::Sample;

/// Connections held at once.
const CONNECTIONS: usize = 32;

/// The time over which clients come that may be refused: who comes at one moment is refused at one moment, and comes back so.
const ARRIVAL: Duration = Duration::from_secs(1);

/// What came of one round.
#[derive(Debug, Clone)]
pub struct Round {
    /// Requests answered.
    pub answered: usize,
    /// Microseconds from a request to its answer's end.
    pub latencies: Sample,
}

/// Sends a request over and over for a while, on kept connections or each on a new one.
///
/// Whoever connects anew closes its connection itself, as such clients do: the ports that wait then are not the server's.
///
/// Every answer must begin and be as long as the first: the servers measured here give the same answer every time, so
/// the client, which shares the machine with them, need not parse.
pub async fn drive(
    server: &Server,
    request: &Request,
    connects_anew: bool,
    duration: Duration,
) -> io::Result<Round> {
    let (request, first) = (request.bytes(), server.ask(request)?.bytes());
    let latencies = RefCell::new(Vec::new());
    let (request, first, latencies_of) = (&request, &first, &latencies);
    let clients = (0..CONNECTIONS).map(|_| async move {
        let address = server.address;
        match &server.terms {
            None => {
                send_again_and_again(|| connect(address), request, first, connects_anew, latencies_of).await
            }
            Some(terms) => {
                let connector = TlsConnector::from(Arc::clone(terms));
                let connect = || connect_over_tls(address, &connector);
                send_again_and_again(connect, request, first, connects_anew, latencies_of).await
            }
        }
    });
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

async fn send_again_and_again<S: AsyncRead + AsyncWrite + Unpin>(
    connect: impl AsyncFn() -> io::Result<S>,
    request: &[u8],
    first: &[u8],
    connects_anew: bool,
    latencies: &RefCell<Vec<f32>>,
) -> io::Result<()> {
    const STATUS_LINE: usize = "HTTP/1.1 200 ".len();
    let mut kept = None;
    let mut answer = vec![0; first.len()];
    loop {
        let sent = Instant::now();
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => connect().await?,
        };
        stream.write_all(request).await?;
        stream.flush().await?;
        stream.read_exact(&mut answer).await?;
        if answer.get(..STATUS_LINE) != first.get(..STATUS_LINE) {
            return Err(io::Error::other("an answer has another status than the first"));
        }
        latencies.borrow_mut().push(sent.elapsed().as_secs_f32() * 1e6);
        if !connects_anew {
            kept = Some(stream);
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn connect_over_tls(address: SocketAddr, connector: &TlsConnector) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from("localhost").map_err(io::Error::other)?;
    connector.connect(name, connect(address).await?).await
}

/// What came of a load that may be refused.
#[derive(Debug, Clone)]
pub struct Pressure {
    /// Microseconds from an accepted request to its answer's end.
    pub accepted: Sample,
    /// The part of the requests that was refused, from 0 to 1.
    pub refused_part: f64,
}

/// How a request is sent over and over.
#[derive(Debug, Clone, Copy)]
pub struct Clients {
    /// Connections at once.
    pub connections: u32,
    /// For how long.
    pub duration: Duration,
}

/// Sends a request over and over, and counts what is refused; whoever is refused waits as long as the answer asks for.
///
/// # Errors
/// Where a connection fails, or an answer is neither 200 nor 503.
pub fn press(address: SocketAddr, request: &Request, clients: Clients) -> io::Result<Pressure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(press_with(address, request, clients))
}

async fn press_with(address: SocketAddr, request: &Request, of: Clients) -> io::Result<Pressure> {
    let request = &request.bytes();
    let (accepted, refused) = (&RefCell::new(Vec::new()), &Cell::new(0_u32));
    let clients = (0..of.connections).map(|place| async move {
        tokio::time::sleep(ARRIVAL * place / of.connections).await;
        let mut stream = connect(address).await?;
        let mut answer = Vec::new();
        loop {
            let sent = Instant::now();
            stream.write_all(request).await?;
            match read_status(&mut stream, &mut answer).await? {
                (200, _) => accepted.borrow_mut().push(sent.elapsed().as_secs_f64() * 1e6),
                (503, retry_after) => {
                    refused.set(refused.get() + 1);
                    tokio::time::sleep(retry_after).await;
                }
                (other, _) => return Err(io::Error::other(format!("answered {other}"))),
            }
        }
    });
    let all: Result<io::Result<Vec<()>>, _> =
        timeout(of.duration, futures::future::try_join_all(clients)).await;
    // The time limit is the end of the round, not a failure.
    if let Ok(Err(error)) = all {
        return Err(error);
    }
    let (accepted, refused) = (accepted.take(), f64::from(refused.get()));
    Ok(Pressure {
        refused_part: refused / (refused + accepted.len() as f64),
        accepted: Sample::new(accepted),
    })
}

/// Reads one answer, which has a `Content-Length`, and gives its status and its `Retry-After`.
async fn read_status(stream: &mut TcpStream, answer: &mut Vec<u8>) -> io::Result<(u16, Duration)> {
    const END: &[u8] = b"\r\n\r\n";
    answer.clear();
    loop {
        if stream.read_buf(answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(head) = answer.windows(END.len()).position(|bytes| bytes == END) else {
            continue;
        };
        let text = String::from_utf8_lossy(answer.get(..head).unwrap_or_default()).to_ascii_lowercase();
        let number = |field| {
            let value = text.lines().find_map(|line| line.strip_prefix(field));
            value.and_then(|value| value.trim().parse::<usize>().ok())
        };
        let length =
            number("content-length:").ok_or_else(|| io::Error::other("an answer has no Content-Length"))?;
        if answer.len() >= head + END.len() + length {
            let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
            let status = status.ok_or_else(|| io::Error::other("an answer has no status"))?;
            let seconds = number("retry-after:").unwrap_or_default();
            return Ok((status, Duration::from_secs(seconds as u64)));
        }
    }
}
