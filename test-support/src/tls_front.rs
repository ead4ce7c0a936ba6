//! TLS in front of a server that speaks none.
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// Takes TLS off connections and passes what is in them on, on a port of the system's choice; stops when dropped.
pub struct TlsFront {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    config: Mutex<Arc<ServerConfig>>,
    to: SocketAddr,
    accepted: AtomicUsize,
    shaken: AtomicUsize,
}

impl TlsFront {
    /// Starts in front of the server at this address.
    pub fn start(config: Arc<ServerConfig>, to: SocketAddr) -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            config: Mutex::new(config),
            to,
            accepted: AtomicUsize::new(0),
            shaken: AtomicUsize::new(0),
        });
        let (stop, stopped) = oneshot::channel();
        let accepting = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(listener, &accepting) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Serves the connections from now on by this.
    pub fn present(&self, config: Arc<ServerConfig>) {
        *self.shared.config.lock().unwrap() = config;
    }

    /// The connections so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Those whose handshake came to its end here.
    pub fn shaken(&self) -> usize {
        self.shared.shaken.load(Ordering::SeqCst)
    }
}

async fn accept(listener: std::net::TcpListener, shared: &Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    while let Ok((connection, _)) = listener.accept().await {
        shared.accepted.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(serve(connection, Arc::clone(shared)));
    }
}

/// A client that refuses or is refused ends it, and so does either end of what is passed on.
async fn serve(connection: TcpStream, shared: Arc<Shared>) {
    let config = Arc::clone(&shared.config.lock().unwrap());
    let Ok(mut outer) = TlsAcceptor::from(config).accept(connection).await else {
        return;
    };
    shared.shaken.fetch_add(1, Ordering::SeqCst);
    if let Ok(mut inner) = TcpStream::connect(shared.to).await {
        let _ = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
