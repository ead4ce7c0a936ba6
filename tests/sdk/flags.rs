//! Flags as every SDK gets them from the proxy.
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{CLIENT_SIDE_KEY, Driver, Edge, Flagsmith, SERVER_SIDE_KEY, Sdk, document, operators};

/// What all SDKs say of flags: whether each is on, and its value.
pub(crate) fn states(flags: &Value) -> BTreeMap<String, (bool, Value)> {
    let flags = flags.as_object().unwrap().iter();
    flags
        .map(|(name, flag)| {
            (
                name.clone(),
                (flag["enabled"].as_bool().unwrap(), flag["value"].clone()),
            )
        })
        .collect()
}

/// The features of [`operators`] that are on.
fn met(flags: &Value) -> Vec<&'static str> {
    operators()
        .filter(|name| flags[name]["enabled"] == true)
        .collect()
}

#[test]
fn the_environments_flags_come_with_their_values() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let flags = states(&driver.environment_flags("any"));
        let expected = [
            ("banner", true, json!("version 0")),
            ("dark_mode", false, Value::Null),
            ("limit", true, json!(10)),
            ("is_public", true, json!(true)),
            ("layout", true, json!(r#"{"columns": 2, "names": ["ä", "b"]}"#)),
            ("colour", true, json!("control value")),
            ("nothing", true, json!("")),
            ("adult", false, json!("off")),
        ];
        for (name, enabled, value) in expected {
            assert_eq!(flags[name], (enabled, value), "{sdk:?}: {name}");
        }
        assert!(!flags.contains_key("secret"), "{sdk:?} has a client-side key");
        assert_eq!(flags.len(), 8 + operators().count(), "{sdk:?}");
        driver.open("server's", &edge, SERVER_SIDE_KEY, json!({}));
        let flags = states(&driver.environment_flags("server's"));
        assert_eq!(flags["secret"], (true, json!("of the server")), "{sdk:?}");
    }
}

#[test]
fn traits_of_every_type_decide() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let met_with = |traits| {
            let identity = json!({"identifier": "ann", "traits": traits});
            let flags = driver.identity_flags("any", identity);
            let split = ["thirty_percent", "half_of_countries"];
            let mut met = met(&flags);
            met.retain(|name| !split.contains(name));
            (met, flags["limit"]["value"].clone())
        };
        let text = json!({"plan": "pro", "email": "ann1@example.com", "version": "2.1.0", "country": "fr"});
        let expected = [
            "plan_is_pro",
            "somewhere",
            "company",
            "numbered",
            "recent",
            "has_plan",
        ];
        assert_eq!(met_with(text), (expected.to_vec(), json!(50)), "{sdk:?}");
        let numbers = json!({"age": 40, "speed": 0.75, "country": 42});
        let expected = ["adult", "fast", "somewhere", "third", "has_no_plan"];
        assert_eq!(met_with(numbers), (expected.to_vec(), json!(20)), "{sdk:?}");
        let both = json!({"age": 18, "beta": true, "plan": "pro", "country": "ä\"\\ 😀"});
        let expected = ["plan_is_pro", "adult", "tester", "has_plan"];
        assert_eq!(met_with(both), (expected.to_vec(), json!(50)), "{sdk:?}");
        let nothing = json!({"plan": null, "beta": null, "age": null});
        assert_eq!(met_with(nothing), (vec!["has_no_plan"], json!(10)), "{sdk:?}");
        let empty = json!({"plan": "", "beta": false});
        let expected = ["plan_is_not_pro", "no_tester", "has_plan"];
        assert_eq!(met_with(empty), (expected.to_vec(), json!(10)), "{sdk:?}");
        assert_eq!(met_with(json!({})), (vec!["has_no_plan"], json!(10)), "{sdk:?}");
    }
}

/// Node sends a trait without its value then; the others null, or nothing.
#[test]
fn a_trait_that_is_undefined_is_none() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in [Sdk::Node, Sdk::JavaScript] {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let traits = json!({"plan": {"undefined": true}, "age": 18});
        let flags = driver.identity_flags("any", json!({"identifier": "ann", "traits": traits}));
        assert_eq!(flags["has_no_plan"]["enabled"], true, "{sdk:?}");
        assert_eq!(flags["adult"]["enabled"], true, "{sdk:?}");
    }
}

#[test]
fn what_is_transient_decides_as_well() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let kept = driver.identity_flags(
            "any",
            json!({"identifier": "identity-7", "traits": {"plan": "pro", "age": 18}}),
        );
        let traits = json!({"plan": {"value": "pro", "transient": true}, "age": 18});
        for transient in [false, true] {
            let identity = json!({"identifier": "identity-7", "traits": traits, "transient": transient});
            assert_eq!(driver.identity_flags("any", identity), kept, "{sdk:?}");
        }
        assert_eq!(kept["limit"]["value"], 1000, "{sdk:?}: an override of its own");
    }
    let Some(driver) = Driver::start(Sdk::JavaScript) else {
        return;
    };
    driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
    let identity =
        json!({"identifier": "ann", "traits": {"plan": {"value": "pro", "transient": true}, "age": 18}});
    let echoed = driver.ask("any", "echoed_identity", identity);
    let expected = json!({"plan": {"value": "pro", "transient": true}, "age": {"value": 18}});
    assert_eq!(echoed, json!({"identifier": "ann", "traits": expected}));
}

#[test]
fn an_identity_without_an_identifier_is_anonymous() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    // Node's SDK refuses to ask for one.
    for sdk in [Sdk::Python, Sdk::JavaScript, Sdk::Rust] {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let flags = driver.identity_flags("any", json!({"identifier": "", "traits": {"plan": "pro"}}));
        assert_eq!(flags["limit"]["value"], 50, "{sdk:?}");
        let flags = driver.identity_flags("any", json!({"identifier": ""}));
        assert_eq!(flags["has_no_plan"]["enabled"], true, "{sdk:?}");
    }
    let Some(driver) = Driver::start(Sdk::JavaScript) else {
        return;
    };
    driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
    let anonymous = |traits| {
        driver.ask(
            "any",
            "echoed_identity",
            json!({"identifier": "", "traits": traits}),
        )
    };
    let echoed = anonymous(json!({"plan": "pro"}));
    let identifier = echoed["identifier"].as_str().unwrap();
    assert!(
        identifier.len() == 64 && identifier.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{echoed}"
    );
    assert_eq!(
        echoed["traits"],
        json!({"plan": {"value": "pro", "transient": true}})
    );
    assert_eq!(anonymous(json!({"plan": "pro"})), echoed);
    assert_ne!(
        anonymous(json!({"plan": "free"}))["identifier"],
        echoed["identifier"]
    );
}

#[test]
fn one_flag_is_found_by_its_name() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        let limit = |given| driver.ask("any", "one_flag", given)["value"].clone();
        assert_eq!(limit(json!({"feature": "limit"})), 10, "{sdk:?}");
        let ann = json!({"feature": "limit", "identifier": "ann", "traits": {"plan": "pro"}});
        assert_eq!(limit(ann), 50, "{sdk:?}");
        let overridden = json!({"feature": "limit", "identifier": "identity-14"});
        assert_eq!(limit(overridden), 1000, "{sdk:?}");
    }
}

#[test]
fn identifiers_arrive_as_they_are() {
    const IDENTIFIER: &str = "ä+b c&d=%41/?#\"<😀";
    let mut document = document();
    document["identity_overrides"][0]["identifier"] = IDENTIFIER.into();
    let flagsmith = Flagsmith::start();
    flagsmith.upstream.serve(&document);
    let edge = Edge::start(&flagsmith, json!({}));
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        // Without traits the browsers' SDK asks by GET.
        for traits in [json!({}), json!({"plan": "pro"})] {
            let flags = driver.identity_flags("any", json!({"identifier": IDENTIFIER, "traits": traits}));
            assert_eq!(flags["limit"]["value"], 1000, "{sdk:?}");
        }
    }
}

#[test]
fn the_api_may_be_below_a_path() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start_below(&flagsmith, "/flagsmith");
    for sdk in Sdk::ALL {
        let Some(driver) = Driver::start(sdk) else {
            continue;
        };
        driver.open("any", &edge, CLIENT_SIDE_KEY, json!({}));
        assert_eq!(driver.environment_flags("any")["limit"]["value"], 10, "{sdk:?}");
        let flags = driver.identity_flags("any", json!({"identifier": "ann", "traits": {"plan": "pro"}}));
        assert_eq!(flags["limit"]["value"], 50, "{sdk:?}");
        if Sdk::EVALUATING.contains(&sdk) {
            driver.open("local", &edge, SERVER_SIDE_KEY, json!({"local": true}));
            let flags = driver.environment_flags("local");
            assert_eq!(flags["limit"]["value"], 10, "{sdk:?}");
        }
    }
}
