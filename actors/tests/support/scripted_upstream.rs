//! An upstream that answers as a test says, over real sockets. Depends on std and tokio's `watch` alone, so that the
//! tests of other crates can include it by path.
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Answers requests on a port that the system chose; stops when dropped.
pub struct ScriptedUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Arc<AtomicBool>,
}

type Script = dyn Fn(&Request) -> Answer + Send + Sync;

struct Shared {
    script: RwLock<Arc<Script>>,
    requests: Mutex<Vec<Request>>,
    count: watch::Sender<usize>,
    connections: Mutex<Vec<TcpStream>>,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub at: Instant,
}

impl Request {
    /// A header by name, any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// What to answer.
#[derive(Debug, Clone)]
pub struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    KeepAlive,
    /// The connection closes without having said so.
    Close,
    /// The declared length is never reached.
    Truncated,
    /// The declared length is never reached, and the connection stays open.
    Stalling,
    /// Nothing is answered and the connection stays open.
    Hang,
}

impl Answer {
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            end: End::KeepAlive,
        }
    }

    pub fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::ok("")
        }
    }

    pub fn hang() -> Self {
        Self {
            end: End::Hang,
            ..Self::ok("")
        }
    }

    pub fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// Says the whole length, sends half of the body, and closes.
    pub fn truncated(mut self) -> Self {
        self.end = End::Truncated;
        self
    }

    /// Says the whole length, sends half of the body, and stays silent.
    pub fn stalling(mut self) -> Self {
        self.end = End::Stalling;
        self
    }

    /// Closes the connection after the answer, without announcing it.
    pub fn closing(mut self) -> Self {
        self.end = End::Close;
        self
    }

    fn write(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let mut head = format!("HTTP/1.1 {} Scripted\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let is_length_given = self
            .headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        if self.status != 304 && !is_length_given {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        let is_whole = matches!(self.end, End::KeepAlive | End::Close);
        let sent = if is_whole {
            self.body.len()
        } else {
            self.body.len() / 2
        };
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body[..sent])
    }
}

impl ScriptedUpstream {
    /// Starts with this script.
    pub fn start(script: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let upstream = Self {
            address: listener.local_addr().expect("an address"),
            shared: Arc::new(Shared {
                script: RwLock::new(Arc::new(script)),
                requests: Mutex::default(),
                count: watch::Sender::new(0),
                connections: Mutex::default(),
            }),
            listening: Arc::new(AtomicBool::new(true)),
        };
        upstream.accept(listener);
        upstream
    }

    /// `api_url` for a configuration.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    /// `http://host:port`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers by another script from now on.
    pub fn script(&self, script: impl Fn(&Request) -> Answer + Send + Sync + 'static) {
        *self.shared.script.write().unwrap() = Arc::new(script);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The number of requests so far, to wait on.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Resolves when so many requests have come in all.
    pub async fn wait_for(&self, requests: usize) {
        let mut count = self.count();
        let waiting = count.wait_for(|count| *count >= requests);
        tokio::time::timeout(Duration::from_secs(20), waiting)
            .await
            .expect("requests in time")
            .expect("upstream");
    }

    /// Resolves when so many requests have come from now on.
    pub async fn wait_for_more(&self, requests: usize) {
        let now = *self.count().borrow();
        self.wait_for(now + requests).await;
    }

    /// Refuses connections and breaks the open ones.
    pub fn go_down(&self) {
        if self.listening.swap(false, Ordering::SeqCst) {
            // Wakes the accepting thread, which closes the port and says so.
            drop(TcpStream::connect(self.address));
            while TcpStream::connect(self.address).is_ok() {
                thread::yield_now();
            }
        }
        for connection in self.shared.connections.lock().unwrap().drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Listens again on the same port.
    pub fn come_up(&self) {
        self.listening.store(true, Ordering::SeqCst);
        self.accept(TcpListener::bind(self.address).expect("the port from before"));
    }

    fn accept(&self, listener: TcpListener) {
        let (shared, listening) = (Arc::clone(&self.shared), Arc::clone(&self.listening));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if !listening.load(Ordering::SeqCst) {
                    break;
                }
                shared
                    .connections
                    .lock()
                    .unwrap()
                    .push(stream.try_clone().expect("a second handle"));
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(stream));
            }
        });
    }
}

impl Drop for ScriptedUpstream {
    fn drop(&mut self) {
        self.go_down();
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        while let Some(request) = read_request(&mut reader) {
            let script = Arc::clone(&self.script.read().unwrap());
            self.requests.lock().unwrap().push(request.clone());
            self.count.send_modify(|count| *count += 1);
            let answer = script(&request);
            if answer.end == End::Hang {
                continue;
            }
            if answer.write(&mut stream).is_err() || !matches!(answer.end, End::KeepAlive | End::Stalling) {
                break;
            }
        }
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Reads a request without a body.
fn read_request(reader: &mut impl BufRead) -> Option<Request> {
    let mut line = || {
        let mut line = String::new();
        let bytes = reader.read_line(&mut line).ok()?;
        (bytes > 0).then(|| line.trim_end().to_owned())
    };
    let start = line()?;
    let mut parts = start.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let header = line()?;
        if header.is_empty() {
            return Some(Request {
                method,
                target,
                headers,
                at: Instant::now(),
            });
        }
        let (name, value) = header.split_once(':')?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
}
