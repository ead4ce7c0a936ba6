//! Documents from files.
use std::fs;
use std::time::Duration;

use actors::environment::PollingOptions;
use test_support::documents::document;

use crate::harness::{Harness, from_file, of_client0, quick};

const T1: &str = "2024-12-26T16:18:08+00:00";

#[actix_rt::test]
async fn a_file_is_served_and_watched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    fs::write(&path, document("one", T1)).unwrap();
    let mut harness = Harness::start(vec![from_file(path.clone())], String::new(), quick());
    let first = harness.wait_for_value("one").await;
    assert_eq!(harness.update().await, first.updated_at);

    // Whoever edits a file seldom edits its `updated_at`.
    fs::write(&path, document("two", T1)).unwrap();
    let second = harness.wait_for_value("two").await;
    assert!(second.updated_at > first.updated_at);
    assert_eq!(harness.update().await, second.updated_at);
    assert_eq!(harness.status(0).await.status, "ok");
}

#[actix_rt::test]
async fn an_unusable_file_keeps_the_last_good_document() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    let polling = PollingOptions {
        period: Duration::ZERO,
        grace_period: Some(Duration::from_millis(50)),
        ..quick()
    };
    let mut harness = Harness::start(vec![from_file(path.clone())], String::new(), polling);
    harness.wait_for_status(0, "not updated").await;
    fs::write(&path, document("one", T1)).unwrap();
    harness.update().await;

    for content in ["", "{\"torn\":", "{}", "[]"] {
        fs::write(&path, content).unwrap();
        harness.wait_for_status(0, "stale").await;
        harness.wait_for_value("one").await;
        fs::write(&path, document("one", T1)).unwrap();
        harness.wait_for_status(0, "ok").await;
    }
    fs::remove_file(&path).unwrap();
    harness.wait_for_status(0, "stale").await;
    harness.wait_for_value("one").await;
    fs::write(&path, document("two", T1)).unwrap();
    harness.wait_for_value("two").await;
    assert!(harness.lifelines.is_alive());
}

#[actix_rt::test]
async fn a_byte_order_mark_is_skipped_and_utf_16_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    fs::write(&path, format!("\u{FEFF}{}", of_client0(&document("one", T1)))).unwrap();
    let polling = PollingOptions {
        period: Duration::ZERO,
        grace_period: Some(Duration::from_millis(50)),
        ..quick()
    };
    let harness = Harness::start(vec![from_file(path.clone())], String::new(), polling);
    harness.wait_for_value("one").await;
    assert_eq!(harness.status(0).await.detail, None);

    // As a shell on Windows writes it.
    let text = format!("\u{FEFF}{}", document("two", T1));
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(&path, units).unwrap();
    // A look may find a part of it.
    let is_told = |detail: &Option<String>| {
        let told = detail.as_deref().unwrap_or_default();
        told.contains("UTF-16, and JSON is UTF-8") && told.contains("document_path")
    };
    harness.wait_for_detail(0, is_told).await;
    harness.wait_for_status(0, "stale").await;
    harness.wait_for_value("one").await;
}
