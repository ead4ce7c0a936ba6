//! The actor on a scripted upstream.
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use serde_json::Value;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::in_time;

use super::*;
use crate::environment::{DocumentSource, EnvironmentOptions};
use crate::keys::EnvironmentKey;

mod refusals;

const MAIN: EnvironmentId = EnvironmentId::after(None);

/// As fast as it goes.
fn quick() -> WriteThroughOptions {
    WriteThroughOptions {
        period: Duration::from_millis(5),
        calls_a_second: 100_000.0,
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
    WriteThroughHandle::start(options, upstream, configured, &Lifelines::new()).unwrap()
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
    count: AtomicUsize,
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
            self.count.fetch_add(1, Ordering::Relaxed);
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
        while self.count() < count {
            let before = self.count();
            until(|| self.count() > before).await;
        }
        assert_eq!(self.count(), count);
    }

    fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

async fn until(mut is_so: impl FnMut() -> bool) {
    in_time(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

/// How often the actor has looked at what was left, and how often it had nothing to do then.
#[derive(Debug, Default)]
pub(super) struct Looks {
    all: AtomicU64,
    idle: AtomicU64,
}

impl Looks {
    pub(super) fn note(&self, is_idle: bool) {
        self.idle.fetch_add(u64::from(is_idle), Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
    }
}

/// Resolves when the actor has looked at whatever was left by now.
async fn looked(write_through: &WriteThroughHandle) {
    let looks = &write_through.shared.looks.all;
    let before = looks.load(Ordering::Relaxed);
    until(|| looks.load(Ordering::Relaxed) >= before + 2).await;
}

/// Resolves when the actor has looked at whatever was left by now, and nothing waits or is under way.
async fn rested(write_through: &WriteThroughHandle) {
    looked(write_through).await;
    let idle = &write_through.shared.looks.idle;
    let before = idle.load(Ordering::Relaxed);
    until(|| idle.load(Ordering::Relaxed) > before).await;
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

#[actix_rt::test]
async fn of_100_000_identities_each_change_arrives_once_and_in_batches() {
    const IDENTITIES: usize = 100_000;
    let (upstream, told) = upstream();
    let options = WriteThroughOptions {
        period: Duration::from_millis(100),
        // So that none of 300,000 drives another one out.
        remembered: 1 << 22,
        ..quick()
    };
    let write_through = start(&upstream, options);
    for identity in 0..IDENTITIES {
        see(&write_through, &body(identity, 0));
    }
    told.reach(2 * IDENTITIES).await;
    let calls = upstream.requests().len();
    assert!((1_000..=1_200).contains(&calls), "{calls}");

    // A tenth changes, and everybody is seen several times.
    for _ in 0..3 {
        for identity in 0..IDENTITIES {
            see(&write_through, &body(identity, usize::from(identity % 10 == 0)));
        }
    }
    told.reach(2 * IDENTITIES + IDENTITIES / 10).await;
    rested(&write_through).await;
    let told = told.traits.lock().unwrap();
    for identity in 0..IDENTITIES {
        let of = |key: &str| &told[&(format!("i{identity}"), key.to_owned())];
        assert_eq!(*of("plan"), ["pro"]);
        let changes = if identity % 10 == 0 { &[0, 1][..] } else { &[0] };
        assert_eq!(*of("n"), changes, "{identity}");
    }
    let more = upstream.requests().len() - calls;
    assert!((100..=300).contains(&more), "{more}");
}

#[actix_rt::test]
async fn a_write_says_what_flagsmith_expects() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let write_through = start(&upstream, quick());
    see(
        &write_through,
        r#"{"identifier":" \"é ","traits":[{"trait_key":"a","trait_value":1.50},{"trait_key":"b","trait_value":null}]}"#,
    );
    upstream.wait_for(1).await;
    let request = upstream.requests().remove(0);
    assert_eq!(
        (request.method.as_str(), request.target.as_str()),
        ("POST", "/api/v1/bulk-identities/")
    );
    assert_eq!(request.header("X-Environment-Key"), Some("client"));
    assert_eq!(request.header("Content-Type"), Some("application/json"));
    assert_eq!(
        String::from_utf8(request.body).unwrap(),
        r#"{"data":[{"identifier":"\"é","traits":[{"trait_key":"a","trait_value":1.50},{"trait_key":"b","trait_value":null}]}]}"#
    );
}

#[actix_rt::test]
async fn what_is_transient_or_known_is_not_written() {
    let (upstream, told) = upstream();
    let write_through = start(&upstream, quick());
    for body in [
        r#"{"identifier":"s","transient":true,"traits":[{"trait_key":"k","trait_value":1}]}"#,
        r#"{"traits":[{"trait_key":"k","trait_value":1}]}"#,
        r#"{"identifier":"i","traits":[{"trait_key":"s","trait_value":1,"transient":true},{"trait_key":"k","trait_value":1}]}"#,
        r#"{"identifier":"i","traits":[{"trait_key":"s","trait_value":2,"transient":true},{"trait_key":"k","trait_value":1}]}"#,
        r#"{"identifier":"i"}"#,
    ] {
        see(&write_through, body);
    }
    until(|| told.count() == 1).await;
    // Two services that know different traits of one identity.
    for _ in 0..10 {
        for sent in ["k", "l"] {
            see(
                &write_through,
                &format!(r#"{{"identifier":"i","traits":[{{"trait_key":"{sent}","trait_value":1}}]}}"#),
            );
            rested(&write_through).await;
        }
    }
    see(&write_through, r#"{"identifier":"alone"}"#);
    upstream.wait_for(3).await;
    rested(&write_through).await;
    let requests = upstream.requests();
    let last = requests[2].json();
    assert_eq!(last["data"][0]["identifier"], "alone");
    assert_eq!((requests.len(), told.count()), (3, 2));
}

#[actix_rt::test]
async fn a_trait_that_changes_back_is_written_again() {
    let (upstream, told) = upstream();
    let write_through = start(&upstream, quick());
    for (value, count) in [(1, 2), (2, 3), (1, 4)] {
        see(&write_through, &body(0, value));
        until(|| told.count() == count).await;
    }
    let told = told.traits.lock().unwrap();
    assert_eq!(told[&("i0".to_owned(), "n".to_owned())], [1, 2, 1]);
}

#[actix_rt::test]
async fn what_somebody_else_writes_is_news_again() {
    let (upstream, told) = upstream();
    let write_through = start(&upstream, quick());
    see(&write_through, &body(0, 1));
    told.reach(2).await;
    rested(&write_through).await;
    let identity = Identity::from_json(br#"{"identifier":"i0"}"#, || [0; 16]).unwrap();
    write_through.written_elsewhere(MAIN, &identity, Some("n"));
    see(&write_through, &body(0, 1));
    told.reach(3).await;
    rested(&write_through).await;
    let told = told.traits.lock().unwrap();
    assert_eq!(told[&("i0".to_owned(), "n".to_owned())], [1, 1]);
}

#[actix_rt::test]
async fn without_bulk_identities_are_written_one_by_one() {
    for status in [404, 405, 415] {
        let told = Arc::new(Told::default());
        let noted = Arc::clone(&told);
        let upstream = ScriptedUpstream::start(move |request| {
            if request.target == "/api/v1/bulk-identities/" {
                return Answer::status(status);
            }
            assert_eq!(request.target, "/api/v1/identities/");
            noted.note(request);
            Answer::ok("{}")
        });
        let write_through = start(&upstream, quick());
        for identity in 0..20 {
            see(&write_through, &body(identity, 0));
        }
        until(|| told.count() == 40).await;
        let bulk = |upstream: &ScriptedUpstream| {
            let mut requests = upstream.requests();
            requests.retain(|request| request.target.contains("bulk"));
            requests.len()
        };
        let tried = bulk(&upstream);
        assert!((1..=4).contains(&tried), "{tried}");
        see(&write_through, &body(0, 1));
        until(|| told.count() == 41).await;
        assert_eq!(bulk(&upstream), tried, "it is not tried again for a while");
    }
}

#[actix_rt::test]
async fn an_upstream_that_is_away_slow_or_refusing_blocks_nothing_and_gets_everything_in_the_end() {
    let told = Arc::new(Told::default());
    for answer in [
        Answer::hang(),
        Answer::status(503),
        Answer::status(429).header("Retry-After", "0"),
        Answer::status(404),
    ] {
        let given = answer.clone();
        let upstream = ScriptedUpstream::start(move |_| given.clone());
        let write_through = start(&upstream, quick());
        for identity in 0..250 {
            see(&write_through, &body(identity, 0));
        }
        upstream.wait_for(3).await;
        upstream.go_down();
        for identity in 0..250 {
            see(&write_through, &body(identity, 1));
        }
        looked(&write_through).await;
        let before = told.count();
        let noted = Arc::clone(&told);
        upstream.script(move |request| {
            noted.note(request);
            Answer::ok("[]")
        });
        upstream.come_up();
        until(|| told.count() == before + 500).await;
        rested(&write_through).await;
        assert_eq!(told.count(), before + 500, "{answer:?}");
        let told = told.traits.lock().unwrap();
        assert_eq!(
            told[&("i0".to_owned(), "n".to_owned())].last(),
            Some(&Value::from(1))
        );
    }
}

#[actix_rt::test]
async fn what_waits_is_bounded_and_what_was_lost_is_written_when_it_is_seen_again() {
    let (upstream, told) = upstream();
    upstream.go_down();
    let options = WriteThroughOptions {
        intake_bytes: 64 * 1024,
        pending_bytes: 64 * 1024,
        ..quick()
    };
    let write_through = start(&upstream, options);
    for identity in 0..10_000 {
        see(&write_through, &body(identity, 0));
    }
    looked(&write_through).await;
    upstream.come_up();
    rested(&write_through).await;
    let few = told.count();
    assert!((1..2_000).contains(&few), "{few}: 64 KiB hold some hundred");
    let seen_again = async {
        while told.count() < 20_000 {
            for identity in 0..10_000 {
                see(&write_through, &body(identity, 0));
            }
            rested(&write_through).await;
        }
    };
    in_time(seen_again).await;
    assert_eq!(told.count(), 20_000, "each of them once");
}

#[actix_rt::test]
async fn environments_from_files_write_nothing() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let write_through = WriteThroughHandle::start(
        quick(),
        UpstreamOptions::new(upstream.api_url()),
        configured(DocumentSource::File("environment.json".into())),
        &Lifelines::new(),
    )
    .unwrap();
    see(&write_through, &body(0, 0));
    rested(&write_through).await;
    assert!(upstream.requests().is_empty());
}

#[actix_rt::test]
async fn a_stop_writes_what_waits_and_ends_in_time() {
    let (upstream, told) = upstream();
    let options = WriteThroughOptions {
        period: Duration::from_secs(100_000),
        ..quick()
    };
    let write_through = start(&upstream, options.clone());
    for identity in 0..1_000 {
        see(&write_through, &body(identity, 0));
    }
    assert!(write_through.stop(Duration::from_secs(20)).await);
    assert_eq!((told.count(), upstream.requests().len()), (2_000, 10));

    let hangs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&hangs);
    upstream.script(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Answer::hang()
    });
    let write_through = start(&upstream, options);
    see(&write_through, &body(0, 0));
    let started = Instant::now();
    assert!(write_through.stop(Duration::from_secs(3)).await);
    assert!(
        started.elapsed() < quick().call_timeout,
        "{:?}",
        started.elapsed()
    );
    assert_eq!(hangs.load(Ordering::Relaxed), 1);
}
