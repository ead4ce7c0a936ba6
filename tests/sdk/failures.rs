//! What SDKs see when something fails, and that they come back by themselves.
use serde_json::json;

use crate::harness::{CLIENT_SIDE_KEY, Driver, Edge, Flagsmith, SERVER_SIDE_KEY, Sdk};

const ANN: &str = r#"{"identifier": "ann", "traits": {"plan": "pro"}}"#;

fn ann() -> serde_json::Value {
    serde_json::from_str(ANN).unwrap()
}

#[test]
fn an_unknown_key_is_told_to_the_program() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("wrong", &edge, "unknown-key", json!({}));
        let error = driver
            .try_ask("wrong", "environment_flags", json!({}))
            .unwrap_err();
        // The browsers' SDK makes "[object Object]" of every error.
        let told = error.contains("401") || sdk == Sdk::JavaScript;
        assert!(told, "{sdk:?}: {error}");
        assert!(
            driver.try_ask("wrong", "identity_flags", ann()).is_err(),
            "{sdk:?}"
        );
        // The same program goes on with the right key.
        driver.open("right", &edge, CLIENT_SIDE_KEY, json!({}));
        assert_eq!(driver.environment_flags("right")["limit"]["value"], 10, "{sdk:?}");
    }
}

#[test]
fn flags_are_served_while_upstream_is_away() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({"api_poll_frequency_seconds": 1}));
    flagsmith.upstream.go_down();
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("new", &edge, CLIENT_SIDE_KEY, json!({}));
        assert_eq!(driver.environment_flags("new")["limit"]["value"], 10, "{sdk:?}");
        assert_eq!(
            driver.identity_flags("new", ann())["limit"]["value"],
            50,
            "{sdk:?}"
        );
        if Sdk::EVALUATING.contains(&sdk) {
            driver.open("local", &edge, SERVER_SIDE_KEY, json!({"local": true}));
            assert_eq!(
                driver.identity_flags("local", ann())["limit"]["value"],
                50,
                "{sdk:?}"
            );
        }
    }
}

#[test]
fn sdks_that_came_before_the_first_document_get_it_when_it_is_there() {
    let flagsmith = Flagsmith::start();
    flagsmith.upstream.go_down();
    let edge = Edge::start_unserved(&flagsmith, json!({"api_poll_frequency_seconds": 1}));
    let drivers: Vec<_> = Sdk::ALL
        .into_iter()
        .filter_map(|sdk| Some((sdk, Driver::start(sdk)?)))
        .collect();
    for (sdk, driver) in &drivers {
        driver.open("early", &edge, CLIENT_SIDE_KEY, json!({}));
        // A POST, which Python does not repeat after `Retry-After`.
        assert!(
            driver.try_ask("early", "identity_flags", ann()).is_err(),
            "{sdk:?}"
        );
    }
    flagsmith.upstream.come_up();
    edge.wait_until_served();
    for (sdk, driver) in &drivers {
        assert_eq!(
            driver.identity_flags("early", ann())["limit"]["value"],
            50,
            "{sdk:?}"
        );
        assert_eq!(driver.environment_flags("early")["limit"]["value"], 10, "{sdk:?}");
    }
}

#[test]
fn sdks_outlive_a_restart_of_the_proxy() {
    let flagsmith = Flagsmith::start();
    let mut edge = Edge::start(&flagsmith, json!({}));
    let drivers: Vec<_> = Sdk::ALL
        .into_iter()
        .filter_map(|sdk| Some((sdk, Driver::start(sdk)?)))
        .collect();
    for (sdk, driver) in &drivers {
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        assert_eq!(driver.environment_flags("any")["limit"]["value"], 10, "{sdk:?}");
        if Sdk::EVALUATING.contains(sdk) {
            driver.open("local", &edge, SERVER_SIDE_KEY, json!({"local": true}));
            assert_eq!(
                driver.identity_flags("local", ann())["limit"]["value"],
                50,
                "{sdk:?}"
            );
        }
    }
    edge.kill();
    for (sdk, driver) in &drivers {
        assert!(driver.try_ask("any", "identity_flags", ann()).is_err(), "{sdk:?}");
        if Sdk::EVALUATING.contains(sdk) {
            assert_eq!(
                driver.identity_flags("local", ann())["limit"]["value"],
                50,
                "{sdk:?}"
            );
        }
    }
    edge.start_again();
    for (sdk, driver) in &drivers {
        assert_eq!(
            driver.identity_flags("any", ann())["limit"]["value"],
            50,
            "{sdk:?}"
        );
        assert_eq!(driver.environment_flags("any")["limit"]["value"], 10, "{sdk:?}");
    }
}
