//! The JDK's own HTTP client, which offers h2c on every request.
use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::json;
use test_support::program::Program;
use test_support::wait::PATIENCE;

use crate::harness::{Edge, Flagsmith, ONE, installed};

/// Requests, one after the other, every second one a POST.
const REQUESTS: usize = 300;

/// Carries bytes both ways, as a balancer of TCP does, and counts connections. Its threads end with the test's process.
struct Hop {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Hop {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                counted.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(target).unwrap();
                // As balancers do: a body in a packet of its own would else wait for the acknowledgement of its head.
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                carry(client.try_clone().unwrap(), server.try_clone().unwrap());
                carry(server, client);
            }
        });
        Self { address, connections }
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        // An error is an end as well.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
}

#[test]
fn the_jdk_has_all_its_answers_on_one_connection() {
    // `java` alone starts no source file.
    let (Some(java), Some(_)) = (
        installed("java", "default-jdk-headless"),
        installed("javac", "default-jdk-headless"),
    ) else {
        return;
    };
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let hop = Hop::to(edge.address);
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proxies/Client.java");
    let mut command = Command::new(java);
    command
        .arg(source)
        .arg(format!("http://{}", hop.address))
        .arg(ONE.client_side_key)
        .arg(REQUESTS.to_string());
    // It compiles its source first, and the machine may have more to do than it can.
    let (status, written) = Program::start(&mut command).wait_within(PATIENCE * 6);
    assert!(status.success(), "{written}");
    let connections = hop.connections.load(Ordering::SeqCst);
    let answered = written.lines().last();
    assert_eq!(
        (answered, connections),
        (Some(format!("answered {REQUESTS}").as_str()), 1),
        "{written}"
    );
}
