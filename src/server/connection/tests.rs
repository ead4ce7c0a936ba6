//! The wrapper over real sockets.
use std::io::Read as _;
use std::net::{TcpListener, TcpStream as Peer};

use futures::future::poll_fn;

use super::*;

/// A connection and its peer.
fn connected() -> (Connection, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = Peer::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    accepted.set_nonblocking(true).unwrap();
    (
        Connection::new(TcpStream::from_std(accepted).unwrap(), &ByteBudget::new(0)),
        peer,
    )
}

#[actix_web::test]
async fn it_knows_its_peer() {
    let (connection, peer) = connected();
    assert_eq!(connection.peer_address(), Some(peer.local_addr().unwrap()));
}

#[actix_web::test]
async fn what_the_socket_does_not_take_is_unsent_until_the_peer_reads() {
    let (mut connection, mut peer) = connected();
    let state = Rc::clone(connection.state());
    let bytes = vec![b'x'; 100_000];
    let mut written = 0;
    poll_fn(|cx| {
        while let Poll::Ready(taken) = Pin::new(&mut connection).poll_write(cx, &bytes) {
            written += taken.unwrap();
            assert_eq!(state.unsent(), 0);
        }
        Poll::Ready(())
    })
    .await;
    assert_eq!(state.unsent(), bytes.len());
    let mut received = vec![0; written];
    peer.read_exact(&mut received).unwrap();
    poll_fn(|cx| Pin::new(&mut connection).poll_write(cx, &bytes))
        .await
        .unwrap();
    assert_eq!(state.unsent(), 0);
}
