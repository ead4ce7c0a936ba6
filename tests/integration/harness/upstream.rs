//! A Flagsmith API and realtime service for tests, on a port of its own: it serves one document, and one stream.
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Longer than anything that is awaited takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Runs until the test's process ends.
pub struct FakeUpstream {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    document: Option<Value>,
    /// When each document was fetched, and whether `If-Modified-Since` came along.
    fetches: Vec<(Instant, bool)>,
    /// Connections of those who listen to changes.
    listeners: Vec<TcpStream>,
}

impl FakeUpstream {
    /// Serves this document.
    pub fn start(document: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let upstream = Self { address, shared };
        upstream.state().document = Some(document.clone());
        let shared = Arc::clone(&upstream.shared);
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(connection, &shared));
            }
        });
        upstream
    }

    /// Options of `config.json` that name it, with polls an hour apart.
    pub fn config(&self) -> Value {
        json!({
            "environment_key_pairs": [{"client_side_key": "client-key", "server_side_key": "ser.server-key"}],
            "api_url": format!("http://{}/api/v1", self.address),
            "api_poll_frequency_seconds": 3600,
        })
    }

    /// Where its realtime service is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this document is served.
    pub fn serve(&self, document: &Value) {
        self.state().document = Some(document.clone());
    }

    /// How many times the document has been fetched.
    pub fn fetches(&self) -> usize {
        self.state().fetches.len()
    }

    /// Waits until so many fetches have come, and tells whether the last of them was unconditional.
    pub fn until_fetched(&self, count: usize) -> bool {
        let state = self.until(|state| state.fetches.len() >= count);
        state
            .fetches
            .last()
            .is_some_and(|(_, is_conditional)| !is_conditional)
    }

    /// Sends this to everybody who listens, after waiting for one.
    pub fn tell(&self, text: &str) {
        let mut state = self.until(|state| !state.listeners.is_empty());
        let chunk = format!("{:x}\r\n{text}\r\n", text.len());
        for listener in &mut state.listeners {
            let _ = listener.write_all(chunk.as_bytes());
        }
    }

    /// Cuts the connections of everybody who listens, after waiting for one.
    pub fn cut(&self) {
        let listeners = std::mem::take(&mut self.until(|state| !state.listeners.is_empty()).listeners);
        for listener in listeners {
            let _ = listener.shutdown(std::net::Shutdown::Both);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap()
    }

    fn until(&self, is_reached: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let waited = self
            .shared
            .changed
            .wait_timeout_while(self.state(), PATIENCE, |state| !is_reached(state));
        let (state, timeout) = waited.unwrap();
        assert!(!timeout.timed_out(), "the proxy never came");
        state
    }
}

fn serve(mut connection: TcpStream, shared: &Shared) {
    let mut lines = BufReader::new(connection.try_clone().unwrap());
    let mut head = String::new();
    while lines.read_line(&mut head).is_ok_and(|bytes| bytes > 0) {
        if !head.ends_with("\r\n\r\n") {
            continue;
        }
        let mut state = shared.state.lock().unwrap();
        let answer = if head.starts_with("GET /sse/") {
            state.listeners.push(connection.try_clone().unwrap());
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                .to_owned()
        } else if head.starts_with("GET /api/v1/environment-document/") {
            state.fetches.push((
                Instant::now(),
                head.to_ascii_lowercase().contains("if-modified-since"),
            ));
            let body = state.document.as_ref().unwrap().to_string();
            let length = body.len();
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            )
        } else {
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned()
        };
        // Under the lock, so that nothing is told to a listener before its answer's head.
        let written = connection.write_all(answer.as_bytes());
        drop(state);
        shared.changed.notify_all();
        head.clear();
        if written.is_err() {
            return;
        }
    }
}
