//! What ends the start, word for word.
use serde_json::{Value, json};

use super::super::Settings;
use super::{ConfigFile, assert_is_discreet, error_of, owned, shown};

#[test]
fn each_error_names_option_origin_and_problem() {
    let cases: &[(Value, &str)] = &[
        (
            json!({"api_poll_frequency_seconds": "secret"}),
            "api_poll_frequency_seconds (from config.json) is text that is no number",
        ),
        (
            json!({"api_poll_frequency_seconds": 0}),
            "api_poll_frequency_seconds (from config.json) must be at least 1 (seconds)",
        ),
        (
            json!({"api_poll_frequency": true}),
            "api_poll_frequency_seconds (from config.json) is a boolean that is no number",
        ),
        (
            json!({"api_poll_timeout_seconds": -1}),
            "api_poll_timeout_seconds (from config.json) must be at least 0.001 (seconds)",
        ),
        (
            json!({"server": []}),
            "server (from config.json) is a list; give an object",
        ),
        (
            json!({"endpoint_caches": {"flags": 1}}),
            "endpoint_caches.flags (from config.json) is a number; give an object",
        ),
        (
            json!({"endpoint_caches": {"flags": {"cache_max_size": "x"}}}),
            "endpoint_caches.flags.cache_max_size (from config.json) is text that is no number",
        ),
        (
            json!({"admin": {"port": 8000}}),
            "admin.port (from config.json) is server.port too; give another one",
        ),
        (
            json!({"server": {"host": "localhost", "port": 9000}, "admin": {"port": 9000}}),
            "admin.port (from config.json) is server.port too; give another one",
        ),
        (
            json!({"server": {"port": 65536}}),
            "server.port (from config.json) must be a whole number from 0 to 65535",
        ),
        (
            json!({"server": {"tls": {"certificate": "server.pem"}}}),
            "server.tls.certificate (from config.json) is given without server.tls.key; give both",
        ),
        (
            json!({"server": {"tls": {"key": "server.key"}}}),
            "server.tls.key (from config.json) is given without server.tls.certificate; give both",
        ),
        (
            json!({"server": {"tls": "server.pem"}}),
            "server.tls (from config.json) is text; give an object",
        ),
        (
            json!({"server": {"proxy_protocol": "v2"}}),
            "server.proxy_protocol (from config.json) must be off, on or required",
        ),
        (
            json!({"server": {"request_head_timeout_seconds": 0}}),
            "server.request_head_timeout_seconds (from config.json) must be at least 0.1 (seconds)",
        ),
        (
            json!({"server": {"max_connection_age_seconds": 0}}),
            "server.max_connection_age_seconds (from config.json) must be at least 1 (seconds), or negative for never",
        ),
        (
            json!({"server": {"max_body_bytes": 2_000_000, "max_body_bytes_in_flight": 1_500_000}}),
            "server.max_body_bytes_in_flight (from config.json) must be at least server.max_body_bytes, which is 2000000",
        ),
        (
            json!({"forward_identities": "all"}),
            "forward_identities (from config.json) is text that is neither true nor false",
        ),
        (
            json!({"server": {"proxy_headers": "maybe"}}),
            "server.proxy_headers (from config.json) is text that is neither true nor false",
        ),
        (
            json!({"server": {"host": {}}}),
            "server.host (from config.json) is an object; give text",
        ),
        (
            json!({"admin": {"host": "http://secret"}}),
            "admin.host (from config.json) is neither an IP address nor a host's name; give one, as :: (any), 0.0.0.0 (any of \
             IPv4), 127.0.0.1 or localhost (this machine alone), and the port as admin.port",
        ),
        (
            json!({"admin": {"port": 65_536}}),
            "admin.port (from config.json) must be a whole number from 0 to 65535",
        ),
        (
            json!({"admin": {"token": " "}}),
            "admin.token (from config.json) is empty",
        ),
        (
            json!({"logging": {"log_level": "secret"}}),
            "logging.log_level (from config.json) is none of CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET",
        ),
        (
            json!({"logging": {"log_format": ""}}),
            "logging.log_format (from config.json) is empty",
        ),
        (
            json!({"logging": {"log_event_field_name": "level"}}),
            "logging.log_event_field_name (from config.json) is the name of another field of a log line; choose \
             another",
        ),
        (
            json!({"allow_origins": [1]}),
            "allow_origins (from config.json) must be a list of origins, as [\"https://www.example.com\"], or one \
             text",
        ),
        (
            json!({"realtime": {"max_stream_age_seconds": 0}}),
            "realtime.max_stream_age_seconds (from config.json) must be at least 1 (seconds), or negative for never",
        ),
        (
            json!({"realtime": {"notify_spread_ms": -1}}),
            "realtime.notify_spread_ms (from config.json) must be a number of milliseconds, 0 or more, or \"auto\"",
        ),
        (
            json!({"realtime": {"authentication_token": 7}}),
            "realtime.authentication_token (from config.json) is a number; give text",
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(error_of(options.clone(), &[]), *expected, "{options}");
    }
}

#[test]
fn wrong_values_of_every_kind_are_refused() {
    let cases = [
        json!({"api_poll_frequency_seconds": "nan"}),
        json!({"api_poll_frequency_seconds": "inf"}),
        json!({"api_poll_frequency_seconds": "-inf"}),
        json!({"api_poll_frequency_seconds": ""}),
        json!({"api_poll_frequency_seconds": []}),
        json!({"api_poll_unconditional_seconds": -0.5}),
        json!({"api_poll_unconditional_seconds": "automatic"}),
        json!({"server": {"port": 80.5}}),
        json!({"server": {"port": -1}}),
        json!({"server": {"port": 1e30}}),
        json!({"server": {"host": "0.0.0.0:8000"}}),
        json!({"server": {"host": "http://localhost"}}),
        json!({"server": {"host": "127.0.0"}}),
        json!({"server": {"host": "a..b"}}),
        json!({"server": {"host": "."}}),
        json!({"server": {"host": "a".repeat(64)}}),
        json!({"server": {"reload": 2}}),
        json!({"server": {"path_prefix": "edge"}}),
        json!({"server": {"path_prefix": "//"}}),
        json!({"server": {"path_prefix": "/edge//flags"}}),
        json!({"server": {"path_prefix": "/edge/../flags"}}),
        json!({"server": {"path_prefix": "/{edge}"}}),
        json!({"server": {"path_prefix": "/edge%20flags"}}),
        json!({"server": {"path_prefix": "/edge?a"}}),
        json!({"server": {"path_prefix": "https://host/edge"}}),
        json!({"server": {"path_prefix": ["/edge"]}}),
        json!({"health_check": {"environment_update_grace_period_seconds": -1}}),
        json!({"api_url": "flagsmith.example.com"}),
        json!({"api_url": "ftp://flagsmith.example.com"}),
        json!({"api_url": "http://"}),
        json!({"api_url": "http://a/?secret=1"}),
        json!({"api_url": "http://a b/"}),
        json!({"api_url": "https:///api/v1"}),
        json!({"api_url": "https://user:secret@flagsmith/api/v1"}),
        json!({"realtime": {"upstream_url": "wss://a"}}),
        json!({"realtime": {"upstream_url": "https://secret@a"}}),
        json!({"realtime": {"max_subscribers": 1.5}}),
        json!({"upstream": {"document_memory_bytes": 1000}}),
        json!({"server": {"max_body_bytes_in_flight": 1_000}}),
        json!({"server": {"max_body_bytes": 1_000}}),
        json!({"server": {"max_body_bytes": 9_000_000}}),
        json!({"server": {"max_answer_bytes_in_flight": 0}}),
        json!({"server": {"request_body_timeout_seconds": 0.05}}),
        json!({"server": {"max_requests_in_flight": 0}}),
        json!({"server": {"max_requests_in_flight": 1.5}}),
        json!({"server": {"max_connections": 0}}),
        json!({"server": {"max_requests_per_connection": 0}}),
        json!({"server": {"max_connection_age_seconds": "soon"}}),
        json!({"persistence": {"directory": 1}}),
        json!({"environment_key_pairs": null}),
    ];
    for options in cases {
        let line = error_of(options.clone(), &[]);
        let object = options.as_object().unwrap();
        let option = object.keys().next().unwrap();
        assert!(line.starts_with(option.as_str()), "{line}");
    }
}

#[test]
fn errors_from_variables_name_the_variable_as_spelt() {
    let cases: &[(&str, &str, &str)] = &[
        (
            "Api_Poll_Frequency",
            "secret",
            "api_poll_frequency_seconds (from environment variable Api_Poll_Frequency) is text that is no number",
        ),
        (
            "SERVER",
            r#"{"port":"secret"}"#,
            "server.port (from environment variable SERVER) is text that is no number",
        ),
        (
            "SERVER_PROXY_HEADERS",
            "secret",
            "server.proxy_headers (from environment variable SERVER_PROXY_HEADERS) is text that is neither true nor \
             false",
        ),
        (
            "ENDPOINT_CACHES",
            r#"{"flags":[]}"#,
            "endpoint_caches.flags (from environment variable ENDPOINT_CACHES) is a list; give an object",
        ),
        (
            "ENVIRONMENT_KEY_PAIRS",
            "ser.secret,secret",
            "environment variable ENVIRONMENT_KEY_PAIRS is not valid JSON: expected value at line 1 column 1",
        ),
        (
            "LOGGING",
            r#"{"log_level":"secret"#,
            "environment variable LOGGING is not valid JSON: EOF while parsing a string at line 1 column 20",
        ),
        (
            "ALLOW_ORIGINS",
            "[https://secret]",
            "environment variable ALLOW_ORIGINS is not valid JSON: expected value at line 1 column 2",
        ),
    ];
    for (name, text, expected) in cases {
        assert_eq!(error_of(json!({}), &[(name, text)]), *expected);
    }
}

#[test]
fn an_option_of_the_file_beside_one_of_a_variable_keeps_its_origin() {
    let line = error_of(
        json!({"server": {"port": -1}}),
        &[("SERVER", r#"{"host":"::1"}"#)],
    );
    assert!(line.starts_with("server.port (from config.json)"), "{line}");
}

#[test]
fn files_that_are_no_configuration() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let cases: &[(&[u8], &str)] = &[
        (b"", "config.json is not valid JSON: EOF while parsing a value"),
        (
            b"{\n\"a\": 1,\n}",
            "config.json is not valid JSON: trailing comma at line 3",
        ),
        (
            b"[]",
            "config.json is not valid JSON: it holds a list; give an object of options",
        ),
        (
            b"\"secret\"",
            "config.json is not valid JSON: it holds text; give an object of options",
        ),
        (
            b"{\"api_url\": \"\xff\"}",
            "config.json is not valid JSON: invalid unicode code point",
        ),
        (
            b"{\"a\": 1e999}",
            "config.json is not valid JSON: number out of range",
        ),
        (
            deep.as_bytes(),
            "config.json is not valid JSON: recursion limit exceeded",
        ),
        (
            b"{}",
            "environment_key_pairs is set neither in config.json nor by the environment variable \
             ENVIRONMENT_KEY_PAIRS: give a list of {\"server_side_key\", \"client_side_key\"}",
        ),
    ];
    for (bytes, expected) in cases {
        let file = ConfigFile::of_bytes(bytes);
        let line = shown(&file, &file.load(&[]).unwrap_err().to_string());
        // The column is serde_json's to count.
        assert!(line.starts_with(expected), "{line}");
    }
}

#[test]
fn a_file_without_an_end_is_no_configuration() {
    let line = Settings::load(Some(std::path::Path::new("/dev/zero")), owned(&[]))
        .unwrap_err()
        .to_string();
    assert_eq!(
        line,
        "configuration file /dev/zero cannot be read: it is larger than 64 MiB"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let file = ConfigFile::of(&json!({}));
    let missing = file.folder.path().join("none.json");
    let line = shown(
        &file,
        &Settings::load(Some(&missing), owned(&[]))
            .unwrap_err()
            .to_string(),
    );
    assert_eq!(
        line,
        "configuration file none.json does not exist and environment variable ENVIRONMENT_KEY_PAIRS is not set: give \
         one of them (another file by --config or CONFIG_PATH)"
    );
    // A folder in place of the file: what Docker makes of a mount whose source does not exist.
    let pairs = r#"[{"client_side_key":"c","server_side_key":"ser.s"}]"#;
    let variables = owned(&[("ENVIRONMENT_KEY_PAIRS", pairs)]);
    let line = Settings::load(Some(file.folder.path()), variables)
        .unwrap_err()
        .to_string();
    assert_is_discreet(&line);
    assert!(line.contains("cannot be read: it is a directory"), "{line}");
}
