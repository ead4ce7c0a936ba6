//! The upstream's threads: one accepts, and one for each connection reads and answers.
use std::collections::HashMap;
use std::io::BufReader;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::Duration;

use socket2::SockRef;
use tokio::sync::watch;

use super::answer::{Answer, End};
use super::received::ReceivedRequest;
use super::tunnel;

pub(super) type Script = dyn Fn(&ReceivedRequest) -> Answer + Send + Sync;

/// What the threads and the test share.
pub(super) struct Shared {
    pub(super) script: RwLock<Arc<Script>>,
    pub(super) requests: Mutex<Vec<ReceivedRequest>>,
    pub(super) count: watch::Sender<usize>,
    /// Those who were answered with an event stream.
    pub(super) listeners: watch::Sender<Vec<TcpStream>>,
    /// Connections accepted so far.
    pub(super) accepted: AtomicUsize,
    /// All that are open, by the number of their acceptance.
    pub(super) connections: Mutex<HashMap<usize, TcpStream>>,
}

/// Accepts connections until `listening` is false.
pub(super) fn accept(listener: &TcpListener, shared: &Arc<Shared>, listening: &AtomicBool) {
    for stream in listener.incoming().flatten() {
        if !listening.load(Ordering::SeqCst) {
            break;
        }
        let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
        // An answer is several writes; without this the second waits for 40 ms.
        let _ = stream.set_nodelay(true);
        let second = second_handle(&stream);
        shared.connections.lock().unwrap().insert(number, second);
        let shared = Arc::clone(shared);
        thread::spawn(move || {
            shared.serve(stream);
            shared.connections.lock().unwrap().remove(&number);
        });
    }
}

/// The connection is reset when the last handle of its socket is dropped.
fn reset(stream: &TcpStream) {
    let _ = SockRef::from(stream).set_linger(Some(Duration::ZERO));
}

fn second_handle(stream: &TcpStream) -> TcpStream {
    stream.try_clone().expect("a second handle")
}

impl Shared {
    pub(super) fn new(script: Arc<Script>) -> Self {
        Self {
            script: RwLock::new(script),
            requests: Mutex::default(),
            count: watch::Sender::new(0),
            listeners: watch::Sender::default(),
            accepted: AtomicUsize::new(0),
            connections: Mutex::default(),
        }
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(second_handle(&stream));
        while let Some(request) = ReceivedRequest::read(&mut reader) {
            let script = Arc::clone(&self.script.read().unwrap());
            self.requests.lock().unwrap().push(request.clone());
            self.count.send_modify(|count| *count += 1);
            let answer = script(&request);
            if answer.end == End::Hang {
                continue;
            }
            if let End::Tunnel(way) = answer.end {
                return tunnel::serve(stream, &answer, way);
            }
            if answer.write(&mut stream).is_err() || !answer.stays_open() {
                if answer.end == End::Reset {
                    return reset(&stream);
                }
                break;
            }
            if answer.end == End::Stream {
                // Not before, so that nothing is told to a listener ahead of its answer's head.
                self.listeners
                    .send_modify(|listeners| listeners.push(second_handle(&stream)));
            }
        }
        let _ = stream.shutdown(Shutdown::Both);
    }
}
