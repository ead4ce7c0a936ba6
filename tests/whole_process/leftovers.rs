//! What is left of a stopped application: nothing.
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::http::{Connection, Request};
use test_support::wait::PATIENCE;

use crate::holdings::Holdings;
use crate::process::{alone, serve, settings};

/// A connection that is kept, and a stream that is open when the stop comes.
fn use_it(address: SocketAddr) {
    let mut flags = Connection::open(address);
    let request = Request::get("/api/v1/flags/").key("file");
    let deadline = Instant::now() + PATIENCE;
    while flags.send(&request).status != 200 {
        assert!(Instant::now() < deadline, "no document in time");
    }
    let mut stream = Connection::open(address);
    stream.write_request(&Request::get("/sse/environments/file/stream"));
    assert_eq!(stream.read_head().status, 200);
}

#[test]
fn no_thread_timer_or_socket_is_left_after_a_stop() {
    let _alone = alone();
    // An upstream that takes connections and never answers: fetches and streams are under way when the stop comes.
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", upstream.local_addr().unwrap());
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("environment.json"), FIXTURE).unwrap();
    let settings = settings(
        &folder,
        json!({
            "environment_key_pairs": [
                {"client_side_key": "file", "document_path": "environment.json"},
                {"client_side_key": "polled", "server_side_key": "ser.polled"},
            ],
            "api_url": format!("{origin}/api/v1"),
            "realtime": {"upstream_url": origin},
        }),
    );
    // The first runtime of a process opens a pair of sockets for signals, which stays for the process.
    actix::System::new().block_on(async {});
    let before = Holdings::now();
    for _ in 0..3 {
        serve(&settings, |address, _| use_it(address));
    }
    // Whoever joins the threads may itself be about to end; and so may what another test had before, which is in `before` then.
    let deadline = Instant::now() + PATIENCE;
    while !Holdings::now().is_within(&before) {
        if Instant::now() > deadline {
            assert_eq!(Holdings::now(), before);
        }
        std::thread::yield_now();
    }
}
