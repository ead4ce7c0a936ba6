//! Why a flag is as it is: `reason`, the variant and the experiment, in the SDKs that show them.
//!
//! Node's SDK reads `reason` out of the flag's feature, where no Flagsmith writes it, and shows none.
use serde_json::{Value, json};

use crate::harness::{CLIENT_SIDE_KEY, Driver, Edge, Flagsmith, Sdk, identities};

const SHOWING: [Sdk; 2] = [Sdk::Python, Sdk::JavaScript];

#[test]
fn reasons_come_to_the_program() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in SHOWING {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let reason = |identifier: &str, traits: Value, feature: &str| {
            let flags = driver.identity_flags("any", json!({"identifier": identifier, "traits": traits}));
            flags[feature]["reason"].clone()
        };
        assert_eq!(reason("ann", json!({}), "banner"), "STATIC", "{sdk:?}");
        assert_eq!(reason("ann", json!({}), "limit"), "DEFAULT", "{sdk:?}");
        let matched = "TARGETING_MATCH; segment=pro's limit";
        assert_eq!(reason("ann", json!({"plan": "pro"}), "limit"), matched, "{sdk:?}");
        let overridden = "TARGETING_MATCH; segment=identity_overrides";
        assert_eq!(
            reason("identity-7", json!({"plan": "pro"}), "limit"),
            overridden,
            "{sdk:?}"
        );
        assert_eq!(
            reason("ann", json!({}), "checkout"),
            "SPLIT; weight=50.0",
            "{sdk:?}"
        );
        let flags = driver.environment_flags("any");
        assert_eq!(
            flags["banner"]["reason"],
            Value::Null,
            "{sdk:?}: an environment has none"
        );
    }
}

#[test]
fn an_experiment_and_its_variants_come_to_the_program() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in SHOWING {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let mut seen = Vec::new();
        for identity in identities(20) {
            let flags = driver.identity_flags("any", identity);
            let checkout = &flags["checkout"];
            assert_eq!(
                checkout["experiment"],
                json!([77, "Which checkout", true]),
                "{sdk:?}"
            );
            let value = checkout["value"].as_str().unwrap();
            assert_eq!(checkout["variant"], format!("the-{value}-one"), "{sdk:?}");
            assert_eq!(flags["colour"]["experiment"], Value::Null, "{sdk:?}");
            seen.push(value.to_owned());
        }
        seen.sort();
        seen.dedup();
        assert_eq!(seen, ["long", "short"], "{sdk:?}");
    }
}

#[test]
fn an_exposure_is_recorded_for_an_experiment_alone() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in SHOWING {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        let given = json!({
            "key": CLIENT_SIDE_KEY,
            "api_url": edge.api_url(),
            "identifier": "ann",
            // The second is multivariate too, and no experiment.
            "features": ["checkout", "colour", "banner"],
        });
        let recorded = driver.ask("any", "exposures", given);
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let flags = driver.identity_flags("any", json!({"identifier": "ann"}));
        assert_eq!(
            recorded,
            json!([["checkout", flags["checkout"]["variant"]]]),
            "{sdk:?}"
        );
    }
}
