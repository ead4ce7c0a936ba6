//! The client: so many connections, each sending its next request when the last is answered.
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Connections held at once.
const CONNECTIONS: usize = 32;

/// Sends a request over and over for a while; says how many were answered.
///
/// Every answer must be 200 and as long as the first: the servers measured here give the same answer every time, so
/// the client, which shares the machine with them, need not parse.
pub async fn drive(address: SocketAddr, request: &[u8], duration: Duration) -> io::Result<u64> {
    let length = answer_length(address, request).await?;
    let answered = AtomicU64::new(0);
    let clients = (0..CONNECTIONS).map(|_| send_again_and_again(address, request, length, &answered));
    // The time limit is the end of the round, not a failure.
    match timeout(duration, futures::future::try_join_all(clients)).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(_)) | Err(_) => Ok(answered.load(Ordering::Relaxed)),
    }
}

async fn send_again_and_again(
    address: SocketAddr,
    request: &[u8],
    length: usize,
    answered: &AtomicU64,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut answer = vec![0; length];
    loop {
        stream.write_all(request).await?;
        stream.read_exact(&mut answer).await?;
        check(&answer)?;
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

async fn answer_length(address: SocketAddr, request: &[u8]) -> io::Result<usize> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request).await?;
    let mut answer = Vec::new();
    loop {
        stream.read_buf(&mut answer).await?;
        if let Some(length) = whole_length(&answer)
            && answer.len() >= length
        {
            check(&answer)?;
            return Ok(length);
        }
    }
}

fn check(answer: &[u8]) -> io::Result<()> {
    if answer.starts_with(b"HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(io::Error::other("an answer is not 200"))
    }
}

fn whole_length(answer: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let body = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    Some(head.len() + 4 + body.parse::<usize>().ok()?)
}
