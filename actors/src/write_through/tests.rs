//! The actor on a scripted upstream.
use std::collections::HashMap;
use std::sync::Mutex;

use serde_json::Value;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::in_time;

use super::*;
use crate::environment::{DocumentSource, EnvironmentOptions};
use crate::keys::EnvironmentKey;

mod refusals;
mod waits;
mod writes;

const MAIN: EnvironmentId = EnvironmentId::after(None);

/// As fast as it goes.
fn quick() -> WriteThroughOptions {
    WriteThroughOptions {
        period: Duration::from_millis(5),
        calls_a_second: 100_000.0,
        // A call that is given up is written twice.
        call_timeout: Duration::from_secs(60),
        waits: (Duration::from_millis(5), Duration::from_millis(20)),
        intake_bytes: 64 * 1024 * 1024,
        pending_bytes: 64 * 1024 * 1024,
        ..WriteThroughOptions::default()
    }
}

fn configured(source: DocumentSource) -> watch::Receiver<Arc<[ConfiguredEnvironment]>> {
    let environment = ConfiguredEnvironment {
        id: MAIN,
        options: EnvironmentOptions {
            client_side_key: EnvironmentKey::new("client"),
            server_side_keys: vec![EnvironmentKey::new("ser.a"), EnvironmentKey::new("ser.b")],
            source,
            fallback: None,
        },
    };
    watch::channel(Arc::from([environment])).1
}

fn start(upstream: &ScriptedUpstream, options: WriteThroughOptions) -> WriteThroughHandle {
    let upstream = UpstreamOptions::new(upstream.api_url());
    let configured = configured(DocumentSource::Upstream);
    WriteThroughHandle::start(options, upstream, configured, Arc::default(), &Lifelines::new()).unwrap()
}

fn see(write_through: &WriteThroughHandle, body: &str) {
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    write_through.see(MAIN, KeyKind::Client, &identity);
}

/// An identity with a trait that stays and one that has this value.
fn body(identity: usize, value: usize) -> String {
    format!(
        r#"{{"identifier":"i{identity}","traits":[{{"trait_key":"plan","trait_value":"pro"}},{{"trait_key":"n","trait_value":{value}}}]}}"#
    )
}

/// What upstream has been told, by identity and trait, and how often.
#[derive(Default)]
struct Told {
    traits: Mutex<HashMap<(String, String), Vec<Value>>>,
    count: watch::Sender<usize>,
}

impl Told {
    fn identity(&self, identity: &Value) {
        let mut told = self.traits.lock().unwrap();
        let identifier = identity["identifier"].as_str().unwrap();
        for sent in identity["traits"].as_array().unwrap() {
            let key = sent["trait_key"].as_str().unwrap();
            told.entry((identifier.to_owned(), key.to_owned()))
                .or_default()
                .push(sent["trait_value"].clone());
            self.count.send_modify(|count| *count += 1);
        }
    }

    fn note(&self, request: &ReceivedRequest) {
        let body = request.json();
        match body["data"].as_array() {
            Some(batch) => batch.iter().for_each(|identity| self.identity(identity)),
            None => self.identity(&body),
        }
    }

    /// Resolves when it has come to so many; fails where it comes no nearer.
    async fn reach(&self, count: usize) {
        let mut told = self.count.subscribe();
        while *told.borrow_and_update() < count {
            in_time(told.changed()).await.unwrap();
        }
        assert_eq!(self.count(), count);
    }

    fn count(&self) -> usize {
        *self.count.borrow()
    }
}

/// How often the actor has looked at what was left, and how often it had nothing to do then.
#[derive(Debug, Default)]
pub(super) struct Looks {
    all: watch::Sender<u64>,
    idle: watch::Sender<u64>,
}

impl Looks {
    pub(super) fn note(&self, is_idle: bool) {
        self.idle.send_modify(|looks| *looks += u64::from(is_idle));
        self.all.send_modify(|looks| *looks += 1);
    }
}

/// Resolves when there were so many more of these looks.
async fn more(looks: &watch::Sender<u64>, more: u64) {
    let mut looks = looks.subscribe();
    let before = *looks.borrow_and_update();
    in_time(looks.wait_for(|looks| *looks >= before + more))
        .await
        .unwrap();
}

/// Resolves when the actor has looked at whatever was left by now.
async fn looked(write_through: &WriteThroughHandle) {
    more(&write_through.shared.looks.all, 2).await;
}

/// Resolves when the actor has looked at whatever was left by now, and nothing waits or is under way.
async fn rested(write_through: &WriteThroughHandle) {
    looked(write_through).await;
    more(&write_through.shared.looks.idle, 1).await;
}

/// An upstream that notes what it is told.
fn upstream() -> (ScriptedUpstream, Arc<Told>) {
    let told = Arc::new(Told::default());
    let noted = Arc::clone(&told);
    let upstream = ScriptedUpstream::start(move |request| {
        noted.note(request);
        Answer::ok("[]")
    });
    (upstream, told)
}
