//! SDKs that evaluate by themselves, with the document that the proxy serves them, against what the proxy answers.
use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};
use test_support::wait::PATIENCE;

use crate::flags::states;
use crate::harness::{Driver, Edge, Flagsmith, SERVER_SIDE_KEY, Sdk, identities};

const IDENTITIES: usize = 200;

/// Features that an SDK's own engine evaluates otherwise than Flagsmith's Python engine, which the API runs. A difference
/// that is not here fails, and so does one that is here and has gone.
fn known_differences(sdk: Sdk) -> BTreeSet<String> {
    let features: &[&str] = match sdk {
        Sdk::Python | Sdk::JavaScript => &[],
        Sdk::Node => &[
            // A trait "7" is a text to it, and greater than "18".
            "adult",
            "child",
            "limit",
            // 1 is greater than 0.5; the Python engine cannot read "0.5" as an integer.
            "fast",
            // It splits by the identity, not by the trait.
            "half_of_countries",
            // Of an identity with overrides it loses traits that are false or an empty text.
            "has_no_plan",
            "has_plan",
            "no_tester",
            "plan_is_not_pro",
            // The remainder of -2 by 3 is -2.
            "third",
        ],
        // It reads no JSON in the value of IN, and its remainder of -2 by 3 is -2.
        Sdk::Rust => &["somewhere_listed", "third"],
    };
    features.iter().copied().map(str::to_owned).collect()
}

fn evaluate(driver: &Driver, client: &str) -> Vec<Value> {
    let flags = driver.ask(
        client,
        "flags_of_identities",
        json!({"identities": identities(IDENTITIES)}),
    );
    flags.as_array().unwrap().clone()
}

#[test]
fn evaluating_locally_gives_what_the_proxy_answers() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let mut differences = Vec::new();
    for sdk in Sdk::EVALUATING {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("remote", &edge, SERVER_SIDE_KEY, json!({}));
        driver.open("local", &edge, SERVER_SIDE_KEY, json!({"local": true}));
        let remote_environment = states(&driver.environment_flags("remote"));
        assert_eq!(
            states(&driver.environment_flags("local")),
            remote_environment,
            "{sdk:?}"
        );
        let (remote, local) = (evaluate(&driver, "remote"), evaluate(&driver, "local"));
        assert_eq!((remote.len(), local.len()), (IDENTITIES, IDENTITIES));
        let mut different = BTreeSet::new();
        for (number, (remote, local)) in remote.iter().zip(&local).enumerate() {
            let (remote, local) = (states(remote), states(local));
            assert_eq!(remote.len(), local.len(), "{sdk:?}");
            for (name, remote) in remote {
                if local[&name] != remote {
                    eprintln!(
                        "{sdk:?}: {name} of {}: {remote:?}, {:?}",
                        identities(number + 1)[number],
                        local[&name]
                    );
                    different.insert(name);
                }
            }
        }
        differences.push((sdk, different));
    }
    for (sdk, different) in differences {
        assert_eq!(different, known_differences(sdk), "{sdk:?}");
    }
}

/// Python shows reasons and variants of what it evaluates itself.
#[test]
fn python_evaluates_the_same_reasons_and_variants() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let Some(driver) = Driver::start(Sdk::Python) else {
        return;
    };
    driver.open("remote", &edge, SERVER_SIDE_KEY, json!({}));
    driver.open("local", &edge, SERVER_SIDE_KEY, json!({"local": true}));
    let (mut remote, mut local) = (evaluate(&driver, "remote"), evaluate(&driver, "local"));
    for flags in remote.iter_mut().chain(&mut local) {
        // The SDK's mapper drops the metadata, so it knows no experiment of its own.
        flags["checkout"]["experiment"] = Value::Null;
    }
    assert_eq!(local, remote);
}

#[test]
fn sdks_that_poll_take_a_new_document() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let drivers: Vec<_> = Sdk::EVALUATING
        .into_iter()
        .filter_map(|sdk| Some((sdk, Driver::start(sdk)?)))
        .collect();
    for (sdk, driver) in &drivers {
        let options = json!({"local": true, "refresh_seconds": 1});
        driver.open("any", &edge, SERVER_SIDE_KEY, options);
        assert_eq!(
            driver.environment_flags("any")["banner"]["value"],
            "version 0",
            "{sdk:?}"
        );
    }
    flagsmith.change(1);
    edge.push(1);
    for (sdk, driver) in &drivers {
        let begun = Instant::now();
        while driver.environment_flags("any")["banner"]["value"] != "version 1" {
            assert!(begun.elapsed() < PATIENCE, "{sdk:?}: {}", driver.written());
        }
    }
}
