//! What the program writes besides serving: `--check`, `health`, and starts that fail.
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use test_support::program::Program;
use test_support::reserved_port::ReservedPort;

use super::marks::{self, CLIENT_KEY, JUNK, REALTIME_TOKEN, SERVER_KEY, assert_shows_nothing};
use super::{configuration, folder, upstream, variables};
use crate::harness::command;

/// What it wrote, to both outputs, which shows no secret; and its exit code. One that goes on ends the test.
fn written(what: &str, command: &mut Command) -> (Option<i32>, String) {
    let (status, text) = Program::start(command).wait();
    assert_shows_nothing(what, &text);
    assert!(!text.is_empty(), "{what}: it says something");
    (status.code(), text)
}

fn checked(folder: &Path, more: &[(&str, String)]) -> (Option<i32>, String) {
    let mut command = command(folder);
    command
        .arg("--check")
        .envs(variables())
        .envs(more.iter().cloned());
    written(&format!("--check with {more:?}"), &mut command)
}

#[test]
fn a_check_shows_no_secret() {
    let upstream = upstream::Echo::start();
    let config = configuration(&upstream, "INFO", "generic");
    let with_faults = folder(&config);
    let (code, text) = checked(with_faults.path(), &[]);
    assert_eq!(code, Some(78), "{text}");
    for says in ["it is not JSON", "it is no environment document"] {
        assert!(text.contains(says), "{says}: {text}");
    }

    let config = config.to_string();
    let config = config.replace("no-json.json", "served.json");
    let config = config.replace("no-document.json", "served.json");
    let config = config.replace("missing.json", "served.json");
    let sound = folder(&serde_json::from_str(&config).unwrap());
    let (code, text) = checked(sound.path(), &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("****"), "keys are masked: {text}");
    assert!(
        text.contains("another environment"),
        "a document's file is another environment's: {text}"
    );
}

/// What the doctor finds is told without a word of any secret, for people and for tools: each key pair meets another answer.
#[test]
fn a_doctor_shows_no_secret() {
    let upstream = upstream::Echo::start();
    let mut config = configuration(&upstream, "INFO", "generic");
    config["persistence"] = json!({"directory": "store"});
    config["environment_key_pairs"][0]["fallback_document_path"] = json!("no-document.json");
    let folder = folder(&config);
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let mut command = command(folder.path());
        command.args(arguments).envs(variables());
        let (code, text) = written(&format!("{arguments:?}"), &mut command);
        assert_eq!(code, Some(1), "{text}");
        for part in ["key pair 1", "403", "another environment", "broken", "upstream"] {
            assert!(text.contains(part), "no {part} in {text}");
        }
    }
    // Everything goes through the proxy.
    let mut command = command(folder.path());
    let everything = variables().into_iter().filter(|(name, _)| *name != "NO_PROXY");
    let http = ("HTTP_PROXY", variables()[0].1.clone());
    let (code, text) = written(
        "doctor through a proxy",
        command.arg("doctor").envs(everything).envs([http]),
    );
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("HTTP_PROXY"), "{text}");
}

/// Configurations that cannot be used, each with a secret at its fault.
fn unusable() -> Vec<Value> {
    let with = |options: Value| {
        let mut config = json!({"environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}]});
        let all = config.as_object_mut().unwrap();
        all.extend(options.as_object().unwrap().clone());
        config
    };
    let pairs = |pairs: Value| with(json!({ "environment_key_pairs": pairs }));
    let mut unusable = vec![
        pairs(json!(CLIENT_KEY)),
        pairs(json!([CLIENT_KEY])),
        pairs(json!({CLIENT_KEY: SERVER_KEY})),
        pairs(json!([{"client_side_key": CLIENT_KEY}])),
        pairs(json!([{"client_side_key": SERVER_KEY, "server_side_key": CLIENT_KEY}])),
        pairs(json!([{"client_side_key": CLIENT_KEY, "server_side_key": [SERVER_KEY]}])),
        pairs(json!([{"client_side_key": CLIENT_KEY, "server_side_keys": [[SERVER_KEY]]}])),
        pairs(json!([
            {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
            {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
        ])),
        with(json!({"realtime": {"authentication_token": [REALTIME_TOKEN]}})),
        with(json!({"realtime": REALTIME_TOKEN})),
    ];
    for option in [
        "api_url",
        "api_poll_frequency_seconds",
        "api_poll_timeout_seconds",
        "api_poll_unconditional_seconds",
        "forward_identities",
        "analytics",
        "server",
        "logging",
        "persistence",
        "upstream",
        "endpoint_caches",
    ] {
        unusable.push(with(json!({option: JUNK})));
    }
    for (section, option) in [
        ("server", "port"),
        ("server", "path_prefix"),
        ("server", "proxy_protocol"),
        ("server", "request_head_timeout_seconds"),
        ("server", "max_connections"),
        ("logging", "log_level"),
        ("logging", "log_format"),
        ("health_check", "stale_is_unready"),
        ("realtime", "upstream_url"),
        ("realtime", "max_stream_age_seconds"),
        ("upstream", "document_memory_bytes"),
    ] {
        unusable.push(with(json!({section: {option: JUNK}})));
    }
    unusable.push(with(
        json!({"api_url": format!("https://{JUNK}:{JUNK}@flagsmith/api/v1/")}),
    ));
    unusable.push(with(
        json!({"api_url": format!("https://flagsmith/api/v1/?{JUNK}")}),
    ));
    unusable
}

#[test]
fn a_configuration_that_cannot_be_used_ends_the_start_and_shows_no_secret() {
    for config in unusable() {
        let folder = folder(&config);
        for arguments in [&[][..], &["--check"], &["health"], &["doctor"]] {
            let what = format!("{arguments:?} with {config}");
            let (code, text) = written(&what, command(folder.path()).args(arguments));
            let (expected, lines) = match arguments {
                ["health"] => (1, 1),
                // With what to do, and the sum.
                ["doctor"] => (1, 3),
                _ => (78, 1),
            };
            assert_eq!(code, Some(expected), "{what}: {text}");
            assert_eq!(text.lines().count(), lines, "{what}: {text}");
        }
    }
}

#[test]
fn files_and_variables_that_cannot_be_read_show_no_secret() {
    let folder = folder(&json!({}));
    let pairs = format!(r#"[{{"client_side_key": "{CLIENT_KEY}", "server_side_key": "{SERVER_KEY}"}}]"#);
    let (unquoted, cut) = (pairs.replace('"', ""), pairs.trim_end_matches("}]").to_owned());
    for content in [
        &unquoted,
        &cut,
        &format!("{pairs}{REALTIME_TOKEN}"),
        &REALTIME_TOKEN.to_owned(),
    ] {
        std::fs::write(folder.path().join("config.json"), content).unwrap();
        assert_eq!(
            written(content, command(folder.path()).arg("--check")).0,
            Some(78)
        );
    }
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    let good = ("ENVIRONMENT_KEY_PAIRS", pairs.clone());
    let proxy = format!("{}:{}@proxy:1", marks::PROXY_USER, marks::PROXY_PASSWORD);
    for (code, name, text) in [
        (78, "ENVIRONMENT_KEY_PAIRS", unquoted),
        (78, "ENVIRONMENT_KEY_PAIRS", cut),
        (78, "REALTIME", format!("{{{REALTIME_TOKEN}")),
        (
            78,
            "REALTIME",
            format!(r#"{{"authentication_token": ["{REALTIME_TOKEN}"]}}"#),
        ),
        (0, "REALTIME", REALTIME_TOKEN.to_owned()),
        (
            0,
            "REALTIME",
            format!(r#"{{"authentication_tokens": "{REALTIME_TOKEN}"}}"#),
        ),
        (78, "ALL_PROXY", format!("socks5://{proxy}")),
        (78, "HTTPS_PROXY", format!("ftp://{proxy}")),
        // Nothing goes through it.
        (0, "HTTP_PROXY", format!("ftp://{proxy}")),
        (0, "http_proxy", format!("http://{proxy}/")),
        (0, "FORWARDED_ALLOW_IPS", JUNK.to_owned()),
        (78, "WEB_CONCURRENCY", JUNK.to_owned()),
    ] {
        let mut variables = vec![good.clone()];
        variables.retain(|(known, _)| *known != name);
        variables.push((name, text));
        let mut command = command(folder.path());
        command.arg("--check").envs(variables.clone());
        let (ended, said) = written(&format!("{variables:?}"), &mut command);
        assert_eq!(ended, Some(code), "{name}: {said}");
    }
}

#[test]
fn a_command_line_is_not_repeated() {
    let folder = folder(&json!({}));
    for arguments in [
        vec![SERVER_KEY.to_owned()],
        vec![format!("--key={SERVER_KEY}")],
        vec!["--key".to_owned(), SERVER_KEY.to_owned()],
        vec!["--check".to_owned(), CLIENT_KEY.to_owned()],
        vec!["health".to_owned(), SERVER_KEY.to_owned()],
    ] {
        let (code, text) = written(&format!("{arguments:?}"), command(folder.path()).args(&arguments));
        assert_eq!(code, Some(64), "{text}");
    }
    let reserved = ReservedPort::any();
    let nobody = reserved.address();
    for url in [
        format!("http://{nobody}/sse/environments/{CLIENT_KEY}/stream?{JUNK}"),
        format!("http://{}:{}@{nobody}/", marks::PROXY_USER, marks::PROXY_PASSWORD),
        JUNK.to_owned(),
    ] {
        let (code, text) = written(&url, command(folder.path()).args(["health", "--url", &url]));
        assert_eq!(code, Some(1), "{text}");
    }
}

#[test]
fn a_taken_port_shows_no_secret() {
    let upstream = upstream::Echo::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = configuration(&upstream, "NOTSET", "json");
    config["server"]["port"] = taken.local_addr().unwrap().port().into();
    let folder = folder(&config);
    let (code, text) = written("a taken port", command(folder.path()).envs(variables()));
    assert_eq!(code, Some(71), "{text}");
}
