//! Formats, levels, and which client a request came from.
mod process;
mod queue;

use std::net::IpAddr;
use std::time::Duration;

use log::kv::Source;
use log::{Level, LevelFilter, Log as _, Record};

use super::*;
use crate::settings::{LOG_LINE_FIELDS, LogFormat, LogLevel, LoggingSettings, Settings};

const TIME: &str = "2026-11-21T19:14:06.123456Z";

fn generic(record: &Record<'_>, colours: bool) -> String {
    let mut line = String::new();
    format::generic(&mut line, TIME, record, colours);
    line
}

fn json(record: &Record<'_>, event_field_name: &str) -> String {
    let mut line = String::new();
    format::json(&mut line, TIME, record, event_field_name);
    line
}

fn record_of(message: &str, look: impl Fn(&Record<'_>) -> String) -> String {
    look(
        &Record::builder()
            .level(Level::Warn)
            .target("edge_proxy::settings")
            .args(format_args!("{message}"))
            .build(),
    )
}

fn generic_of(message: &str) -> String {
    record_of(message, |record| generic(record, false))
}

fn json_of(message: &str, field: &str) -> serde_json::Value {
    let line = record_of(message, |record| json(record, field));
    assert!(
        line.ends_with("}\n") && line.matches('\n').count() == 1,
        "{line:?}"
    );
    serde_json::from_str(&line).unwrap()
}

fn access() -> Access<'static> {
    Access {
        method: "GET",
        route: Some("/api/v1/flags"),
        status: 200,
        bytes: Some(1100),
        duration: Duration::from_nanos(42_999),
        remote: Some(IpAddr::from([10, 0, 0, 1])),
    }
}

fn access_line(access: &dyn Source, look: impl Fn(&Record<'_>) -> String) -> String {
    look(
        &Record::builder()
            .level(Level::Info)
            .target(ACCESS)
            .args(format_args!("request"))
            .key_values(&access)
            .build(),
    )
}

#[test]
fn a_generic_line() {
    assert_eq!(
        generic_of("all is well"),
        format!("{TIME} WARNING edge_proxy::settings: all is well\n")
    );
}

#[test]
fn a_generic_line_in_colours() {
    let line = record_of("m", |record| generic(record, true));
    assert_eq!(
        line,
        format!("{TIME} \x1b[33mWARNING\x1b[0m edge_proxy::settings: m\n")
    );
}

#[test]
fn a_json_line() {
    let line = record_of("all is well", |record| json(record, "message"));
    let expected = r#"","level":"warning","logger":"edge_proxy::settings","message":"all is well"}"#;
    assert_eq!(line, format!("{{\"timestamp\":\"{TIME}{expected}\n"));
}

#[test]
fn the_message_stands_under_the_configured_name() {
    let line = json_of("m", "ev\"ent");
    assert_eq!(line["ev\"ent"], "m");
    assert!(line.get("message").is_none());
}

#[test]
fn no_message_breaks_a_line() {
    let messages = [
        "a\nb",
        "a\r\nb",
        "\n",
        "\u{2028}\u{85}",
        "\x1b[31mred",
        "a\0b",
        "\"}\n{\"level\":\"x\"",
        "é\\",
    ];
    for message in messages {
        let generic = generic_of(message);
        let inner = generic.strip_suffix('\n').unwrap();
        assert!(
            !inner.contains(|c: char| c.is_control() || c == '\u{2028}'),
            "{inner:?}"
        );
        assert_eq!(json_of(message, "message")["message"], message);
    }
    assert!(generic_of("a\nb").ends_with(": a\\nb\n"));
}

#[test]
fn an_access_line_in_both_formats() {
    let line = access_line(&access(), |record| generic(record, false));
    let fields = "method=GET route=/api/v1/flags status=200 bytes=1100 duration_us=42 remote_ip=10.0.0.1";
    assert_eq!(line, format!("{TIME} INFO    access: request {fields}\n"));
    let line = access_line(&access(), |record| json(record, "event"));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(
        line,
        serde_json::json!({
            "timestamp": TIME, "level": "info", "logger": "access", "event": "request", "method": "GET",
            "route": "/api/v1/flags", "status": 200, "bytes": 1100, "duration_us": 42, "remote_ip": "10.0.0.1",
        })
    );
    let names = line.as_object().unwrap().keys().filter(|name| *name != "event");
    for name in names {
        assert!(LOG_LINE_FIELDS.contains(&name.as_str()), "{name}");
    }
}

#[test]
fn what_an_access_line_does_not_know_it_leaves_out() {
    let access = Access {
        route: None,
        bytes: None,
        remote: None,
        ..access()
    };
    let line = access_line(&access, |record| generic(record, false));
    assert!(
        line.ends_with("request method=GET route=- status=200 duration_us=42\n"),
        "{line}"
    );
}

#[test]
fn an_odd_method_is_quoted() {
    let access = Access {
        method: "GET x\ny",
        ..access()
    };
    let line = access_line(&access, |record| generic(record, false));
    assert!(line.contains(r#"method="GET x\ny" "#), "{line}");
    assert_eq!(line.matches('\n').count(), 1);
}

fn settings(level: LogLevel, access_log: bool) -> LoggingSettings {
    LoggingSettings {
        level,
        format: LogFormat::Generic,
        event_field_name: "message".to_owned(),
        access_log,
        colours: false,
    }
}

#[test]
fn levels_by_target() {
    use LevelFilter::*;
    // Configured, access log, then what holds for: our crates, actix-server, access.
    let cases = [
        (LogLevel::Critical, true, Error, Error, Error),
        (LogLevel::Error, true, Error, Error, Error),
        (LogLevel::Warning, true, Warn, Warn, Warn),
        (LogLevel::Info, true, Info, Warn, Info),
        (LogLevel::Info, false, Info, Warn, Off),
        (LogLevel::Debug, true, Debug, Debug, Debug),
        (LogLevel::NotSet, false, Trace, Trace, Off),
    ];
    for (level, access_log, own, of_no_peer, access) in cases {
        let settings = settings(level, access_log);
        let of = |target| level_of(&settings, target);
        let seen = ["edge_proxy::server", "actors", "engine"].map(of);
        assert_eq!(seen, [own; 3], "{level:?}");
        let seen = (of("actix_server::accept"), of(ACCESS));
        assert_eq!(seen, (of_no_peer, access), "{level:?}");
    }
}

/// The least important level of which a target's lines are written, as the logger itself has it.
fn level_of(settings: &LoggingSettings, target: &str) -> LevelFilter {
    let logger = logger(settings);
    let is_written =
        |level: &Level| logger.enabled(&log::Metadata::builder().level(*level).target(target).build());
    Level::iter()
        .filter(is_written)
        .last()
        .map_or(LevelFilter::Off, |level| level.to_level_filter())
}

#[test]
fn no_dependency_writes_what_peers_send() {
    let dependencies = [
        "actix_http::h1::encoder",
        "actix_router::resource",
        "actix_web::app",
        "actix_web_lab::query",
        "awc::client",
        "h2::codec::framed_read",
        "h2::proto::ping_pong",
        "h2::server",
        "mio::poll",
        "rustls::msgs::handshake",
        "tracing::span",
        "a crate that is added one day",
    ];
    for level in LEVELS {
        for target in dependencies {
            assert_eq!(
                level_of(&settings(level, true), target),
                LevelFilter::Error,
                "{level:?} {target}"
            );
        }
    }
}

const LEVELS: [LogLevel; 6] = [
    LogLevel::Critical,
    LogLevel::Error,
    LogLevel::Warning,
    LogLevel::Info,
    LogLevel::Debug,
    LogLevel::NotSet,
];

#[test]
fn what_a_peer_alone_has_done_is_no_error() {
    for level in LEVELS {
        let settings = settings(level, true);
        assert_eq!(level_of(&settings, "actix_http::h1::decoder"), LevelFilter::Off);
        let is_looked_into = matches!(level, LogLevel::Debug | LogLevel::NotSet);
        let expected = if is_looked_into {
            LevelFilter::Error
        } else {
            LevelFilter::Off
        };
        assert_eq!(level_of(&settings, "actix_http::h1::dispatcher"), expected);
    }
}

fn remote(proxy_headers: bool, allowed: &str) -> RemoteAddress {
    let variables = [
        (
            "ENVIRONMENT_KEY_PAIRS",
            r#"[{"client_side_key":"c","server_side_key":"ser.s"}]"#.to_owned(),
        ),
        ("SERVER_PROXY_HEADERS", proxy_headers.to_string()),
        ("FORWARDED_ALLOW_IPS", allowed.to_owned()),
        ("CONFIG_PATH", "/nonexistent/config.json".to_owned()),
    ];
    let variables = variables.map(|(name, text)| (name.to_owned(), text));
    let settings = Settings::load(None, variables).unwrap().settings;
    RemoteAddress::new(&settings.server, &settings.process)
}

#[test]
fn the_client_behind_trusted_proxies() {
    let cases: &[(bool, &str, &str, &[&str], &str)] = &[
        (false, "*", "127.0.0.1", &["1.1.1.1"], "127.0.0.1"),
        (false, "*", "::ffff:127.0.0.1", &["1.1.1.1"], "127.0.0.1"),
        (false, "*", "::1", &["1.1.1.1"], "::1"),
        (true, "", "127.0.0.1", &["1.1.1.1"], "1.1.1.1"),
        (true, "", "::ffff:10.0.0.1", &["1.1.1.1"], "10.0.0.1"),
        (
            true,
            "10.0.0.0/8",
            "::ffff:10.0.0.1",
            &["::ffff:1.1.1.1, ::ffff:10.0.0.2"],
            "1.1.1.1",
        ),
        (
            true,
            "::ffff:10.0.0.1",
            "::ffff:10.0.0.1",
            &["[::ffff:1.1.1.1]:80"],
            "1.1.1.1",
        ),
        (true, "", "::ffff:127.0.0.1", &["1.1.1.1"], "1.1.1.1"),
        (true, "", "10.0.0.1", &["1.1.1.1"], "10.0.0.1"),
        (true, "", "127.0.0.1", &[], "127.0.0.1"),
        (
            true,
            "10.0.0.0/8",
            "10.0.0.1",
            &["6.6.6.6, 1.1.1.1, 10.0.0.2"],
            "1.1.1.1",
        ),
        (
            true,
            "10.0.0.0/8",
            "10.0.0.1",
            &["6.6.6.6", "1.1.1.1", "10.0.0.2"],
            "1.1.1.1",
        ),
        (true, "10.0.0.0/8", "10.0.0.1", &["10.0.0.3,10.0.0.2"], "10.0.0.3"),
        (true, "*", "9.9.9.9", &["6.6.6.6, 1.1.1.1"], "6.6.6.6"),
        (true, "*", "9.9.9.9", &["[2001:db8::1]:443"], "2001:db8::1"),
        (true, "*", "9.9.9.9", &["1.1.1.1:80"], "1.1.1.1"),
        (true, "*", "9.9.9.9", &["unknown"], "9.9.9.9"),
        (true, "*", "9.9.9.9", &["6.6.6.6, x\ny, 1.1.1.1"], "1.1.1.1"),
        (true, "nonsense", "127.0.0.1", &["1.1.1.1"], "127.0.0.1"),
    ];
    for (proxy_headers, allowed, peer, headers, expected) in cases {
        let client = remote(*proxy_headers, allowed)
            .of(peer.parse().ok(), headers.iter().copied())
            .unwrap();
        assert_eq!(
            client,
            expected.parse::<IpAddr>().unwrap(),
            "{allowed} {peer} {headers:?}"
        );
    }
    assert_eq!(remote(true, "*").of(None, ["1.1.1.1"]), None);
}
