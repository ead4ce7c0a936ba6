//! Answers that nobody reads, or only slowly: what they may take of the process.
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use edge_proxy::application::Limits;
use serde_json::json;
use test_support::documents::with_many_features;
use test_support::http::{Connection, Request};
use test_support::wait::PATIENCE;

use crate::holdings::resident_memory;
use crate::process::{alone, serve_within, settings};

const CLIENTS: usize = 100;
/// Features of the document, which make it about 2 MB.
const FEATURES: usize = 5_000;
/// What each connection may take of the process, whatever its client has asked for: 64 KiB unsent, and its own buffers
/// and requests.
const EACH: usize = (64 + 64) * 1024;

/// Serves a large document to clients for whom the kernel keeps little, and gives its length along.
fn serve_large(used: impl FnOnce(SocketAddr, usize) + Send + 'static) {
    let folder = tempfile::tempdir().unwrap();
    let document = with_many_features(FEATURES).to_string();
    std::fs::write(folder.path().join("environment.json"), document).unwrap();
    let settings = settings(
        &folder,
        json!({"environment_key_pairs": [{
            "client_side_key": "client",
            "server_side_key": "ser.key",
            "document_path": "environment.json",
        }]}),
    );
    let limits = Limits {
        send_buffer: Some(32 * 1024),
        ..Limits::default()
    };
    serve_within(limits, &settings, |address, environments| {
        let mut acknowledged = environments.acknowledged();
        test_support::wait::wait(async {
            acknowledged.wait_for(|version| *version > 0).await.unwrap();
        });
        // Each worker has answered, and whatever is made once has been made.
        let mut length = 0;
        for _ in 0..8 {
            let answer = Connection::open(address).send(&document_request());
            assert_eq!(answer.status, 200);
            length = answer.body.len();
        }
        used(address, length);
    });
}

fn document_request() -> Request {
    Request::get("/api/v1/environment-document/").key("ser.key")
}

/// A client that has sent this and of whose answer the first bytes have come.
fn asked(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.write_all(bytes).unwrap();
    client.read_exact(&mut [0; 16]).unwrap();
    client
}

fn assert_bounded(before: usize) {
    let grown = resident_memory().saturating_sub(before);
    println!("{} KiB a client", grown / CLIENTS / 1024);
    assert!(grown < CLIENTS * EACH, "{grown} bytes more");
}

/// Another client is answered, on every worker.
fn others_are_answered(address: SocketAddr) {
    let request = Request::get("/api/v1/flags/?feature=feature_1").key("client");
    let mut others: Vec<_> = (0..4).map(|_| Connection::open(address)).collect();
    for _ in 0..10 {
        for other in &mut others {
            assert_eq!(other.send(&request).status, 200);
        }
    }
}

#[test]
fn a_document_that_nobody_reads_is_held_once() {
    let _alone = alone();
    serve_large(|address, _| {
        let before = resident_memory();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| asked(address, &document_request().bytes()))
            .collect();
        others_are_answered(address);
        assert_bounded(before);
        drop(clients);
    });
}

#[test]
fn a_document_that_is_read_slowly_is_held_once_and_comes_whole() {
    let _alone = alone();
    serve_large(|address, length| {
        let before = resident_memory();
        let mut clients: Vec<_> = (0..CLIENTS)
            .map(|_| asked(address, &document_request().bytes()))
            .collect();
        let mut piece = vec![0; length / 8];
        for _ in 0..7 {
            for client in &mut clients {
                client.read_exact(&mut piece).unwrap();
            }
            assert_bounded(before);
        }
        for client in &mut clients {
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).unwrap();
            // What has been read before: the head's first bytes, and seven pieces.
            let received = 16 + 7 * piece.len() + rest.len();
            assert!((length + 100..length + 1_000).contains(&received), "{received}");
        }
    });
}

#[test]
fn requests_whose_answers_nobody_reads_are_not_read_either() {
    let _alone = alone();
    serve_large(|address, _| {
        let requests = Request::get("/api/v1/flags/?feature=feature_1")
            .key("client")
            .bytes()
            .repeat(5_000);
        let before = resident_memory();
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let mut client = asked(address, &requests[..1_000]);
                // As much as is taken: the proxy stops reading before the kernel has all of it, or it does not.
                client.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
                let mut rest = &requests[1_000..];
                while let Ok(written) = client.write(rest)
                    && written > 0
                {
                    rest = &rest[written..];
                }
                client
            })
            .collect();
        others_are_answered(address);
        assert_bounded(before);
        drop(clients);
    });
}
