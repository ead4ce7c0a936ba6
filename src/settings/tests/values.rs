//! What options give: defaults, spellings, precedence.
use std::time::Duration;

use serde_json::{Value, json};

use super::super::{
    AllowedOrigins, DoorSettings, LogFormat, LogLevel, NotifySpread, ProxyProtocol, Settings,
};
use super::{ConfigFile, Given, load, messages, with};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn defaults_are_those_of_the_documentation() {
    let loaded = load(json!({}), &[]);
    let settings = &loaded.settings;
    assert_eq!(settings.api_url, "https://edge.api.flagsmith.com/api/v1");
    assert_eq!(settings.api_poll_frequency, seconds(10));
    assert_eq!(settings.api_poll_timeout, seconds(5));
    assert_eq!(settings.api_poll_unconditional, None);
    assert_eq!(settings.allow_origins, AllowedOrigins::Any);
    assert!(!settings.forward_identities);
    assert_eq!(settings.logging.level, LogLevel::Info);
    assert_eq!(settings.logging.format, LogFormat::Generic);
    assert_eq!(settings.logging.event_field_name, "message");
    assert!(!settings.logging.access_log && !settings.logging.colours);
    // The documentation's own is 0.0.0.0, which leaves out who has IPv6 alone.
    assert_eq!(settings.server.host.to_string(), "::");
    assert_eq!(settings.server.port, 8000);
    assert_eq!(settings.server.path_prefix, "");
    assert!(!settings.server.proxy_headers);
    assert_eq!(settings.server.proxy_protocol, ProxyProtocol::Off);
    assert!(!settings.server.h2c);
    assert_eq!(settings.server.timeout_keep_alive, seconds(75));
    assert_eq!(settings.server.door, DoorSettings::default());
    assert_eq!(settings.server.shutdown_timeout, seconds(10));
    assert_eq!(settings.server.drain, seconds(5));
    assert_eq!(settings.health_check.grace_period, Some(seconds(30)));
    assert!(!settings.health_check.stale_is_unready);
    assert_eq!(settings.realtime.authentication_token, None);
    assert_eq!(settings.realtime.upstream_url, None);
    assert_eq!(settings.realtime.max_stream_age, Some(seconds(30)));
    assert_eq!(settings.realtime.notify_spread, NotifySpread::Auto);
    assert_eq!(settings.realtime.max_subscribers, None);
    assert!(settings.analytics);
    assert_eq!(settings.upstream.document_memory, 512 * 1024 * 1024);
    assert_eq!(settings.persistence.directory, None);
    assert_eq!(settings.admin.host.to_string(), "127.0.0.1");
    assert_eq!((settings.admin.port, &settings.admin.token), (None, &None));
    assert_eq!(messages(&loaded), Vec::<String>::new());
}

/// Reads one value out of the settings as text.
type Look = fn(&Settings) -> String;

const FREQUENCY: Look = |settings| format!("{:?}", settings.api_poll_frequency);
const TIMEOUT: Look = |settings| format!("{:?}", settings.api_poll_timeout);
const GRACE: Look = |settings| format!("{:?}", settings.health_check.grace_period);
const PORT: Look = |settings| settings.server.port.to_string();
const H2C: Look = |settings| settings.server.h2c.to_string();
const PROXY_PROTOCOL: Look = |settings| settings.server.proxy_protocol.name().to_owned();
const DRAIN: Look = |settings| format!("{:?}", settings.server.drain);
const HOST: Look = |settings| settings.server.host.to_string();
const PREFIX: Look = |settings| settings.server.path_prefix.clone();
const LEVEL: Look = |settings| settings.logging.level.name().to_owned();
const FORMAT: Look = |settings| settings.logging.format.name().to_owned();
const COLOURS: Look = |settings| settings.logging.colours.to_string();
const ORIGINS: Look = |settings| format!("{:?}", settings.allow_origins);
const STREAM_AGE: Look = |settings| format!("{:?}", settings.realtime.max_stream_age);
const SPREAD: Look = |settings| format!("{:?}", settings.realtime.notify_spread);
const ANALYTICS: Look = |settings| settings.analytics.to_string();
const API_URL: Look = |settings| settings.api_url.clone();

#[test]
fn values_in_the_file() {
    let grace = |value: Value| json!({"health_check": {"environment_update_grace_period_seconds": value}});
    let cases: &[(Value, Look, &str)] = &[
        (json!({"api_poll_frequency_seconds": 30}), FREQUENCY, "30s"),
        (json!({"api_poll_frequency_seconds": "30"}), FREQUENCY, "30s"),
        (json!({"api_poll_frequency_seconds": " 1.5 "}), FREQUENCY, "1.5s"),
        (json!({"api_poll_frequency": 7}), FREQUENCY, "7s"),
        (
            json!({"api_poll_frequency": 7, "api_poll_frequency_seconds": 8}),
            FREQUENCY,
            "8s",
        ),
        (
            json!({"api_poll_frequency_seconds": 8, "api_poll_frequency": 7}),
            FREQUENCY,
            "8s",
        ),
        (json!({"api_poll_frequency_seconds": null}), FREQUENCY, "10s"),
        (
            json!({"api_poll_frequency_seconds": 1e300}),
            FREQUENCY,
            "3153600000s",
        ),
        (json!({"api_poll_timeout": 0.5}), TIMEOUT, "500ms"),
        (grace(Value::Null), GRACE, "None"),
        (grace(json!(0)), GRACE, "Some(0ns)"),
        (grace(json!(999_999_999)), GRACE, "Some(999999999s)"),
        (json!({"health_check": null}), GRACE, "Some(30s)"),
        (json!({"server": {"port": 0}}), PORT, "0"),
        (json!({"server": {"port": "8001"}}), PORT, "8001"),
        (json!({"server": {"port": 8001.0}}), PORT, "8001"),
        (json!({"server": {"h2c": true}}), H2C, "true"),
        (json!({"server": {"proxy_protocol": "on"}}), PROXY_PROTOCOL, "on"),
        (json!({"server": {"proxy_protocol": true}}), PROXY_PROTOCOL, "on"),
        (
            json!({"server": {"proxy_protocol": "Required"}}),
            PROXY_PROTOCOL,
            "required",
        ),
        (
            json!({"server": {"proxy_protocol": "off"}}),
            PROXY_PROTOCOL,
            "off",
        ),
        (json!({"server": {"drain_seconds": 0}}), DRAIN, "0ns"),
        (json!({"server": {"drain_seconds": "2.5"}}), DRAIN, "2.5s"),
        (json!({"server": {"host": "::"}}), HOST, "::"),
        (json!({"server": {"host": "0.0.0.0"}}), HOST, "0.0.0.0"),
        (json!({"server": {"host": " 127.0.0.1 "}}), HOST, "127.0.0.1"),
        (json!({"server": {"host": " localhost "}}), HOST, "localhost"),
        (
            json!({"server": {"host": "edge_proxy-1.Internal."}}),
            HOST,
            "edge_proxy-1.Internal.",
        ),
        (json!({"server": {"path_prefix": ""}}), PREFIX, ""),
        (json!({"server": {"path_prefix": "/"}}), PREFIX, ""),
        (json!({"server": {"path_prefix": " /edge/ "}}), PREFIX, "/edge"),
        (
            json!({"server": {"path_prefix": "/a-b/c.d_~/1"}}),
            PREFIX,
            "/a-b/c.d_~/1",
        ),
        (json!({"logging": {"log_level": "critical"}}), LEVEL, "CRITICAL"),
        (json!({"logging": {"log_level": "Warning"}}), LEVEL, "WARNING"),
        (json!({"logging": {"log_level": "NOTSET"}}), LEVEL, "NOTSET"),
        (json!({"logging": {"log_format": "JSON"}}), FORMAT, "json"),
        (json!({"logging": {"colours": true}}), COLOURS, "true"),
        (json!({"logging": {"colors": "yes"}}), COLOURS, "true"),
        (json!({"logging": {"colour": 1}}), COLOURS, "true"),
        (json!({"logging": {"color": "off"}}), COLOURS, "false"),
        (json!({"allow_origins": "*"}), ORIGINS, "Any"),
        (json!({"allow_origins": ["https://a.b", "*"]}), ORIGINS, "Any"),
        (json!({"allow_origins": []}), ORIGINS, "Listed([])"),
        (
            json!({"allow_origins": "https://A.example/"}),
            ORIGINS,
            r#"Listed(["https://a.example"])"#,
        ),
        (
            json!({"allow_origins": ["https://a.b:443", "https://a.b", "http://c:8080"]}),
            ORIGINS,
            r#"Listed(["https://a.b", "http://c:8080"])"#,
        ),
        (
            json!({"realtime": {"max_stream_age_seconds": -1}}),
            STREAM_AGE,
            "None",
        ),
        (
            json!({"realtime": {"max_stream_age_seconds": 45}}),
            STREAM_AGE,
            "Some(45s)",
        ),
        (json!({"realtime": {"notify_spread_ms": "AUTO"}}), SPREAD, "Auto"),
        (json!({"realtime": {"notify_spread_ms": 0}}), SPREAD, "Fixed(0ns)"),
        (
            json!({"realtime": {"notify_spread_ms": "250"}}),
            SPREAD,
            "Fixed(250ms)",
        ),
        (json!({"analytics": "off"}), ANALYTICS, "false"),
        (
            json!({"api_url": " http://flagsmith:8000/api/v1/ "}),
            API_URL,
            "http://flagsmith:8000/api/v1",
        ),
        (json!({"api_url": "http://[::1]:80"}), API_URL, "http://[::1]:80"),
        // The scheme's own port, by RFC 3986.
        (
            json!({"api_url": "http://a:/api/v1"}),
            API_URL,
            "http://a:/api/v1",
        ),
    ];
    for (options, look, expected) in cases {
        assert_eq!(look(&load(options.clone(), &[]).settings), *expected, "{options}");
    }
}

#[test]
fn the_limits_at_the_door() {
    let loaded = load(
        json!({"server": {
            "request_head_timeout_seconds": 0.1, "request_body_timeout_seconds": "30", "max_body_bytes": 8_388_608,
            "max_body_bytes_in_flight": 8_388_608, "max_answer_bytes_in_flight": 1_048_576,
            "max_requests_in_flight": 1, "max_connections": 5_000, "max_connection_age_seconds": 600.5,
            "max_requests_per_connection": 1_000,
        }}),
        &[],
    );
    let expected = DoorSettings {
        request_head_timeout: Duration::from_millis(100),
        request_body_timeout: seconds(30),
        max_body_bytes: 8 << 20,
        max_body_bytes_in_flight: 8 << 20,
        max_answer_bytes_in_flight: 1 << 20,
        max_requests_in_flight: 1,
        max_connections: Some(5_000),
        max_connection_age: Some(Duration::from_millis(600_500)),
        max_requests_per_connection: Some(1_000),
    };
    assert_eq!(loaded.settings.server.door, expected);
    assert_eq!(messages(&loaded), Vec::<String>::new());
    let never = load(
        json!({"server": {"max_connection_age_seconds": -1, "max_connections": null}}),
        &[],
    );
    assert_eq!(never.settings.server.door, DoorSettings::default());
}

#[test]
fn variables_win_over_the_file() {
    let none = || json!({});
    let cases: &[(Value, Given, Look, &str)] = &[
        (none(), &[("API_POLL_FREQUENCY_SECONDS", "5")], FREQUENCY, "5s"),
        (none(), &[("api_poll_frequency_seconds", "5")], FREQUENCY, "5s"),
        (none(), &[("Api_Poll_Frequency", "5")], FREQUENCY, "5s"),
        (none(), &[("ANALYTICS", "false")], ANALYTICS, "false"),
        (
            json!({"api_poll_frequency_seconds": 9}),
            &[("API_POLL_FREQUENCY", "5")],
            FREQUENCY,
            "5s",
        ),
        (
            json!({"api_poll_frequency": 9}),
            &[("API_POLL_FREQUENCY_SECONDS", "5")],
            FREQUENCY,
            "5s",
        ),
        (
            none(),
            &[("API_POLL_FREQUENCY", "4"), ("API_POLL_FREQUENCY_SECONDS", "5")],
            FREQUENCY,
            "5s",
        ),
        (
            none(),
            &[("api_poll_timeout", "4"), ("API_POLL_TIMEOUT", "6")],
            TIMEOUT,
            "6s",
        ),
        (
            json!({"api_url": "http://a"}),
            &[("API_URL", "http://b/")],
            API_URL,
            "http://b",
        ),
        (
            json!({"api_url": "http://a"}),
            &[("API_URL", "")],
            API_URL,
            "http://a",
        ),
        (
            json!({"api_url": "http://a"}),
            &[("API_URL", "  ")],
            API_URL,
            "http://a",
        ),
        (
            none(),
            &[("ALLOW_ORIGINS", "https://a.b")],
            ORIGINS,
            r#"Listed(["https://a.b"])"#,
        ),
        (
            none(),
            &[("ALLOW_ORIGINS", r#"["https://a.b"]"#)],
            ORIGINS,
            r#"Listed(["https://a.b"])"#,
        ),
        (
            none(),
            &[("ALLOW_ORIGINS", "http://a,http://b")],
            ORIGINS,
            r#"Listed(["http://a", "http://b"])"#,
        ),
        (none(), &[("SERVER", r#" {"port": 9} "#)], PORT, "9"),
        (
            json!({"server": {"port": 9}}),
            &[("SERVER", r#"{"host":"::1"}"#)],
            PORT,
            "9",
        ),
        (
            json!({"server": {"port": 9}}),
            &[("SERVER", r#"{"host":"::1"}"#)],
            HOST,
            "::1",
        ),
        (
            json!({"server": {"port": 9}}),
            &[("SERVER", r#"{"port":null}"#)],
            PORT,
            "8000",
        ),
        (
            json!({"logging": {"colours": true}}),
            &[("LOGGING", r#"{"colors":false}"#)],
            COLOURS,
            "false",
        ),
        (
            json!({"logging": {"colours": true}}),
            &[("LOGGING", r#"{"log_level":"ERROR"}"#)],
            COLOURS,
            "true",
        ),
        (
            none(),
            &[(
                "HEALTH_CHECK",
                r#"{"environment_update_grace_period_seconds":null}"#,
            )],
            GRACE,
            "None",
        ),
    ];
    for (options, variables, look, expected) in cases {
        assert_eq!(
            look(&load(options.clone(), variables).settings),
            *expected,
            "{options} {variables:?}"
        );
    }
}

#[test]
fn proxy_headers_has_a_variable_of_its_own() {
    let options = json!({"server": {"port": 9, "proxy_headers": false}});
    let loaded = load(
        options.clone(),
        &[("SERVER_PROXY_HEADERS", "true"), ("SERVER", r#"{"host":"::1"}"#)],
    );
    assert!(loaded.settings.server.proxy_headers);
    assert_eq!(loaded.settings.server.port, 9);
    assert_eq!(loaded.settings.server.host.to_string(), "::1");
}

#[test]
fn what_realtime_and_persistence_give() {
    let options = json!({
        "realtime": {
            "authentication_token": " secret-token ", "upstream_url": "https://realtime.flagsmith.com/",
            "max_subscribers": 5000
        },
        "persistence": {"directory": "documents"}
    });
    let file = ConfigFile::of(&with(options));
    let settings = file.load(&[]).unwrap().settings;
    assert_eq!(
        settings.realtime.authentication_token.unwrap().reveal(),
        "secret-token"
    );
    assert_eq!(
        settings.realtime.upstream_url.unwrap(),
        "https://realtime.flagsmith.com"
    );
    assert_eq!(settings.realtime.max_subscribers, Some(5000));
    assert_eq!(
        settings.persistence.directory,
        Some(file.folder.path().join("documents"))
    );
}

#[test]
fn what_the_admin_port_is_given() {
    let options = json!({"admin": {"host": "localhost", "port": 8001}});
    let variables = [("ADMIN", r#"{"port": "8002", "token": " secret "}"#)];
    let admin = load(options, &variables).settings.admin;
    assert_eq!(admin.host.to_string(), "localhost");
    assert_eq!(admin.port, Some(8002));
    assert_eq!(admin.token.unwrap().reveal(), "secret");
    assert_eq!(
        load(json!({"admin": {"port": null}}), &[]).settings.admin.port,
        None
    );
}
