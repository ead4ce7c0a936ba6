//! Varnish with its built-in policy: what says nothing of caching it keeps for two minutes, whatever the key in a header.
use std::collections::HashSet;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use serde_json::json;
use test_support::http::{Request, Response};
use test_support::wait::PATIENCE;

use crate::harness::{Edge, Environment, Flagsmith, Front, Line, ONE, TWO, TempFolder, Version, installed};

/// Everything that one test needs.
struct Cached {
    flagsmith: Flagsmith,
    edge: Edge,
    varnish: Front,
    _folder: TempFolder,
}

/// Starts it all; `None` where Varnish is not installed.
fn start() -> Option<Cached> {
    let program = installed("varnishd", "varnish")?;
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let folder = TempFolder::new();
    let edge_port = edge.address.port().to_string();
    let vcl = folder.fill(
        "default.vcl",
        include_str!("default.vcl"),
        &[("EDGE_PORT", edge_port)],
    );
    let varnish = Front::start(|port| {
        let mut command = Command::new(&program);
        // Its child ends with it. Without a jail, which needs a system account of its own.
        command.args(["-F", "-j", "none", "-s", "malloc,16m"]);
        command.arg("-a").arg(format!("127.0.0.1:{port}"));
        command.arg("-n").arg(folder.path().join("varnish"));
        command.arg("-f").arg(&vcl);
        command
    });
    Some(Cached {
        flagsmith,
        edge,
        varnish,
        _folder: folder,
    })
}

impl Cached {
    fn address(&self) -> SocketAddr {
        self.varnish.address
    }

    fn ask(&self, request: &Request) -> Response {
        Line::open(self.address()).ask(request)
    }
}

/// The requests of an SDK, with the value that they must show.
fn reads(keys: Environment) -> [Request; 4] {
    [
        Request::get("/api/v1/flags/").key(keys.client_side_key),
        Request::get("/api/v1/flags/?feature=banner").key(keys.client_side_key),
        Request::get("/api/v1/identities/?identifier=alice").key(keys.client_side_key),
        Request::get("/api/v1/environment-document/").key(keys.server_side_key),
    ]
}

fn shows(answer: &Response, keys: Environment, version: Version) -> bool {
    let value = version.value(keys);
    answer.status == 200 && answer.text().contains(&format!("\"{value}\""))
}

#[test]
fn after_a_told_change_nobody_gets_an_old_flag() {
    let Some(cached) = start() else { return };
    let mut events = cached.edge.subscribe(ONE);
    let mut etags: Vec<String> = Vec::new();
    for version in (1..=20).map(Version) {
        cached.flagsmith.change(ONE, version);
        cached.edge.push(ONE, version);
        events.until_told(version);
        for request in reads(ONE) {
            // The second time there would be something to find in the cache.
            for _ in 0..2 {
                let answer = cached.ask(&request);
                assert!(shows(&answer, ONE, version), "{version:?}: {:?}", answer.text());
            }
        }
        for etag in &etags {
            let conditional = reads(ONE)[0].clone().header("If-None-Match", etag);
            let answer = cached.ask(&conditional);
            assert!(shows(&answer, ONE, version), "{version:?}: {}", answer.status);
        }
        let etag = cached.ask(&reads(ONE)[0]).header("etag").unwrap().to_owned();
        let conditional = reads(ONE)[0].clone().header("If-None-Match", &etag);
        assert_eq!(cached.ask(&conditional).status, 304);
        etags.push(etag);
    }
}

#[test]
fn no_environment_gets_the_answer_of_another() {
    let Some(cached) = start() else { return };
    // Each environment has a feature that the other one has not: a 404, which is kept as any answer.
    let feature = |named: Environment, keys: Environment| {
        let path = format!("/api/v1/flags/?feature={}", named.client_side_key);
        Request::get(&path).key(keys.client_side_key)
    };
    for _ in 0..5 {
        for (keys, other) in [(ONE, TWO), (TWO, ONE)] {
            for request in reads(keys) {
                let answer = cached.ask(&request);
                assert!(shows(&answer, keys, Version(0)), "{keys:?}: {:?}", answer.text());
            }
            assert_eq!(cached.ask(&feature(other, keys)).status, 404, "{keys:?}");
            assert_eq!(cached.ask(&feature(keys, keys)).status, 200, "{keys:?}");
        }
        for path in ["/api/v1/flags/", "/api/v1/environment-document/"] {
            let unknown = Request::get(path).key("unknown");
            assert_eq!(cached.ask(&unknown).status, 401);
            assert_eq!(cached.ask(&Request::get(path)).status, 401);
        }
        let document = Request::get("/api/v1/environment-document/").key(ONE.client_side_key);
        assert_eq!(cached.ask(&document).status, 401);
    }
}

#[test]
fn each_anonymous_identity_is_one_of_its_own() {
    let Some(cached) = start() else { return };
    let anonymous = Request::get("/api/v1/identities/").key(ONE.client_side_key);
    let identifiers: HashSet<String> = (0..20)
        .map(|_| cached.ask(&anonymous).json()["identifier"].to_string())
        .collect();
    assert_eq!(identifiers.len(), 20);
}

#[test]
fn health_is_that_of_now() {
    let Some(cached) = start() else { return };
    let subscribers =
        || cached.ask(&Request::get("/proxy/health")).json()["environments"][0]["subscribers"].clone();
    assert_eq!(subscribers(), 0);
    let _events = cached.edge.subscribe(ONE);
    // It is counted a moment after its head has come.
    let begun = Instant::now();
    while subscribers() != 1 {
        assert!(begun.elapsed() < PATIENCE, "an answer of before is kept");
    }
}

/// Varnish writes the number of the request that an answer was fetched for beside that of the request that it answers.
#[test]
fn nothing_at_all_comes_out_of_the_cache() {
    let Some(cached) = start() else { return };
    let mut requests: Vec<Request> = reads(ONE).into();
    for path in [
        "/",
        "/proxy/health",
        "/health",
        "/proxy/health/readiness",
        "/proxy/health/liveness",
        "/sse/health",
        "/nowhere/",
        "/flags/",
        "/api/v1/flags/",
        "/api/v1/flags/?feature=nothing",
        "/sse/environments/client-one/queue-change",
    ] {
        requests.push(Request::get(path));
        requests.push(Request::new("HEAD", path).key(ONE.client_side_key));
    }
    for request in &requests {
        for _ in 0..2 {
            let answer = cached.ask(request);
            let fetched_for = answer.header("x-varnish").unwrap();
            assert!(
                !fetched_for.contains(' '),
                "{:?}: {:?}",
                String::from_utf8_lossy(&request.bytes()),
                answer.headers
            );
        }
    }
}
