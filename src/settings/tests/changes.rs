//! What a new configuration changes, and which of it needs a restart.
use std::time::Duration;

use serde_json::{Value, json};

use super::super::schema::{Known, OPTIONS};
use super::super::{AllowedOrigins, Followed, LogLevel, Settings};
use super::{CLIENT_SIDE_KEY, SERVER_SIDE_KEY, load};

fn settings(options: Value) -> Settings {
    load(options, &[]).settings
}

/// From one configuration to another, in a running process.
fn follow(before: Value, asked: Value) -> Followed {
    settings(before).follow(settings(asked))
}

#[test]
fn the_same_configuration_changes_nothing() {
    let options = json!({"server": {"port": 1}, "allow_origins": ["https://a.b"], "analytics": false});
    let followed = follow(options.clone(), options);
    assert_eq!(followed.live, [""; 0]);
    assert_eq!(followed.restart, [""; 0]);
}

#[test]
fn what_can_change_is_in_force_and_what_cannot_stays() {
    let followed = follow(
        json!({"server": {"port": 1}}),
        json!({
            "server": {"port": 2, "host": "127.0.0.1", "drain_seconds": 1},
            "logging": {"log_level": "DEBUG"}, "allow_origins": "https://a.b", "api_poll_frequency": 3,
        }),
    );
    assert_eq!(
        followed.live,
        [
            "api_poll_frequency_seconds",
            "allow_origins",
            "logging.log_level",
            "server.drain_seconds"
        ]
    );
    assert_eq!(followed.restart, ["server.host", "server.port"]);
    let now = followed.settings;
    assert_eq!((now.server.port, now.logging.level), (1, LogLevel::Debug));
    assert_eq!(
        now.allow_origins,
        AllowedOrigins::Listed(vec!["https://a.b".to_owned()])
    );
    assert_eq!(now.api_poll_frequency, Duration::from_secs(3));
    assert_eq!(now.server.drain, Duration::from_secs(1));
}

/// A restart that is still to come is said again by the next configuration, and none is needed once it has the old value.
#[test]
fn what_needs_a_restart_is_compared_with_what_runs() {
    let first = follow(json!({"server": {"port": 1}}), json!({"server": {"port": 2}}));
    let again = first.settings.follow(settings(json!({"server": {"port": 2}})));
    assert_eq!(again.restart, ["server.port"]);
    let back = again.settings.follow(settings(json!({"server": {"port": 1}})));
    assert_eq!(back.restart, [""; 0]);
}

#[test]
fn what_connections_are_bounded_by_changes_live() {
    let bounds = |bound: u32| {
        json!({"server": {
            "max_requests_in_flight": bound,
            "max_connection_age_seconds": bound,
            "max_requests_per_connection": bound,
        }})
    };
    let followed = follow(bounds(10), bounds(20));
    assert_eq!(followed.restart, [""; 0]);
    assert_eq!(
        followed.live,
        [
            "server.max_requests_in_flight",
            "server.max_connection_age_seconds",
            "server.max_requests_per_connection"
        ]
    );
}

#[test]
fn key_pairs_change_by_anything_in_them() {
    let pairs = |server_side_key: &str| {
        json!({"environment_key_pairs": [
            {"client_side_key": CLIENT_SIDE_KEY, "server_side_key": server_side_key}
        ]})
    };
    let followed = follow(pairs(SERVER_SIDE_KEY), pairs("ser.another"));
    assert_eq!(followed.live, ["environment_key_pairs"]);
    assert_eq!(followed.settings.environments.len(), 1);
}

/// Options without an effect are in no section's type, so the compiler does not ask for them.
#[test]
fn every_option_that_has_an_effect_is_compared() {
    const WITHOUT_EFFECT: [&str; 3] = ["endpoint_caches", "server.reload", "logging.override"];
    let mut expected = Vec::new();
    collect(OPTIONS, "", &mut expected);
    expected.retain(|option| !WITHOUT_EFFECT.iter().any(|without| option.starts_with(without)));
    expected.sort();
    let mut compared = settings(json!({})).compared_options();
    compared.sort_unstable();
    assert_eq!(compared, expected);
}

fn collect(options: &[Known], path: &str, into: &mut Vec<String>) {
    for option in options {
        let name = format!("{path}{}", option.name);
        if option.children.is_empty() {
            into.push(name);
        } else {
            collect(option.children, &format!("{name}."), into);
        }
    }
}
