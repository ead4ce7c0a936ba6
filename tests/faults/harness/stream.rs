//! An event stream that is open throughout a fault.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use test_support::http::{Connection, Request, Writer};

use super::environments::Environment;

/// A listener on a thread of its own.
pub(crate) struct Stream {
    writer: Writer,
    is_ended: Arc<AtomicBool>,
    heard: Arc<Mutex<Heard>>,
    thread: JoinHandle<()>,
}

/// What a listener heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The `updated_at` of each event.
    pub(crate) events: Vec<f64>,
    /// Why it ended before it was asked to.
    pub(crate) lost: Option<String>,
}

impl Stream {
    /// Subscribes, which is answered at once, with a document or without.
    pub(crate) fn open(address: SocketAddr, environment: &Environment) -> Self {
        let mut connection = Connection::open(address);
        let key = environment.client_side_key;
        connection.write_request(&Request::get(&format!("/sse/environments/{key}/stream")));
        assert_eq!(connection.read_head().status, 200);
        let is_ended = Arc::new(AtomicBool::new(false));
        let writer = connection.duplicate();
        let heard = Arc::<Mutex<Heard>>::default();
        let (ended, hears) = (Arc::clone(&is_ended), Arc::clone(&heard));
        let thread = thread::spawn(move || listen(connection, &ended, &hears));
        Self {
            writer,
            is_ended,
            heard,
            thread,
        }
    }

    /// Ends the connection.
    pub(crate) fn end(self) -> Heard {
        self.is_ended.store(true, Ordering::Relaxed);
        self.writer.end();
        self.thread.join().expect("a listener without a panic");
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    /// How many events have come.
    pub(crate) fn events(&self) -> usize {
        self.heard.lock().unwrap().events.len()
    }
}

fn listen(mut connection: Connection, is_ended: &AtomicBool, heard: &Mutex<Heard>) {
    loop {
        let frame = connection.try_chunk();
        match frame {
            Ok(Some(frame)) => heard.lock().unwrap().events.extend(updated_at(&frame)),
            _ if is_ended.load(Ordering::Relaxed) => return,
            ended => {
                heard.lock().unwrap().lost = Some(format!("{ended:?}"));
                return;
            }
        }
    }
}

/// `None`: no event.
fn updated_at(frame: &str) -> Option<f64> {
    let (_, data) = frame.split_once("data: {\"updated_at\": ")?;
    data.split_once('}')?.0.parse().ok()
}
