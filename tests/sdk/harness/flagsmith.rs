//! A Flagsmith with one environment, whose document changes.
use serde_json::{Value, json};
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

use super::document;

/// The key that may be known to everybody.
pub(crate) const CLIENT_SIDE_KEY: &str = "sdk-client-side-key";

/// The key with which an SDK may read the whole document.
pub(crate) const SERVER_SIDE_KEY: &str = "ser.sdk-server-side-key";

/// The upstream.
pub(crate) struct Flagsmith {
    /// What it is asked.
    pub upstream: ScriptedUpstream,
}

impl Flagsmith {
    /// Starts with [`document`] and the banner `version 0`.
    pub(crate) fn start() -> Self {
        Self::serving(&version(0))
    }

    fn serving(document: &Value) -> Self {
        Self {
            upstream: ScriptedUpstream::serving(document),
        }
    }

    /// Starts with this script.
    pub(crate) fn answering(script: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            upstream: ScriptedUpstream::start(script),
        }
    }

    /// From now on the banner says this version, in a document that is newer.
    pub(crate) fn change(&self, number: u32) {
        self.upstream.serve(&version(number));
    }

    /// From now on this is the banner, and the document is as new as can be.
    pub(crate) fn change_now(&self, banner: &str) {
        self.upstream
            .serve(&at(jiff::Timestamp::now().to_string(), banner));
    }
}

/// The document with this banner at that time.
fn at(updated_at: String, banner: &str) -> Value {
    let mut document = document();
    document["updated_at"] = updated_at.into();
    document["feature_states"][0]["feature_state_value"] = banner.into();
    document
}

fn version(number: u32) -> Value {
    at(updated_at(number), &format!("version {number}"))
}

/// Of the document with this version.
pub(super) fn updated_at(number: u32) -> String {
    format!("2026-11-21T19:{:02}:{:02}.258311+00:00", number / 60, number % 60)
}

/// The body by which Flagsmith announces this version.
pub(super) fn announcement(number: u32) -> String {
    json!({"updated_at": updated_at(number)}).to_string()
}
