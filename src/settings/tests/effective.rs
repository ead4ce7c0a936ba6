//! What `--check` prints.
use std::path::Path;

use actors::environment::DocumentSource;
use serde_json::{Value, json};

use super::super::{Loaded, Settings};
use super::{ConfigFile, load, owned, with};

fn effective(options: Value, variables: &[(&str, &str)]) -> (String, Value) {
    let text = load(options, variables).settings.effective_json();
    assert!(!text.contains("secret"), "{text}");
    let value = serde_json::from_str(&text).unwrap();
    (text, value)
}

#[test]
fn secrets_are_masked() {
    let (text, value) = effective(
        json!({
            "realtime": {"authentication_token": "secret"},
            "admin": {"port": 8001, "token": "secret"},
            "upstream": {"headers": {"X-Gateway": "secret", "Authorization": "Basic secret"}},
        }),
        &[
            ("ALL_PROXY", "user:secret@proxy:3128"),
            ("HTTPS_PROXY", "http://secret@proxy:1"),
        ],
    );
    assert!(text.contains('\n'), "not pretty: {text}");
    assert_eq!(
        value["environment_key_pairs"],
        json!([{"client_side_key": "****", "server_side_keys": ["ser.****"]}])
    );
    assert_eq!(value["realtime"]["authentication_token"], "****");
    assert_eq!(
        value["admin"],
        json!({"host": "127.0.0.1", "port": 8001, "token": "****"})
    );
    assert_eq!(
        value["upstream"]["headers"],
        json!({"x-gateway": "****", "authorization": "****"})
    );
    assert_eq!(
        value["environment variables"]["ALL_PROXY"],
        "http://****@proxy:3128"
    );
    assert_eq!(
        value["environment variables"]["HTTPS_PROXY"],
        "http://****@proxy:1"
    );
}

#[test]
fn what_is_printed_loads_to_the_same() {
    let options = json!({
        "api_poll_frequency": 2.5, "allow_origins": "https://a.b",
        "health_check": {"environment_update_grace_period_seconds": null},
        "realtime": {"max_stream_age_seconds": -1, "notify_spread_ms": 1500},
        "analytics": false,
        "server": {"max_connection_age_seconds": 90, "max_requests_per_connection": 7, "max_body_bytes": 2_000},
    });
    let (text, mut value) = effective(options, &[("LOGGING", r#"{"log_level":"DEBUG"}"#)]);
    let apart = value
        .as_object_mut()
        .unwrap()
        .remove("environment variables")
        .unwrap();
    assert!(apart["WEB_CONCURRENCY"].is_u64());
    let again = ConfigFile::of(&value).load(&[]).unwrap();
    assert_eq!(again.notices, []);
    assert_eq!(again.settings.effective_json(), text);
}

/// What the repository's `config/` holds under this name.
fn shipped(name: &str) -> Loaded {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name);
    Settings::load(Some(&path), owned(&[])).unwrap()
}

#[test]
fn the_shipped_configurations_load_without_a_word() {
    let demonstration = shipped("config.json");
    assert_eq!(demonstration.notices, []);
    let DocumentSource::File(document) = &demonstration.settings.environments[0].source else {
        panic!("the demonstration needs no upstream");
    };
    let document: Value = serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
    let key = demonstration.settings.environments[0].client_side_key.reveal();
    assert_eq!(document["api_key"], key);

    let example = shipped("config.example.json");
    assert_eq!(example.notices, []);
    assert!(matches!(
        example.settings.environments[0].source,
        DocumentSource::Upstream
    ));
}

#[test]
fn defaults_in_full() {
    let (_, value) = effective(json!({}), &[("WEB_CONCURRENCY", "2")]);
    let mut expected = with(json!({
        "api_url": "https://edge.api.flagsmith.com/api/v1",
        "api_poll_frequency_seconds": 10.0,
        "api_poll_timeout_seconds": 5.0,
        "api_poll_unconditional_seconds": "auto",
        "allow_origins": ["*"],
        "forward_identities": false,
        "logging": {
            "log_level": "INFO", "log_format": "generic", "log_event_field_name": "message",
            "enable_access_log": false, "colours": false,
        },
        "server": {
            "host": "::", "port": 8000, "path_prefix": "", "proxy_headers": false, "proxy_protocol": "off", "tls": null,
            "h2c": false,
            "timeout_keep_alive": 75.0,
            "request_head_timeout_seconds": 5.0, "request_body_timeout_seconds": 10.0,
            "max_body_bytes": 1_048_576, "max_body_bytes_in_flight": 67_108_864,
            "max_answer_bytes_in_flight": 268_435_456, "max_requests_in_flight": 1_024,
            "max_connections": null, "max_connection_age_seconds": -1.0, "max_requests_per_connection": null,
            "shutdown_timeout_seconds": 10.0,
            "drain_seconds": 5.0,
        },
        "health_check": {"environment_update_grace_period_seconds": 30.0, "stale_is_unready": false},
        "realtime": {
            "authentication_token": null, "upstream_url": null, "max_stream_age_seconds": 30.0,
            "notify_spread_ms": "auto", "max_subscribers": null,
        },
        "analytics": true,
        "upstream": {
            "document_memory_bytes": 536_870_912, "ca_file": null, "client_certificate": null, "client_key": null,
            "headers": {},
        },
        "persistence": {"directory": null},
        "admin": {"host": "127.0.0.1", "port": null, "token": null},
        "environment variables": {
            "WEB_CONCURRENCY": 2, "FORWARDED_ALLOW_IPS": "127.0.0.1/8,::1/128", "SSL_CERT_FILE": null,
            "SSL_CERT_DIR": [], "HTTP_PROXY": null, "HTTPS_PROXY": null, "ALL_PROXY": null, "NO_PROXY": "",
            "OTEL": null,
        },
    }));
    expected["environment_key_pairs"] =
        json!([{"client_side_key": "****", "server_side_keys": ["ser.****"]}]);
    assert_eq!(value, expected);
}
