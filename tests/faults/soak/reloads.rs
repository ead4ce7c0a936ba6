//! Configurations that follow one another.
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::documents::FIXTURE;

/// The configuration of a proxy in this folder, as it was started with, and its file.
pub(super) struct Reloads {
    path: PathBuf,
    first: Value,
    pub(super) count: AtomicU64,
}

impl Reloads {
    /// Of a proxy that was started in this folder.
    pub(super) fn of(folder: &Path) -> Self {
        fs::write(folder.join("environment.json"), FIXTURE).unwrap();
        let path = folder.join("config.json");
        let first = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        Self {
            path,
            first,
            count: AtomicU64::new(0),
        }
    }

    /// Replaces it again and again until then: most by `reload`, some by the change of the file alone, and some by nonsense.
    pub(super) fn change_until(&self, end: Instant, reload: impl Fn()) {
        while Instant::now() < end {
            let step = self.count.fetch_add(1, Ordering::Relaxed);
            let text = match step % 10 {
                9 => r#"{"environment_key_pairs": ["#.to_owned(),
                _ => self.varied(step).to_string(),
            };
            self.replace(&text);
            if !step.is_multiple_of(3) {
                reload();
            }
            let left = end.saturating_duration_since(Instant::now());
            thread::sleep(Duration::from_millis(fastrand::u64(500..4000)).min(left));
        }
        self.replace(&self.first.to_string());
        reload();
    }

    fn replace(&self, text: &str) {
        let next = self.path.with_extension("next");
        fs::write(&next, text).unwrap();
        fs::rename(next, &self.path).unwrap();
    }

    /// Each bit of the step switches something; the pairs that clients use stay.
    fn varied(&self, step: u64) -> Value {
        let bit = |place: u32| step & (1 << place) != 0;
        let mut config = self.first.clone();
        if bit(0) {
            let pairs = config["environment_key_pairs"].as_array_mut().unwrap();
            pairs.insert(
                0,
                json!({"client_side_key": "comes", "document_path": "environment.json"}),
            );
        }
        if bit(1) {
            config["api_poll_timeout_seconds"] = json!(2);
        }
        if bit(2) {
            config["allow_origins"] = json!(["https://a.example"]);
        }
        config["realtime"]["max_subscribers"] = json!(1000 + step % 5);
        config["realtime"]["notify_spread_ms"] = json!(step % 4);
        config
    }
}
