//! Many event streams from several loopback addresses, so that there may be more than one address has ports.
use std::cell::{Cell, RefCell};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::{Duration, Instant};

use engine::UpdatedAt;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::server::CLIENT_SIDE_KEY;

const ADDRESSES: usize = 8;
/// How many connect at a time.
const CONNECTING: usize = 100;

/// What all streams report to.
pub(crate) struct Board {
    pub open: Cell<usize>,
    pub opened: Cell<usize>,
    pub refused: Cell<usize>,
    pub ended_cleanly: Cell<usize>,
    pub cut: Cell<usize>,
    /// The change that is awaited, as it stands in the event, and since when.
    awaited: RefCell<Option<(String, Instant)>>,
    /// How long each stream waited for it.
    pub latencies: RefCell<Vec<Duration>>,
    /// One permit for each delivery.
    pub deliveries: Semaphore,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            open: Cell::default(),
            opened: Cell::default(),
            refused: Cell::default(),
            ended_cleanly: Cell::default(),
            cut: Cell::default(),
            awaited: RefCell::default(),
            latencies: RefCell::default(),
            deliveries: Semaphore::new(0),
        }
    }
}

impl Board {
    /// From now on deliveries of this change count.
    pub(crate) fn await_change(&self, updated_at: UpdatedAt) {
        self.latencies.borrow_mut().clear();
        *self.awaited.borrow_mut() = Some((format!("\"updated_at\": {updated_at}}}"), Instant::now()));
    }

    fn read(&self, text: &[u8]) -> bool {
        let awaited = self.awaited.borrow();
        let Some((event, since)) = awaited.as_ref() else {
            return false;
        };
        let is_delivered = text.windows(event.len()).any(|part| part == event.as_bytes());
        if is_delivered {
            self.latencies.borrow_mut().push(since.elapsed());
            self.deliveries.add_permits(1);
        }
        is_delivered
    }

    pub(crate) async fn until(&self, is_reached: impl Fn(&Self) -> bool, patience: Duration) -> bool {
        let deadline = Instant::now() + patience;
        while !is_reached(self) && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        is_reached(self)
    }
}

fn add(cell: &Cell<usize>, number: usize) {
    cell.set(cell.get() + number);
}

pub(crate) struct Fleet {
    pub board: Rc<Board>,
    streams: Vec<JoinHandle<()>>,
}

/// What each stream does besides listening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Reads until the stream ends.
    Once,
    /// Reconnects after the time that `retry:` names.
    Again,
}

impl Fleet {
    /// Opens so many streams and waits until all are answered.
    pub(crate) async fn open(server: SocketAddr, count: usize, manner: Manner) -> Self {
        let board = Rc::new(Board::default());
        let connecting = Rc::new(Semaphore::new(CONNECTING));
        let mut streams = Vec::with_capacity(count);
        for place in 0..count {
            let (board, connecting) = (Rc::clone(&board), Rc::clone(&connecting));
            streams.push(tokio::task::spawn_local(async move {
                loop {
                    let permit = connecting.acquire().await.expect("never closed");
                    let opened = connect(server, place, 4096).await;
                    drop(permit);
                    match opened {
                        Ok(connection) => listen(connection, &board).await,
                        Err(_) => add(&board.refused, 1),
                    }
                    if manner == Manner::Once {
                        return;
                    }
                    // As `retry:` would have it, in the middle of what it may be.
                    tokio::time::sleep(Duration::from_millis(2_000)).await;
                }
            }));
        }
        let all = board
            .until(
                |board| board.opened.get() + board.refused.get() >= count,
                Duration::from_secs(120),
            )
            .await;
        assert!(all, "only {} of {count} streams opened", board.opened.get());
        Self { board, streams }
    }

    pub(crate) fn len(&self) -> usize {
        self.streams.len()
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for stream in &self.streams {
            stream.abort();
        }
    }
}

/// Connects and asks for the stream; the answer has not been read.
pub(crate) async fn connect(server: SocketAddr, place: usize, receive_buffer: u32) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(receive_buffer)?;
    let last = u8::try_from(2 + place % ADDRESSES).unwrap_or(2);
    socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)))?;
    let mut stream = socket.connect(server).await?;
    let request = format!(
        "GET /sse/environments/{CLIENT_SIDE_KEY}/stream HTTP/1.1\r\nHost: load\r\nAccept: text/event-stream\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    Ok(stream)
}

async fn listen(mut connection: TcpStream, board: &Board) {
    let mut received = [0; 1024];
    let mut is_open = false;
    let mut has_last_chunk = false;
    // What is read at a time is what was written at a time: an event is one write.
    while let Ok(read) = connection.read(&mut received).await {
        let text = &received[..read];
        if read == 0 {
            break;
        }
        if !is_open {
            if !text.starts_with(b"HTTP/1.1 200") {
                add(&board.refused, 1);
                return;
            }
            is_open = true;
            add(&board.opened, 1);
            add(&board.open, 1);
        }
        board.read(text);
        has_last_chunk = text.ends_with(b"0\r\n\r\n");
    }
    if is_open {
        board.open.set(board.open.get() - 1);
        add(
            if has_last_chunk {
                &board.ended_cleanly
            } else {
                &board.cut
            },
            1,
        );
    } else {
        add(&board.refused, 1);
    }
}
