//! The load: so many connections, each sending its next request when the last is answered.
//!
//! `test_support`'s client parses what comes, line by line, which costs more than the server takes to answer; it asks
//! for the first answer here, and for all that is not load.
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use test_support::http::{Request, ask};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::statistics::Sample;

/// Connections held at once.
const CONNECTIONS: usize = 32;

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
    let (request, first) = (request.bytes(), ask(address, request)?.bytes());
    let latencies = RefCell::new(Vec::new());
    let clients = (0..CONNECTIONS).map(|_| send_again_and_again(address, &request, &first, &latencies));
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
    request: &[u8],
    first: &[u8],
    latencies: &RefCell<Vec<f32>>,
) -> io::Result<()> {
    const STATUS_LINE: usize = "HTTP/1.1 200 ".len();
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; first.len()];
    loop {
        let sent = Instant::now();
        stream.write_all(request).await?;
        stream.read_exact(&mut answer).await?;
        if answer.get(..STATUS_LINE) != first.get(..STATUS_LINE) {
            return Err(io::Error::other("an answer has another status than the first"));
        }
        latencies.borrow_mut().push(sent.elapsed().as_secs_f32() * 1e6);
    }
}
