//! An upstream that serves one environment document.
use engine::UpdatedAt;
use serde_json::Value;
use test_support::documents::{environment, feature_state};
use test_support::upstream::ScriptedUpstream;

use super::server::CLIENT_SIDE_KEY;

/// Its document has so many features, which makes a body of flags of about 1.1 kB.
const FEATURES: usize = 10;

pub(crate) struct Upstream(ScriptedUpstream);

impl Upstream {
    pub(crate) fn start() -> Self {
        Self(ScriptedUpstream::serving(&document(UpdatedAt::now())))
    }

    pub(crate) fn api_url(&self) -> String {
        self.0.api_url()
    }

    /// New content under a new `updated_at`.
    pub(crate) fn change(&self) -> UpdatedAt {
        let updated_at = UpdatedAt::now();
        self.0.serve(&document(updated_at));
        updated_at
    }
}

fn document(updated_at: UpdatedAt) -> Value {
    let value = format!("as of {updated_at}");
    let feature_states = (1..=FEATURES).map(|id| feature_state(id, &format!("feature_{id}"), value.as_str()));
    environment(
        CLIENT_SIDE_KEY,
        &updated_at.to_rfc3339(),
        feature_states.collect(),
    )
}
