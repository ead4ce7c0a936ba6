//! Connecting to upstream: addresses that swallow packets, names, kept connections.
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use actors::environment::{ActorOptions, PollingOptions};
use actors::keys::EnvironmentKey;
use actors::upstream::{FetchOutcome, Names, Upstream, UpstreamOptions};
use socket2::{Domain, Socket, Type};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::in_time;

use crate::harness::{Harness, from_file, polled, quick};

/// Far more than the quarter of a second after which the next address is tried; far less than the minutes after which the
/// system gives an address up that never answers.
const TIMEOUT: Duration = Duration::from_secs(20);

/// An address that answers no attempt to connect: its backlog is full, and the system ignores what comes beyond it.
pub(crate) struct Swallowing {
    _listener: Socket,
    _waiting: Vec<Socket>,
}

impl Swallowing {
    pub(crate) fn at(address: SocketAddr) -> Self {
        let socket = || Socket::new(Domain::for_address(address), Type::STREAM, None).unwrap();
        let listener = socket();
        listener.bind(&address.into()).unwrap();
        listener.listen(0).unwrap();
        let waiting = (0..4).map(|_| {
            let waiting = socket();
            waiting.set_nonblocking(true).unwrap();
            // It is under way, whether it comes to anything or not.
            let _ = waiting.connect(&address.into());
            waiting
        });
        Self {
            _waiting: waiting.collect(),
            _listener: listener,
        }
    }
}

fn port(upstream: &ScriptedUpstream) -> u16 {
    upstream.origin().rsplit(':').next().unwrap().parse().unwrap()
}

#[actix_rt::test]
async fn an_address_that_swallows_packets_keeps_no_document_away() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let port = port(&upstream);
    let dead = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port));
    let _swallowing = Swallowing::at(dead);
    let mut options = UpstreamOptions::new(format!("http://upstream.test:{port}/api/v1"));
    options.names = Names::new(move |host| {
        assert_eq!(host, "upstream.test");
        Ok(vec![dead, (Ipv4Addr::LOCALHOST, 0).into()])
    });
    let client = Upstream::new(&options, TIMEOUT).unwrap();
    let outcome = client.fetch(&EnvironmentKey::new("ser.secret"), None).await;
    assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
}

#[actix_rt::test]
async fn a_name_service_that_hangs_holds_one_thread_and_no_file() {
    let (release, hanging) = mpsc::channel::<()>();
    let (hanging, look_ups) = (Mutex::new(hanging), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&look_ups);
    let mut options = UpstreamOptions::new("http://upstream.test/api/v1");
    options.names = Names::new(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        let _ = hanging.lock().unwrap().recv();
        Ok(Vec::new())
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    fs::write(&path, document("one", "2024-12-26T16:18:08+00:00")).unwrap();
    let mut environments = vec![from_file(path.clone())];
    environments.extend((1..=30).map(polled));
    // Fetches that give up and begin again, quickly.
    let polling = PollingOptions {
        period: Duration::from_millis(10),
        timeout: Duration::from_millis(10),
        ..quick()
    };
    let harness = Harness::start_with(environments, ActorOptions::new(polling, options));
    harness.wait_for_value("one").await;
    for number in 0..20 {
        let value = format!("value{number}");
        fs::write(&path, document(&value, "2024-12-26T16:18:08+00:00")).unwrap();
        harness.wait_for_value(&value).await;
    }
    // The thread that looks it up may begin late.
    let looked_up = async {
        while look_ups.load(Ordering::Relaxed) == 0 {
            actix_rt::task::yield_now().await;
        }
    };
    in_time(looked_up).await;
    assert_eq!(look_ups.load(Ordering::Relaxed), 1);
    drop(release);
}

#[actix_rt::test]
async fn a_connection_is_used_for_a_minute_and_the_next_looks_the_name_up_anew() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let api_url = format!("http://upstream.test:{}/api/v1", port(&upstream));
    let usual = UpstreamOptions::new(&api_url).connection_lifetime;
    assert_eq!(usual, Duration::from_secs(60));
    for (connection_lifetime, connections) in [(usual, 1), (Duration::ZERO, 5)] {
        let look_ups = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&look_ups);
        let mut options = UpstreamOptions::new(&api_url);
        options.connection_lifetime = connection_lifetime;
        options.names = Names::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            Ok(vec![(Ipv4Addr::LOCALHOST, 0).into()])
        });
        let client = Upstream::new(&options, TIMEOUT).unwrap();
        for _ in 0..5 {
            let outcome = client.fetch(&EnvironmentKey::new("ser.secret"), None).await;
            assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
        }
        assert_eq!(look_ups.load(Ordering::Relaxed), connections);
    }
}

#[actix_rt::test]
async fn a_busy_connection_follows_a_name_that_moves() {
    let blue = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let other_address = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), port(&blue)));
    let green = ScriptedUpstream::start_at(other_address, |_| Answer::ok("[]"));
    let has_moved = Arc::new(AtomicBool::new(false));
    let moved = Arc::clone(&has_moved);
    let mut options = UpstreamOptions::new(format!("http://upstream.test:{}/api/v1", port(&blue)));
    options.connection_lifetime = Duration::from_millis(300);
    options.names = Names::new(move |_| {
        let is_green = moved.load(Ordering::Relaxed);
        Ok(vec![if is_green {
            other_address
        } else {
            (Ipv4Addr::LOCALHOST, 0).into()
        }])
    });
    let client = Upstream::new(&options, TIMEOUT).unwrap();
    let fetch = async || {
        let outcome = client.fetch(&EnvironmentKey::new("ser.secret"), None).await;
        assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
    };
    fetch().await;
    has_moved.store(true, Ordering::Relaxed);
    // One request after the other: the connection is never idle, and blue never ends it.
    let moving = async {
        while green.requests().is_empty() {
            fetch().await;
        }
    };
    tokio::time::timeout(TIMEOUT, moving)
        .await
        .expect("green in time");
    assert_eq!(blue.accepted(), 1);
    let before = blue.requests().len();
    for _ in 0..5 {
        fetch().await;
    }
    assert_eq!(blue.requests().len(), before);
}

#[actix_rt::test]
async fn every_address_of_a_name_is_tried() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok("[]"));
    let mut options = UpstreamOptions::new(format!("http://upstream.test:{}/api/v1", port(&upstream)));
    options.names = Names::new(|_| {
        // Nobody listens at those: they refuse.
        let refusing = (2..12).map(|last| (Ipv4Addr::new(127, 0, 0, last), 0).into());
        Ok(refusing.chain([(Ipv4Addr::LOCALHOST, 0).into()]).collect())
    });
    let client = Upstream::new(&options, TIMEOUT).unwrap();
    let outcome = client.fetch(&EnvironmentKey::new("ser.secret"), None).await;
    assert!(matches!(outcome, FetchOutcome::Document { .. }), "{outcome:?}");
}
