//! An upstream that answers as a test says, over real sockets.
//!
//! # Layout
//! - `received.rs`: a request as it came. `answer.rs`: what to answer, and how to break off.
//! - `connections.rs`: the threads that accept, read and answer; `tunnel.rs`: and pass on, as a proxy.
//! - `flagsmith.rs`: answers as Flagsmith's, of one document and its event stream. `counted.rs`: the evaluation counts it takes.
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::sync::watch;

use crate::reserved_port::{ReservedPort, listen_again};
use crate::wait::in_time;
use connections::{Shared, accept};

mod answer;
mod connections;
mod counted;
mod flagsmith;
mod received;
mod tunnel;

pub use answer::Answer;
pub use counted::{Counted, counts};
pub use received::ReceivedRequest;

/// Answers requests on a port that the system chose; stops when dropped.
///
/// What waits is `async`; a test that is not waits for it by [`crate::wait::wait`].
pub struct ScriptedUpstream {
    /// While it is down, too.
    port: ReservedPort,
    shared: Arc<Shared>,
    listening: Arc<AtomicBool>,
}

impl ScriptedUpstream {
    /// Starts with this script.
    pub fn start(script: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into(), script)
    }

    /// Starts with this script at this address; port 0: the system chooses.
    pub fn start_at(
        address: SocketAddr,
        script: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let port = ReservedPort::at(address);
        let listener = TcpListener::bind(port.address()).expect("the port that it has");
        let upstream = Self {
            port,
            shared: Arc::new(Shared::new(Arc::new(script))),
            listening: Arc::new(AtomicBool::new(true)),
        };
        upstream.accept(listener);
        upstream
    }

    /// `api_url` for a configuration.
    pub fn api_url(&self) -> String {
        format!("http://{}/api/v1", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// `http://host:port`
    pub fn origin(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Answers by another script from now on.
    pub fn script(&self, script: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) {
        *self.shared.script.write().unwrap() = Arc::new(script);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// The connections so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// The number of requests so far, to wait on.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.shared.count.subscribe()
    }

    /// Resolves when so many requests have come in all.
    pub async fn wait_for(&self, requests: usize) {
        in_time(self.count().wait_for(|count| *count >= requests))
            .await
            .expect("upstream");
    }

    /// Resolves when so many requests have come from now on.
    pub async fn wait_for_more(&self, requests: usize) {
        let now = *self.count().borrow();
        self.wait_for(now + requests).await;
    }

    /// Sends this to everybody who listens to an event stream, after waiting for one.
    pub async fn tell(&self, text: &str) {
        self.wait_for_listener().await;
        self.shared.listeners.send_modify(|listeners| {
            for listener in listeners {
                answer::write_chunk(listener, text);
            }
        });
    }

    /// Cuts the connections of everybody who listens to an event stream, after waiting for one.
    pub async fn cut(&self) {
        self.wait_for_listener().await;
        self.shared.listeners.send_modify(|listeners| {
            for listener in listeners.drain(..) {
                let _ = listener.shutdown(Shutdown::Both);
            }
        });
    }

    async fn wait_for_listener(&self) {
        let mut listeners = self.shared.listeners.subscribe();
        in_time(listeners.wait_for(|listeners| !listeners.is_empty()))
            .await
            .expect("upstream");
    }

    /// Refuses connections and breaks the open ones.
    pub fn go_down(&self) {
        if self.listening.swap(false, Ordering::SeqCst) {
            // Wakes the accepting thread, which closes the port and says so.
            drop(TcpStream::connect(self.address()));
            while TcpStream::connect(self.address()).is_ok() {
                thread::yield_now();
            }
        }
        for connection in self.shared.connections.lock().unwrap().values() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Waits until nobody reads or answers any more, after it went down: what had come by then may be read in spite of that.
    pub fn wait_until_quiet(&self) {
        while !self.shared.connections.lock().unwrap().is_empty() {
            thread::yield_now();
        }
    }

    /// Listens again on the same port.
    pub fn come_up(&self) {
        self.listening.store(true, Ordering::SeqCst);
        self.accept(listen_again(self.address()));
    }

    fn accept(&self, listener: TcpListener) {
        let (shared, listening) = (Arc::clone(&self.shared), Arc::clone(&self.listening));
        thread::spawn(move || accept(&listener, &shared, &listening));
    }
}

impl Drop for ScriptedUpstream {
    fn drop(&mut self) {
        self.go_down();
    }
}
