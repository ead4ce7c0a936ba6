//! Logging as a process does it: the test starts itself again, since a process has one logger and one hook.
use std::process::Command;
use std::time::Duration;

use super::settings;
use crate::logging::{ACCESS, Access, flush, init, log_access, reconfigure};
use crate::settings::{LogFormat, LogLevel, LoggingSettings};

const ITSELF: &str = "logging::tests::process::the_process_that_logs";

#[test]
#[ignore = "started by the tests below"]
fn the_process_that_logs() {
    let is_json = std::env::var("TEST_FORMAT").is_ok_and(|format| format == "json");
    let settings = LoggingSettings {
        format: if is_json {
            LogFormat::Json
        } else {
            LogFormat::Generic
        },
        event_field_name: "event".to_owned(),
        ..settings(LogLevel::Info, true)
    };
    init(&settings).unwrap();
    init(&settings).unwrap();
    log::info!("started");
    log::debug!("unseen");
    log::info!(target: "rustls::client", "unseen");
    log::warn!(target: "rustls::client", "unseen");
    log::error!(target: "rustls::client", "seen");
    log_access(&Access {
        method: "GET",
        route: None,
        status: 404,
        bytes: None,
        duration: Duration::from_millis(1),
        remote: None,
    });
    let thread = std::thread::Builder::new().name("worker".to_owned());
    let panicking = thread.spawn(|| panic!("first\nsecond")).unwrap();
    assert!(panicking.join().is_err());
    flush();
}

#[test]
#[ignore = "started by a test below"]
fn the_process_that_logs_otherwise_meanwhile() {
    let mut settings = settings(LogLevel::Info, true);
    init(&settings).unwrap();
    log::debug!("unseen");
    log::info!("first");
    settings.level = LogLevel::Debug;
    settings.access_log = false;
    reconfigure(&settings);
    log::debug!("second");
    assert!(!log::log_enabled!(target: ACCESS, log::Level::Info));
    // Another thread has its own, from before or not.
    let (go_on, told) = std::sync::mpsc::channel();
    let (wrote, third) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        log::debug!("third");
        wrote.send(()).unwrap();
        told.recv().unwrap();
        log::warn!("fourth");
        log::info!("unseen");
    });
    third.recv().unwrap();
    settings.format = LogFormat::Json;
    settings.level = LogLevel::Warning;
    reconfigure(&settings);
    go_on.send(()).unwrap();
    other.join().unwrap();
    flush();
}

fn lines(format: &str, backtrace: &str) -> Vec<String> {
    lines_of(ITSELF, format, backtrace)
}

fn lines_of(test: &str, format: &str, backtrace: &str) -> Vec<String> {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env("TEST_FORMAT", format)
        .env("RUST_BACKTRACE", backtrace)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stderr)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn generic_lines_of_a_process() {
    let lines = lines("generic", "0");
    let ends = [
        "INFO    edge_proxy::logging::tests::process: started",
        "ERROR   rustls::client: seen",
        "INFO    access: request method=GET route=- status=404 duration_us=1000",
    ];
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
    assert_eq!(lines.len(), 4, "{lines:?}");
    let panic = &lines[3];
    assert!(
        panic.contains("ERROR   edge_proxy::logging: thread \"worker\" panicked at src/logging/"),
        "{panic}"
    );
    assert!(panic.ends_with(": first\\nsecond"), "{panic}");
}

#[test]
fn json_lines_of_a_process() {
    let lines = lines("json", "0");
    let parsed: Vec<serde_json::Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(parsed.len(), 4, "{lines:?}");
    let levels: Vec<&str> = parsed
        .iter()
        .map(|line| line["level"].as_str().unwrap())
        .collect();
    assert_eq!(levels, ["info", "error", "info", "error"]);
    assert_eq!(parsed[0]["event"], "started");
    assert_eq!(parsed[2]["status"], 404);
    assert!(parsed[3]["event"].as_str().unwrap().ends_with(": first\nsecond"));
    let timestamp = parsed[0]["timestamp"].as_str().unwrap();
    assert!(
        timestamp.len() == 27 && timestamp.ends_with('Z') && timestamp.contains('T'),
        "{timestamp}"
    );
}

#[test]
fn a_backtrace_is_for_who_asks() {
    let with = lines("generic", "1");
    assert!(
        with.len() > 4 && with.iter().any(|line| line.contains("stack backtrace")),
        "{with:?}"
    );
}

#[test]
fn other_settings_hold_from_the_next_line_on() {
    let lines = lines_of(
        "logging::tests::process::the_process_that_logs_otherwise_meanwhile",
        "generic",
        "0",
    );
    let ends = [
        "INFO    edge_proxy::logging::tests::process: first",
        "DEBUG   edge_proxy::logging::tests::process: second",
        "DEBUG   edge_proxy::logging::tests::process: third",
        r#""level":"warning","logger":"edge_proxy::logging::tests::process","message":"fourth"}"#,
    ];
    assert_eq!(lines.len(), ends.len(), "{lines:?}");
    for (line, end) in lines.iter().zip(ends) {
        assert!(line.ends_with(end), "{line}");
    }
}
