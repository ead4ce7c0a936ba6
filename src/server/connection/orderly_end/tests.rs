//! Connections that end, over real sockets.
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream as Peer};
use std::rc::Rc;

use actix_web::rt::net::TcpStream;
use actix_web::rt::task::yield_now;
use futures::FutureExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::super::{
    Arrival, Connection, ConnectionTimes, Opening as _, Plain, PlannedEnd, RefusalAnswers, Worker,
};
use super::*;
use crate::budget::ByteBudget;
use crate::server::open_files::Shares;
use crate::server::places::Places;

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(600);

/// A worker's end of one connection, and its peer.
struct Pair {
    connection: Connection<TcpStream>,
    peer: Peer,
    worker: Rc<Worker>,
    places: Places,
}

fn plain(accepted: TcpStream, worker: &Rc<Worker>) -> Connection<TcpStream> {
    let arrival = Arrival::admit(accepted, worker).unwrap();
    Plain.open(arrival).now_or_never().flatten().unwrap()
}

impl Pair {
    /// `patience`: how long what comes after the end is read off.
    fn connected(patience: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = Peer::connect(listener.local_addr().unwrap()).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        accepted.set_nonblocking(true).unwrap();
        let times = ConnectionTimes {
            request_head: LONG,
            keep_alive: LONG,
            read_off: patience,
            planned_end: PlannedEnd::default(),
        };
        let places = Places::new(Shares::of(64, 1, 1));
        let refusals = RefusalAnswers::new(|_| b"HTTP/1.1 408 Request Timeout\r\n\r\n".to_vec());
        let worker = Worker::start(times, 1, &ByteBudget::new(0), &places, &refusals);
        Self {
            connection: plain(TcpStream::from_std(accepted).unwrap(), &worker),
            peer,
            worker,
            places,
        }
    }

    /// Reads the head of a request, which begins; `body` is its length.
    async fn read_request(&mut self, body: u64) {
        let head = format!("POST / HTTP/1.1\r\nContent-Length: {body}\r\n\r\n");
        self.peer.write_all(head.as_bytes()).unwrap();
        assert_eq!(self.read().await, head.as_bytes());
        self.connection.state().begin_as_a_test(body);
    }

    /// Answers it.
    async fn answer(&mut self) {
        self.connection.state().end_request(true);
        self.connection.write_all(b"answer").await.unwrap();
    }

    /// What there is to read by now; `None`: nothing, and no end.
    fn read_now(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::with_capacity(100);
        self.connection.read_buf(&mut bytes).now_or_never().map(|read| {
            read.unwrap();
            bytes
        })
    }

    async fn read(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(100);
        self.connection.read_buf(&mut bytes).await.unwrap();
        bytes
    }
}

#[actix_web::test]
async fn an_idle_connection_looks_finished_when_the_stop_begins() {
    let mut pair = Pair::connected(LONG);
    pair.read_request(0).await;
    pair.answer().await;
    let worker = Rc::clone(&pair.worker);
    let (end, ()) = futures::join!(pair.read(), async { worker.begin_stop() });
    assert_eq!(end, b"");
}

#[actix_web::test]
async fn a_request_that_has_come_in_part_is_read_on() {
    let mut pair = Pair::connected(LONG);
    pair.read_request(4).await;
    pair.worker.begin_stop();
    assert_eq!(pair.read_now(), None, "it waits for its answer");
    pair.connection.write_all(CONTINUE).await.unwrap();
    assert_eq!(pair.read_now(), None, "it waits for its answer still");
    pair.peer.write_all(b"body").unwrap();
    assert_eq!(pair.read().await, b"body");
    pair.answer().await;
    assert_eq!(pair.read_now().unwrap(), b"", "it is idle");
}

#[actix_web::test]
async fn a_request_that_has_arrived_and_is_unread_is_read() {
    let mut pair = Pair::connected(LONG);
    assert_eq!(pair.read_now(), None);
    pair.worker.begin_stop();
    // The runtime has had no turn to hear of these bytes from the system.
    let request = b"GET / HTTP/1.1\r\n\r\n";
    pair.peer.write_all(request).unwrap();
    assert_eq!(pair.read_now(), None);
    assert_eq!(pair.read().await, request);
}

#[actix_web::test]
async fn after_the_announced_end_what_comes_is_read_off_and_resets_nothing() {
    let mut pair = Pair::connected(LONG);
    pair.connection.write_all(b"answer").await.unwrap();
    let mut end = actix_web::rt::spawn(async move { pair.connection.shutdown().await });
    pair.places.none_taken().await;
    assert!(pair.places.none_open().now_or_never().is_none());
    let mut answer = Vec::new();
    pair.peer.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"answer");
    for _ in 0..100 {
        pair.peer.write_all(&[b'x'; 1000]).unwrap();
        yield_now().await;
    }
    assert!((&mut end).now_or_never().is_none(), "it waits for the peer's end");
    drop(pair.peer);
    end.await.unwrap().unwrap();
    pair.places.none_open().await;
}

#[actix_web::test]
async fn reading_off_is_bounded_in_time_and_in_bytes() {
    let mut patient = Pair::connected(Duration::ZERO);
    patient.connection.shutdown().await.unwrap();

    let mut flooded = Pair::connected(LONG);
    flooded.peer.set_nonblocking(true).unwrap();
    let end = actix_web::rt::spawn(async move { flooded.connection.shutdown().await });
    while !end.is_finished() {
        // An error: the socket is full, or the connection has ended.
        let _ = flooded.peer.write(&[b'x'; 65_536]);
        yield_now().await;
    }
    end.await.unwrap().unwrap();
}

#[actix_web::test]
async fn a_peer_that_has_finished_is_not_waited_for() {
    let mut pair = Pair::connected(LONG);
    pair.peer.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(pair.read().await, b"");
    pair.connection.shutdown().await.unwrap();
}
