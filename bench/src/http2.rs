//! The load over HTTP/2: so many connections, each with so many requests at a time.
use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::load::Round;
use crate::statistics::Sample;

/// Connections held at once.
const CONNECTIONS: usize = 8;

/// Requests at a time on each of them.
pub const AT_A_TIME: usize = 10;

/// Sends a request over and over for a while. Every answer must have this status and a body of this length: the servers
/// measured here give the same answer every time.
///
/// # Errors
/// Where a connection fails, or an answer is another one.
pub async fn drive(
    address: SocketAddr,
    request: &http::Request<()>,
    status: u16,
    length: usize,
    duration: Duration,
) -> io::Result<Round> {
    let latencies = RefCell::new(Vec::new());
    let mut clients = Vec::new();
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = h2::client::handshake(stream).await.map_err(io::Error::other)?;
        connections.push(tokio::spawn(connection));
        for _ in 0..AT_A_TIME {
            clients.push(send_again_and_again(
                sender.clone(),
                request,
                status,
                length,
                &latencies,
            ));
        }
    }
    // The time limit is the end of the round, not a failure.
    let outcome = timeout(duration, futures::future::try_join_all(clients)).await;
    connections.iter().for_each(tokio::task::JoinHandle::abort);
    if let Ok(Err(error)) = outcome {
        return Err(error);
    }
    let latencies = latencies.into_inner();
    Ok(Round {
        answered: latencies.len(),
        latencies: Sample::new(latencies.into_iter().map(f64::from)),
    })
}

async fn send_again_and_again(
    sender: SendRequest<Bytes>,
    request: &http::Request<()>,
    status: u16,
    length: usize,
    latencies: &RefCell<Vec<f32>>,
) -> io::Result<()> {
    loop {
        let sent = Instant::now();
        let answered = send(sender.clone(), request.clone())
            .await
            .map_err(io::Error::other)?;
        if answered != (status, length) {
            return Err(io::Error::other(format!("answered {answered:?}")));
        }
        latencies.borrow_mut().push(sent.elapsed().as_secs_f32() * 1e6);
    }
}

/// Sends a request and reads its answer: the status, and how long the body is.
///
/// # Errors
/// Where the connection or the stream fails.
pub async fn send(sender: SendRequest<Bytes>, request: http::Request<()>) -> Result<(u16, usize), h2::Error> {
    let (response, _) = sender.ready().await?.send_request(request, true)?;
    let (head, mut body) = response.await?.into_parts();
    let mut length = 0;
    while let Some(piece) = body.data().await {
        let piece = piece?;
        length += piece.len();
        body.flow_control().release_capacity(piece.len())?;
    }
    Ok((head.status.as_u16(), length))
}
