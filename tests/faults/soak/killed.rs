//! A second proxy on the same upstream, which is killed again and again.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::http::Request;

use crate::harness::Proxy;
use crate::harness::environments::ENVIRONMENTS;

/// Starts it, asks it, kills it, until then; counts the kills. It has flags again after each.
pub(super) fn kill_until(end: Instant, config: &Value, kills: &AtomicU64) {
    let mut config = config.clone();
    let folder = tempfile::tempdir().unwrap();
    config["persistence"] = json!({"directory": folder.path()});
    while Instant::now() + Duration::from_secs(5) < end {
        let proxy = Proxy::start(&config);
        proxy.wait_until_ready();
        let flags = Request::get("/api/v1/flags/").key(ENVIRONMENTS[0].client_side_key);
        let left = Instant::now() + Duration::from_millis(fastrand::u64(0..4000));
        while Instant::now() < left {
            // One of the environments may have a document before the other.
            let status = proxy.send(&flags).status;
            assert!(matches!(status, 200 | 503), "{status}");
            std::thread::sleep(Duration::from_millis(10));
        }
        kills.fetch_add(1, Ordering::Relaxed);
    }
}
