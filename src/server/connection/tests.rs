//! The wrapper over real sockets.
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream as Peer};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use futures::FutureExt as _;
use futures::future::poll_fn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;
use crate::budget::ByteBudget;
use crate::live::Live;
use crate::server::open_files::Shares;
use crate::server::places::Places;

/// A connection, its worker without a timer, and its peer.
fn connected() -> (Connection<TcpStream>, Rc<Worker>, Peer) {
    connected_until(PlannedEnd::default())
}

/// The same with a planned end.
fn connected_until(planned_end: PlannedEnd) -> (Connection<TcpStream>, Rc<Worker>, Peer) {
    // A tick a second.
    connected_for(Duration::from_secs(5), planned_end)
}

/// The same with five ticks in the time of a head.
fn connected_for(
    request_head: Duration,
    planned_end: PlannedEnd,
) -> (Connection<TcpStream>, Rc<Worker>, Peer) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = Peer::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    accepted.set_nonblocking(true).unwrap();
    let worker = worker_of(&Places::new(Shares::of(64, 1, 1)), request_head, planned_end);
    let arrival = Arrival::admit(TcpStream::from_std(accepted).unwrap(), &worker).unwrap();
    let connection = Plain.open(arrival).now_or_never().flatten().unwrap();
    (connection, worker, peer)
}

fn worker_of(places: &Places, request_head: Duration, planned_end: PlannedEnd) -> Rc<Worker> {
    let times = ConnectionTimes {
        request_head,
        keep_alive: Duration::from_secs(75),
        read_off: Duration::ZERO,
        planned_end,
    };
    let refusals = RefusalAnswers::new(|_| b"HTTP/1.1 408 Request Timeout\r\n\r\n".to_vec());
    Rc::new(Worker::new(times, 1, &ByteBudget::new(0), places, &refusals))
}

/// Lets time pass until the worker ends the connection: how many seconds, and why.
fn ended_after(worker: &Worker, state: &ConnectionState) -> (u32, End) {
    for second in 1..1_000 {
        worker.tick();
        if let Some(end) = state.ending() {
            return (second, end);
        }
    }
    panic!("it goes on for ever");
}

#[actix_web::test]
async fn it_knows_its_peer() {
    let (connection, _, peer) = connected();
    assert_eq!(connection.peer_address(), Some(peer.local_addr().unwrap()));
}

#[actix_web::test]
async fn what_the_socket_does_not_take_is_unsent_until_the_peer_reads() {
    let (mut connection, _, mut peer) = connected();
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

#[actix_web::test]
async fn a_connection_without_a_request_ends_like_a_slow_head() {
    let (connection, worker, _peer) = connected();
    assert_eq!(ended_after(&worker, connection.state()), (6, End::SlowHead));
}

#[actix_web::test]
async fn a_request_takes_its_time_and_the_head_behind_it_does_not() {
    let (connection, worker, _peer) = connected();
    let state = connection.state();
    for has_body in [false, true] {
        assert!(state.note_read(b"GET / HTTP/1.1\r\n\r\n"));
        state.begin_request(has_body);
        (0..500).for_each(|_| worker.tick());
        state.answer_request();
        (0..500).for_each(|_| worker.tick());
        state.end_request(has_body);
        (0..50).for_each(|_| worker.tick());
        assert_eq!(state.ending(), None);
    }
    // Some of it every second.
    for _ in 0..5 {
        assert!(state.note_read(b"G"));
        worker.tick();
    }
    assert_eq!(state.ending(), None);
    assert_eq!(ended_after(&worker, state), (1, End::SlowHead));
}

#[actix_web::test]
async fn a_head_that_came_with_the_one_before_is_timed_from_its_answer() {
    let (connection, worker, _peer) = connected();
    let state = connection.state();
    assert!(state.note_read(b"GET / HTTP/1.1\r\n\r\nG"));
    state.begin_request(false);
    state.end_request(false);
    assert_eq!(ended_after(&worker, state), (6, End::SlowHead));
}

#[actix_web::test]
async fn an_idle_connection_ends_where_the_dispatcher_forgot_it() {
    let (connection, worker, _peer) = connected();
    let state = connection.state();
    state.begin_request(true);
    state.end_request(true);
    assert_eq!(ended_after(&worker, state), (79, End::Idle));
}

#[actix_web::test]
async fn a_head_that_is_not_read_because_answers_are_unread_is_not_slow() {
    let (connection, worker, _peer) = connected();
    let state = connection.state();
    assert!(state.note_read(b"GET / HTTP/1.1\r\n\r\nG"));
    state.begin_request(false);
    state.end_request(false);
    state.note_unsent(1_000);
    (0..20).for_each(|_| worker.tick());
    assert_eq!(state.ending(), None);
    state.note_unsent(0);
    assert_eq!(ended_after(&worker, state), (6, End::SlowHead));
}

/// A request without a body comes and is answered.
fn serve_one(state: &Rc<ConnectionState>) {
    state.begin_request(false);
    state.answer_request();
    state.end_request(false);
}

/// What the connection reads by now: `None`: nothing, and no end.
fn read_now(connection: &mut Connection<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(100);
    let read = connection.read_buf(&mut bytes).now_or_never()?;
    read.unwrap();
    Some(bytes)
}

#[actix_web::test]
async fn a_connection_in_use_is_due_at_its_age_and_ends_by_its_answer() {
    let age = Duration::from_secs(100);
    let (connection, worker, _peer) = connected_until(PlannedEnd {
        age: Some(age),
        requests: None,
    });
    let state = connection.state();
    let mut seconds = 0;
    while !state.is_due() {
        // It is asked something every second: nothing but an answer may end it.
        serve_one(state);
        worker.tick();
        seconds += 1;
    }
    assert!((90..=111).contains(&seconds), "{seconds}");
    assert!(!state.takes_leave());
    assert_eq!(state.ending(), None);
}

#[actix_web::test]
async fn an_idle_connection_ends_at_its_age_unless_something_has_come() {
    let (mut connection, worker, mut peer) = connected_until(PlannedEnd {
        age: Some(Duration::from_secs(20)),
        requests: None,
    });
    serve_one(&Rc::clone(connection.state()));
    assert_eq!(read_now(&mut connection), None);
    (0..23).for_each(|_| worker.tick());
    assert!(connection.state().takes_leave());
    peer.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    assert_eq!(
        read_now(&mut connection),
        None,
        "it has come, though the runtime has not heard of it"
    );
    let mut request = Vec::with_capacity(100);
    connection.read_buf(&mut request).await.unwrap();
    assert_eq!(request, b"GET / HTTP/1.1\r\n\r\n");
    connection.state().begin_as_a_test(0);
    assert!(connection.state().is_due(), "its answer is the last");
    connection.state().end_request(false);
    connection.write_all(b"answer").await.unwrap();
    assert_eq!(read_now(&mut connection), Some(Vec::new()));
}

#[actix_web::test]
async fn a_connection_between_two_requests_is_not_ended() {
    // Ticks of a second, of 200 ms and of 20 ms: it is idle for two seconds each time, and a tick at most.
    for (request_head, ticks) in [(5_000, 3), (1_000, 11), (100, 101)] {
        let planned_end = PlannedEnd {
            age: Some(Duration::from_secs(10)),
            requests: None,
        };
        let (connection, worker, _peer) = connected_for(Duration::from_millis(request_head), planned_end);
        let state = connection.state();
        // An answer whose head was written before the age.
        state.begin_request(false);
        (0..20 * ticks).for_each(|_| worker.tick());
        assert!(state.is_due() && !state.takes_leave(), "a request in progress");
        state.end_request(false);
        (1..ticks).for_each(|_| worker.tick());
        assert!(!state.takes_leave(), "its client may be about to ask again");
        worker.tick();
        assert!(state.takes_leave());
    }
}

#[actix_web::test]
async fn idle_connections_leave_where_there_are_fewer_places_than_before() {
    let places = Places::new(Shares::of(64, 1, 1));
    let worker = worker_of(&places, Duration::from_secs(5), PlannedEnd::default());
    let connections: Vec<_> = (0..5)
        .map(|_| ConnectionState::new(&worker, worker.admit().unwrap()))
        .collect();
    connections.iter().for_each(serve_one);
    let [in_use, idle @ ..] = &connections[..] else {
        panic!("there are five")
    };
    in_use.begin_request(false);
    let ended = || {
        idle.iter()
            .filter(|state| state.ending() == Some(End::Idle))
            .count()
    };
    places.serve(3);
    (0..2).for_each(|_| worker.tick());
    assert_eq!(ended(), 0, "their clients may be about to ask again");
    (0..10).for_each(|_| worker.tick());
    assert_eq!(ended(), 2);
    places.serve(0);
    (0..10).for_each(|_| worker.tick());
    assert_eq!(ended(), 4);
    assert_eq!(in_use.ending(), None);
}

#[actix_web::test]
async fn a_connection_is_due_after_its_last_request() {
    let (connection, worker, _peer) = connected_until(PlannedEnd {
        age: None,
        requests: Some(3),
    });
    let state = connection.state();
    serve_one(state);
    serve_one(state);
    assert!(!state.is_due());
    state.begin_request(false);
    assert!(state.is_due());
    (0..50).for_each(|_| worker.tick());
    assert!(!state.takes_leave(), "the request is in progress");
}

#[actix_web::test]
async fn times_hold_where_the_number_of_the_workers_time_begins_anew() {
    let planned_end = PlannedEnd {
        age: Some(Duration::from_secs(20)),
        requests: None,
    };
    let (first, worker, _peer) = connected_until(planned_end);
    worker.set_now(u32::MAX - 3);
    let state = ConnectionState::new(&worker, worker.admit().unwrap());
    serve_one(&state);
    let mut seconds = 0;
    while !state.is_due() {
        worker.tick();
        seconds += 1;
    }
    assert!((18..=23).contains(&seconds), "{seconds}");
    drop(first);

    let slow = ConnectionState::new(&worker, worker.admit().unwrap());
    worker.set_now(u32::MAX - 3);
    serve_one(&slow);
    slow.note_head();
    assert_eq!(ended_after(&worker, &slow), (6, End::SlowHead));
}

#[actix_web::test]
async fn each_head_among_several_requests_has_its_time() {
    let (connection, worker, _peer) = connected_until(PlannedEnd {
        age: None,
        requests: None,
    });
    let state = connection.state();
    state.begin_multiplexed();
    state.begin_stream();
    for head in 1..50 {
        // Reading ends inside a head each time, and never inside the same.
        state.note_partial_head(Some(head));
        worker.tick();
    }
    assert_eq!(state.ending(), None);
    let mut ticks = 0;
    while state.ending().is_none() {
        state.note_partial_head(Some(50));
        worker.tick();
        ticks += 1;
    }
    assert_eq!((ticks, state.ending()), (6, Some(End::SlowHead)));
}

#[actix_web::test]
async fn connections_that_are_there_follow_a_new_configuration() {
    let (first, worker, _peer) = connected_until(PlannedEnd::default());
    let terms = |age, requests, requests_in_flight| ConnectionTerms {
        planned_end: PlannedEnd { age, requests },
        requests_in_flight,
    };
    let live = Live::new(terms(None, None, 8));
    worker.follow(&live);
    let state = Rc::clone(first.state());
    serve_one(&state);
    worker.tick();
    (0..8).for_each(|_| worker.take_request());
    assert!(!state.is_due() && !worker.is_full());
    live.replace(terms(None, Some(1), 7));
    assert!(!state.is_due() && !worker.is_full(), "the next tick brings it");
    worker.tick();
    assert!(state.is_due() && worker.is_full());
    live.replace(terms(Some(Duration::from_secs(20)), None, 8));
    worker.tick();
    assert!(!state.is_due() && !worker.is_full());
    // The time from before counts.
    let ticks = (0..100).take_while(|_| {
        worker.tick();
        !state.is_due()
    });
    assert!((14..=21).contains(&ticks.count()));
}
