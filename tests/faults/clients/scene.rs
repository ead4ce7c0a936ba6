//! A proxy, a good client beside the bad ones, and what is asked when they have gone.
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use edge_proxy::server::open_files;
use serde_json::{Value, json};
use socket2::SockRef;
use test_support::findings::{Findings, grouped};
use test_support::http::{Connection, Request};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use crate::harness::Proxy;

pub(super) const CLIENT_KEY: &str = "client-key";
pub(super) const SERVER_KEY: &str = "ser.server-key";

/// What is resident may have grown by this part and so much more, in KiB, when all bad clients have gone: buffers of workers
/// that have been used once, and what the allocator keeps.
const GROWTH: (u64, u64) = (5, 24 * 1024);

/// A proxy that serves a document and was used once.
pub(super) struct Scene {
    pub(super) proxy: Proxy,
    pub(super) upstream: ScriptedUpstream,
    flags: Vec<u8>,
    descriptors: usize,
    resident_kib: u64,
    fetches: usize,
}

impl Scene {
    /// Starts it with these options of `server`.
    pub(super) fn start(document: impl Into<Vec<u8>>, server: Value) -> Self {
        open_files::raise_limit();
        let document = document.into();
        let upstream = ScriptedUpstream::start(move |_| Answer::ok(document.clone()));
        let proxy = Proxy::start(&json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
            "api_poll_frequency_seconds": 3_600,
            "server": server,
        }));
        proxy.wait_until_ready();
        let mut scene = Self {
            flags: proxy.send(&flags()).body,
            descriptors: 0,
            resident_kib: 0,
            fetches: 0,
            proxy,
            upstream,
        };
        scene.use_once();
        scene.fetches = scene.upstream.fetches().len();
        scene
    }

    /// Whatever is made once has been made, on every worker.
    fn use_once(&mut self) {
        for request in [
            flags(),
            identity(),
            document(),
            flags().header("Accept-Encoding", "gzip"),
        ] {
            for _ in 0..32 {
                assert_eq!(self.proxy.send(&request).status, 200);
            }
        }
        // Connections end a moment after their clients.
        let mut before = usize::MAX;
        while before != self.proxy.descriptors() {
            before = self.proxy.descriptors();
            thread::sleep(Duration::from_millis(50));
        }
        self.descriptors = before;
        self.resident_kib = self.proxy.resident_kib();
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.proxy.address
    }

    /// A client that asks for flags from now on.
    pub(super) fn good_client(&self) -> GoodClient {
        GoodClient::start(self.address(), self.flags.clone())
    }

    /// The bad clients have gone: nothing of them is left, and the good one has missed nothing.
    pub(super) fn end(self, good: GoodClient, findings: &mut Findings) -> Result<(), String> {
        let Asked { times, failures } = good.end();
        findings.lost(failures.len() as u64);
        if let Some(failure) = failures.first() {
            return Err(format!(
                "{} requests beside failed, the first: {failure}",
                failures.len()
            ));
        }
        self.nothing_is_left(findings)?;
        findings.clients(format!(
            "beside them {} answers, all 200 and right",
            grouped(times.len() as u64)
        ));
        Ok(())
    }

    fn nothing_is_left(&self, findings: &mut Findings) -> Result<(), String> {
        let (part, more) = GROWTH;
        let most_kib = self.resident_kib + self.resident_kib / part + more;
        let begun = Instant::now();
        let (mut resident_kib, mut descriptors) = (0, 0);
        while begun.elapsed() < PATIENCE {
            (resident_kib, descriptors) = (self.proxy.resident_kib(), self.proxy.descriptors());
            if resident_kib <= most_kib && descriptors <= self.descriptors {
                break;
            }
            thread::sleep(Duration::from_millis(100));
        }
        let (before, now) = (self.resident_kib / 1024, resident_kib / 1024);
        findings.clients(format!(
            "afterwards {now} MiB ({before} before), {descriptors} descriptors ({} before)",
            self.descriptors
        ));
        if resident_kib > most_kib || descriptors > self.descriptors {
            return Err(format!(
                "{now} MiB and {descriptors} descriptors are left, {before} MiB and {} were there before",
                self.descriptors
            ));
        }
        if self.proxy.send(&flags()).body != self.flags {
            return Err("flags are others than before".to_owned());
        }
        findings.readiness(self.proxy.readiness().to_string());
        if self.upstream.fetches().len() != self.fetches {
            return Err("upstream was asked because of them".to_owned());
        }
        let log = self.proxy.written();
        if log.contains("panicked") {
            return Err(format!("a panic: {log}"));
        }
        Ok(())
    }
}

pub(super) fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

pub(super) fn identity() -> Request {
    let body = r#"{"identifier":"bob","traits":[{"trait_key":"age","trait_value":31}]}"#;
    Request::post("/api/v1/identities/", body).key(CLIENT_KEY)
}

pub(super) fn document() -> Request {
    Request::get("/api/v1/environment-document/").key(SERVER_KEY)
}

/// Asks for flags all the time, on a kept connection.
pub(super) struct GoodClient {
    is_over: Arc<AtomicBool>,
    thread: JoinHandle<Asked>,
}

/// What a good client got.
pub(super) struct Asked {
    /// How long each answer took.
    pub(super) times: Vec<Duration>,
    pub(super) failures: Vec<String>,
}

impl GoodClient {
    fn start(address: SocketAddr, expected: Vec<u8>) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        let thread = thread::spawn(move || {
            let mut asked = Asked {
                times: Vec::new(),
                failures: Vec::new(),
            };
            let mut connection = Connection::open(address);
            // Once at least, however soon the bad clients are done.
            while asked.times.is_empty() || !over.load(Ordering::Relaxed) {
                let begun = Instant::now();
                match connection.try_send(&flags()) {
                    Ok(answer) if answer.status == 200 && answer.body == expected => {}
                    Ok(answer) => asked
                        .failures
                        .push(format!("{} {}", answer.status, answer.text())),
                    Err(error) => {
                        asked.failures.push(error.to_string());
                        connection = Connection::open(address);
                    }
                }
                asked.times.push(begun.elapsed());
                // The machine is for the bad ones too.
                thread::sleep(Duration::from_millis(1));
            }
            asked
        });
        Self { is_over, thread }
    }

    pub(super) fn end(self) -> Asked {
        self.is_over.store(true, Ordering::Relaxed);
        self.thread.join().expect("a client without a panic")
    }
}

/// A bad client's socket. It is reset when it is dropped, so that no port waits for its end.
pub(super) struct BadClient(pub(super) TcpStream);

impl BadClient {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
        Ok(Self(stream))
    }

    /// Writes as much as the proxy takes.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    pub(super) fn finish(&self) {
        let _ = self.0.shutdown(Shutdown::Write);
    }

    /// The status of the first answer; `None`: the connection ends without one.
    pub(super) fn status(&mut self) -> Option<u16> {
        let mut begin = [0; 12];
        self.0.read_exact(&mut begin).ok()?;
        let text = std::str::from_utf8(&begin).ok()?;
        text.strip_prefix("HTTP/1.1 ")
            .or(text.strip_prefix("HTTP/1.0 "))?
            .parse()
            .ok()
    }
}

/// Divides work among threads, each of which gets its number and its part of the whole.
pub(super) fn share_out<T: Send>(whole: u64, work: impl Fn(u64, u64) -> T + Sync) -> Vec<T> {
    const THREADS: u64 = 8;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|number| {
                let work = &work;
                scope.spawn(move || work(number, whole.div_ceil(THREADS)))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    })
}
