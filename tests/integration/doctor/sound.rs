//! Set-ups that nothing is wrong with.
use std::time::Instant;

use serde_json::json;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{Diagnosis, at, config, document, examine, examine_in, folder};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, command, merge};

#[test]
fn a_sound_set_up_has_neither_failures_nor_warnings() {
    let upstream = ScriptedUpstream::serving(&document());
    let mut config = at(&upstream.api_url());
    merge(
        &mut config,
        &json!({"realtime": {"upstream_url": upstream.origin()}, "persistence": {"directory": "store"}}),
    );
    let folder = folder(&config);
    let diagnosis = examine_in(folder.path(), &[]);
    diagnosis.assert_is_sound();
    assert!(
        diagnosis
            .says(("key pair 1", "overrides"))
            .contains("1 identity has overrides")
    );
    assert!(diagnosis.says(("realtime", "stream")).contains("opens"));
    assert!(
        diagnosis
            .says(("store", "directory"))
            .contains("is made at the start")
    );
    assert!(!folder.path().join("store").exists(), "it makes nothing");
    let entries = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(entries.count(), 1, "it leaves nothing");
}

#[test]
fn people_get_a_line_a_check_and_the_sum() {
    let upstream = ScriptedUpstream::serving(&document());
    let folder = folder(&at(&upstream.api_url()));
    let output = command(folder.path()).arg("doctor").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    let mut lines: Vec<&str> = text.lines().collect();
    let sum = lines.pop().unwrap();
    assert!(sum.starts_with("0 failures, 0 warnings, "), "{sum}");
    assert!(lines.iter().all(|line| line.starts_with("ok   ")), "{text}");
    assert!(
        lines.iter().any(|line| line.starts_with("ok   key pair 1 (")),
        "{text}"
    );
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_no_sound_one() {
    let folder = folder(&config(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "served.json"}],
    })));
    std::fs::write(folder.path().join("served.json"), document().to_string()).unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut doctor = command(folder.path());
    let output = doctor.arg("doctor").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("report cannot be written"));
}

#[test]
fn documents_in_files_need_no_upstream() {
    let folder = folder(&config(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "served.json"}],
        "api_url": "http://127.0.0.1:1/api/v1",
    })));
    std::fs::write(folder.path().join("served.json"), document().to_string()).unwrap();
    examine_in(folder.path(), &[]).assert_is_sound();
}

#[test]
fn a_proxy_that_runs_is_asked_and_left_alone() {
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"persistence": {"directory": "store"}}),
        ..ProxyOptions::default()
    });
    let config = std::fs::read_to_string(proxy.folder().join("config.json")).unwrap();
    let mut config: serde_json::Value = serde_json::from_str(&config).unwrap();
    config["server"]["port"] = json!(proxy.address.port());
    let variables = [("SERVER", config["server"].to_string())];
    let variables = variables.each_ref().map(|(name, text)| (*name, text.as_str()));
    let diagnosis = examine_in(proxy.folder(), &variables);
    assert_eq!(diagnosis.of_verdict("failure"), [], "{:#}", diagnosis.report);
    assert!(
        diagnosis
            .says(("server", "port"))
            .contains("held by the proxy of this configuration")
    );
    assert!(diagnosis.says(("server", "health")).contains("healthy"));
    assert!(
        diagnosis
            .says(("store", "owner"))
            .contains("a proxy that runs has it")
    );
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("WARN") && !log.contains("another process"), "{log}");
}

/// As a service's own temporary directory is (systemd's `PrivateTmp`).
#[test]
fn a_proxy_that_runs_with_another_temporary_directory_is_no_other_program() {
    let elsewhere = tempfile::tempdir().unwrap();
    for (persistence, is_known) in [(json!({"directory": "store"}), true), (json!({}), false)] {
        let proxy = Proxy::start(ProxyOptions {
            config: json!({"persistence": persistence, "admin": {"port": 0}}),
            ..ProxyOptions::default()
        });
        let server = json!({"host": "127.0.0.1", "port": proxy.address.port()}).to_string();
        let admin = json!({"port": proxy.admin().port()}).to_string();
        let variables = [
            ("TMPDIR", elsewhere.path().to_str().unwrap()),
            ("SERVER", server.as_str()),
            ("ADMIN", admin.as_str()),
        ];
        let diagnosis = examine_in(proxy.folder(), &variables);
        let warned = diagnosis.of_verdict("warning");
        let expected: &[_] = match is_known {
            true => &[],
            false => &[("server", "port"), ("admin", "port")],
        };
        assert_eq!(warned, expected, "{:#}", diagnosis.report);
        // They would be taken from it, and a limit that suits it may not have as many again.
        let threads = diagnosis.says(("system", "threads"));
        assert!(threads.contains("has those that it needs"), "{threads}");
        assert_eq!(diagnosis.of_verdict("failure"), [], "{:#}", diagnosis.report);
        assert_eq!(diagnosis.code, Some(0));
    }
}

#[test]
fn a_hundred_environments_share_what_they_can() {
    let mut pairs = vec![];
    for number in 0..100 {
        pairs.push(json!({"client_side_key": format!("client-{number}-abc"), "server_side_key": format!("ser.server-{number}-abc")}));
    }
    let upstream = ScriptedUpstream::start(|request| {
        let key = request.header("X-Environment-Key").unwrap_or_default();
        let mut document = document();
        document["api_key"] = json!(key.replace("ser.server", "client"));
        Answer::ok(document.to_string()).header("Content-Type", "application/json")
    });
    let over = json!({"environment_key_pairs": pairs, "api_url": upstream.api_url(), "api_poll_timeout_seconds": 20});
    let mut sound = config(&json!({}));
    sound["environment_key_pairs"] = json!([]);
    merge(&mut sound, &over);
    let diagnosis = examine(&sound);
    diagnosis.assert_is_sound();
    diagnosis.says(("key pair 100", "document"));
    assert_eq!(upstream.requests().len(), 100, "each is asked once");
    // Where nobody answers, one step fails, and nobody waits a hundred times for it.
    upstream.script(|_| Answer::hang());
    upstream.go_down();
    let begun = Instant::now();
    let diagnosis: Diagnosis = examine(&sound);
    assert_eq!(diagnosis.of_verdict("failure").len(), 1, "{:#}", diagnosis.report);
    assert_eq!(diagnosis.of_verdict("skipped").len(), 4 * 100);
    assert!(begun.elapsed() < edge_proxy::doctor::PATIENCE);
}
