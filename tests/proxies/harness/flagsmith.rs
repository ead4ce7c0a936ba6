//! A Flagsmith with two environments, whose documents change.
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use test_support::documents::{environment, feature_state};
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};

/// The keys of one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Environment {
    /// Flags may be read with it.
    pub client_side_key: &'static str,
    /// The document may be read with it too.
    pub server_side_key: &'static str,
}

/// The first environment.
pub(crate) const ONE: Environment = Environment {
    client_side_key: "client-one",
    server_side_key: "ser.one",
};

/// The second environment.
pub(crate) const TWO: Environment = Environment {
    client_side_key: "client-two",
    server_side_key: "ser.two",
};

/// One state of an environment's document; each is newer than those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Version(pub u32);

impl Version {
    /// `updated_at` of the document.
    pub(super) fn updated_at(self) -> String {
        format!("2026-11-21T19:{:02}:{:02}.5+00:00", self.0 / 60, self.0 % 60)
    }

    /// The same in seconds, as events have it.
    pub(crate) fn seconds(self) -> String {
        format!("{}.5", 1_795_287_600 + self.0)
    }

    /// The value of the environment's feature.
    pub(crate) fn value(self, environment: Environment) -> String {
        format!("{}-{}", environment.client_side_key, self.0)
    }
}

/// The upstream. Each environment has the feature `banner`, with [`Version::value`], and one that is named after its
/// client-side key.
pub(crate) struct Flagsmith {
    /// What it is asked.
    pub upstream: ScriptedUpstream,
    documents: Arc<Mutex<HashMap<&'static str, String>>>,
}

impl Flagsmith {
    /// Starts with the first version of both.
    pub(crate) fn start() -> Self {
        let documents: Arc<Mutex<HashMap<_, _>>> = Arc::default();
        let served = Arc::clone(&documents);
        let upstream = ScriptedUpstream::start(move |request| answer(request, &served.lock().unwrap()));
        let flagsmith = Self { upstream, documents };
        for environment in [ONE, TWO] {
            flagsmith.change(environment, Version(0));
        }
        flagsmith
    }

    /// From now on it has this version.
    pub(crate) fn change(&self, keys: Environment, version: Version) {
        let features = vec![
            feature_state(1, "banner", version.value(keys)),
            feature_state(2, keys.client_side_key, 1),
        ];
        let document = environment(keys.client_side_key, &version.updated_at(), features);
        let mut documents = self.documents.lock().unwrap();
        documents.insert(keys.server_side_key, document.to_string());
    }
}

fn answer(request: &ReceivedRequest, documents: &HashMap<&'static str, String>) -> Answer {
    let key = request.header("X-Environment-Key").unwrap_or_default();
    match documents.get(key) {
        Some(document) => Answer::ok(document.clone()).header("Content-Type", "application/json"),
        None => Answer::status(403),
    }
}
