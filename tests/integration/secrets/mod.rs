//! Nothing that the process emits shows a key, a token, a password, an identifier or a trait's value: log lines of every
//! level in both formats, spans, errors, health, `--check`, the lines of starts that fail, panics.
//!
//! # Layout
//! - `marks`: what is secret, and how it may look.
//! - `upstream`: a Flagsmith that fails in every way, and repeats what it was asked.
//! - `session`: what clients send, and what their answers may show.
//! - `http2`: what they send over HTTP/2 that is no good request.
//! - `admin`: what is asked at the admin port.
//! - `starts`: what the program writes besides serving.
//! - `panics`: what it writes where it has a defect.
mod admin;
mod http2;
mod marks;
mod panics;
mod session;
mod starts;
mod upstream;

use std::net::{Ipv4Addr, SocketAddr};
use std::thread;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::program::Program;

use crate::harness::{Proxy, command};
use crate::telemetry::collector::Collector;
use marks::assert_shows_nothing;

const LEVELS: [&str; 6] = ["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG", "NOTSET"];

/// The configuration of the process that is talked to: every secret that there is an option for.
fn configuration(upstream: &upstream::Echo, level: &str, format: &str) -> Value {
    json!({
        "environment_key_pairs": upstream::key_pairs(),
        "api_url": upstream.api_url(),
        // Twelve of them share the processors: what comes is to come in time, and what does not come costs each life so long.
        "api_poll_timeout_seconds": 2,
        "forward_identities": true,
        "upstream": {"headers": {"X-Gateway-Key": marks::UPSTREAM_HEADER, "Authorization": format!("Bearer {}", marks::UPSTREAM_HEADER)}},
        "realtime": {"authentication_token": marks::REALTIME_TOKEN, "upstream_url": upstream.origin()},
        "server": {
            "host": "127.0.0.1", "port": 0, "drain_seconds": 0, "shutdown_timeout_seconds": 3,
            "proxy_headers": true, "proxy_protocol": "on", "h2c": true,
            "request_head_timeout_seconds": 2, "request_body_timeout_seconds": 2,
        },
        "admin": {"host": admin::HOST, "port": 0, "token": marks::ADMIN_TOKEN},
        "logging": {"log_level": level, "log_format": format, "enable_access_log": true},
        marks::UNKNOWN_OPTION: marks::UNKNOWN_OPTION_VALUE,
    })
}

/// A folder with this configuration, and with what it names.
fn folder(config: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, content: String| std::fs::write(folder.path().join(name), content).unwrap();
    write("config.json", config.to_string());
    write("served.json", upstream::document().to_string());
    write("no-json.json", format!("{{\"api_key\": {}", marks::CLIENT_KEY));
    write(
        "no-document.json",
        json!({"api_key": marks::CLIENT_KEY, "feature_states": marks::IDENTIFIER}).to_string(),
    );
    folder
}

/// The variables that hold secrets, which the session's own upstream is exempt of.
fn variables() -> [(&'static str, String); 3] {
    let proxy = format!(
        "http://{}:{}@127.0.0.1:9",
        marks::PROXY_USER,
        marks::PROXY_PASSWORD
    );
    [
        ("HTTPS_PROXY", proxy.clone()),
        ("ALL_PROXY", proxy),
        ("NO_PROXY", "127.0.0.1".to_owned()),
    ]
}

/// A whole life of the process at one level, and what it wrote.
fn life(level: &str, format: &str) -> String {
    let upstream = upstream::Echo::start();
    let collector = Collector::start();
    let folder = folder(&configuration(&upstream, level, format));
    // The address is told at INFO.
    let mut command = command(folder.path());
    command.envs(variables()).envs(collector.variables());
    let header = format!("x-tenant={0},authorization=Bearer%20{0}", marks::COLLECTOR_HEADER);
    command.env("OTEL_EXPORTER_OTLP_HEADERS", header);
    command.arg("--config").arg("config.json");
    let program = Program::start(&mut command);
    let id = program.id();
    let path = folder.path().join("config.json");
    let mut proxy = if LEVELS[..3].contains(&level) {
        Proxy::listening_at(program, folder, listening_address(id, "127.0.0.1"))
    } else {
        Proxy::of(program, folder)
    };
    session::wait_until_all_has_failed(proxy.address);
    session::talk(proxy.address, &upstream);
    http2::talk(proxy.address);
    admin::talk(listening_address(id, admin::HOST));
    // A new configuration that cannot be used, and the old one again.
    for is_refused in [true, false] {
        let mut config = configuration(&upstream, level, format);
        if is_refused {
            config["server"]["max_connections"] = json!(marks::JUNK);
        }
        std::fs::write(&path, config.to_string()).unwrap();
        proxy.signal("HUP");
        session::wait_until_configuration_is(proxy.address, is_refused);
    }
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_spans_show_nothing(&collector);
    log
}

/// What the collector has got, as it came and decoded.
fn assert_spans_show_nothing(collector: &Collector) {
    for request in collector.server().requests() {
        assert_shows_nothing("what was sent", &String::from_utf8_lossy(&request.body));
    }
    let spans = collector.spans();
    for span in &spans {
        assert_shows_nothing("a span", &format!("{:?}", span.span));
    }
    for name in [
        "evaluate.flags",
        "evaluate.identity",
        "poll.fetch_document",
        "GET /sse/environments/{client_side_key}/stream/",
        "POST /api/v1/traits/",
    ] {
        assert!(spans.iter().any(|span| span.span.name == name), "{name}");
    }
}

/// Where a process listens at this address, as the system knows it: nothing that it writes tells at these levels.
fn listening_address(id: u32, host: &str) -> SocketAddr {
    let host: Ipv4Addr = host.parse().unwrap();
    let begun = std::time::Instant::now();
    loop {
        assert!(begun.elapsed() < test_support::wait::PATIENCE, "it listens");
        if let Some(port) = listening_port(id, host) {
            return (host, port).into();
        }
        thread::sleep(session::PAUSE);
    }
}

/// The port of the one socket of a process that listens at this address (`/proc/net/tcp`, state 0A).
fn listening_port(id: u32, host: Ipv4Addr) -> Option<u16> {
    let table = std::fs::read_to_string(format!("/proc/{id}/net/tcp")).ok()?;
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{id}/fd"))
        .ok()?
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .map(|target| target.display().to_string())
        .collect();
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (local, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
        let is_its = sockets.contains(&format!("socket:[{inode}]"));
        let (address, port) = local.split_once(':')?;
        // As the machine holds it in memory.
        let address = Ipv4Addr::from(u32::from_str_radix(address, 16).ok()?.to_ne_bytes());
        let port = u16::from_str_radix(port, 16).ok()?;
        (*state == "0A" && is_its && address == host).then_some(port)
    })
}

/// What each level has to hold, so that a session that logs nothing is noticed.
fn assert_is_a_log(level: &str, format: &str, log: &str) {
    let expected: &[&str] = match level {
        "CRITICAL" | "ERROR" => &[],
        "WARNING" => &["upstream"],
        _ => &[
            "upstream",
            "/api/v1/flags/",
            "/sse/environments/{client_side_key}/stream/",
            "408",
        ],
    };
    for part in expected {
        assert!(log.contains(part), "{level}, {format}: no {part} in {log}");
    }
    let is_line = |line: &str| match format {
        "json" => serde_json::from_str::<Value>(line).is_ok(),
        _ => line.starts_with("20"),
    };
    assert!(log.lines().all(is_line), "{level}, {format}: {log}");
}

fn no_level_shows_anything(format: &'static str) {
    thread::scope(|scope| {
        for level in LEVELS {
            scope.spawn(move || {
                let log = life(level, format);
                assert_is_a_log(level, format, &log);
                // Libraries may write whatever they like for those who debug them at the level that is called trace.
                let is_trace = |line: &str| line.contains(" TRACE ") || line.contains(r#""level":"trace""#);
                for line in log.lines().filter(|line| !is_trace(line)) {
                    assert_shows_nothing(&format!("the log at {level}"), line);
                    let is_of_h2 = line.contains(" h2::") || line.contains(r#""h2::"#);
                    assert!(!is_of_h2, "any peer could fill the log at {level}: {line}");
                }
            });
        }
    });
}

#[test]
fn generic_lines_of_no_level_show_a_secret() {
    no_level_shows_anything("generic");
}

#[test]
fn json_lines_of_no_level_show_a_secret() {
    no_level_shows_anything("json");
}
