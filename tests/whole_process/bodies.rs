//! Bodies that wait for their last byte: what they may take of the process.
use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::http::{Connection, Request};

use crate::holdings::resident_memory;
use crate::process::{alone, serve, settings};

const CLIENTS: usize = 200;
/// The bytes of each body, a little less than may be.
const BODY: usize = 1_000_000;
/// `server.max_body_bytes_in_flight`.
const BUDGET: usize = 8 << 20;
/// What each connection may take beside: its buffers.
const EACH: usize = 64 * 1024;

#[test]
fn bodies_that_still_come_take_what_the_budget_allows() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("environment.json"), FIXTURE).unwrap();
    let settings = settings(
        &folder,
        json!({
            "environment_key_pairs": [{"client_side_key": "client", "document_path": "environment.json"}],
            "server": {"max_body_bytes_in_flight": BUDGET},
        }),
    );
    serve(&settings, |address, environments| {
        let mut acknowledged = environments.acknowledged();
        test_support::wait::wait(async {
            acknowledged.wait_for(|version| *version > 0).await.unwrap();
        });
        let body = json!({"identifier": "bob", "ignored": "x".repeat(BODY)}).to_string();
        let request = Request::post("/api/v1/identities/", body).key("client");
        let bytes = request.bytes();
        let (last, rest) = bytes.split_last().unwrap();
        assert_eq!(Connection::open(address).send(&request).status, 200);
        let before = resident_memory();
        let mut clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let mut client = Connection::open(address);
                // One that is refused may be reset meanwhile.
                client.try_write(rest);
                client
            })
            .collect();
        // Another client is answered, on every worker.
        let small = Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key("client");
        for _ in 0..8 {
            assert_eq!(Connection::open(address).send(&small).status, 200);
        }
        let grown = resident_memory().saturating_sub(before);
        println!("{} KiB for {CLIENTS} bodies", grown / 1024);
        assert!(grown < BUDGET + CLIENTS * EACH, "{grown} bytes more");
        // Those that have a place in the budget come to their end.
        let answered = clients.iter_mut().filter_map(|client| {
            client.try_write(&[*last]);
            client.try_send(&small).ok()
        });
        assert!(answered.filter(|answer| answer.status == 200).count() >= BUDGET / (BODY + MARGIN));
    });
}

/// What a body takes beside its bytes.
const MARGIN: usize = 100;
