//! Flags by way of OpenFeature's providers for Flagsmith.
use serde_json::{Value, json};

use crate::harness::{CLIENT_SIDE_KEY, Driver, Edge, Flagsmith, Sdk};

const PROVIDING: [Sdk; 3] = [Sdk::Python, Sdk::Node, Sdk::JavaScript];

fn details(driver: &Driver, kind: &str, feature: &str, default: Value, traits: Value) -> Value {
    let given = json!({
        "kind": kind,
        "feature": feature,
        "default": default,
        "identifier": "ann",
        "traits": traits,
    });
    driver.ask("any", "details", given)
}

#[test]
fn values_of_all_types_come_through_the_providers() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in PROVIDING {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let value = |kind, feature, default, traits| {
            details(&driver, kind, feature, default, traits)["value"].clone()
        };
        assert_eq!(
            value("boolean", "banner", json!(false), json!({})),
            true,
            "{sdk:?}"
        );
        assert_eq!(
            value("boolean", "dark_mode", json!(true), json!({})),
            false,
            "{sdk:?}"
        );
        assert_eq!(
            value("string", "banner", json!(""), json!({})),
            "version 0",
            "{sdk:?}"
        );
        assert_eq!(value("integer", "limit", json!(0), json!({})), 10, "{sdk:?}");
        assert_eq!(
            value("integer", "limit", json!(0), json!({"plan": "pro"})),
            50,
            "{sdk:?}"
        );
        let layout = json!({"columns": 2, "names": ["ä", "b"]});
        assert_eq!(value("object", "layout", json!({}), json!({})), layout, "{sdk:?}");
        assert_eq!(
            value("string", "no such feature", json!("default"), json!({})),
            "default",
            "{sdk:?}"
        );
    }
}

/// The other two make up reasons of their own.
#[test]
fn pythons_provider_shows_why() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let Some(driver) = Driver::start(Sdk::Python) else {
        return;
    };
    driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
    let limit = details(&driver, "integer", "limit", json!(0), json!({"plan": "pro"}));
    assert_eq!(limit["reason"], "TARGETING_MATCH; segment=pro's limit");
    let checkout = details(&driver, "string", "checkout", json!(""), json!({}));
    assert_eq!(checkout["reason"], "SPLIT; weight=50.0");
    let value = checkout["value"].as_str().unwrap();
    assert_eq!(checkout["variant"], format!("the-{value}-one"));
    let missing = details(&driver, "boolean", "no such feature", json!(true), json!({}));
    assert_eq!(
        (&missing["value"], &missing["error"]),
        (&json!(true), &json!("FLAG_NOT_FOUND"))
    );
}
