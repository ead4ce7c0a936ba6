//! That an explanation is the answer that is served.
use serde_json::{Value, json};

use super::document;
use super::resource::{app, explained, one};
use crate::harness::{CLIENT_KEY, Request};

/// The flags of an explanation as they are served.
pub(super) fn flags(explanation: &Value) -> Vec<Value> {
    let features = explanation["features"].as_array().unwrap();
    let told = features.iter().filter(|feature| feature["hidden"] == json!([]));
    told.map(|feature| {
        json!([
            feature["name"],
            feature["enabled"],
            feature["value"],
            feature["variant"],
            feature["reason"]
        ])
    })
    .collect()
}

/// The flags of an answer of `identities/` or `flags/` in the same form.
fn served_flags(flags: &Value) -> Vec<Value> {
    let flags = flags.as_array().unwrap().iter();
    flags
        .map(|flag| {
            json!([
                flag["feature"]["name"],
                flag["enabled"],
                flag["feature_state_value"],
                flag["variant"],
                flag["reason"]
            ])
        })
        .collect()
}

#[test]
fn it_says_what_identities_answers() {
    let app = one();
    let traits =
        json!([{"trait_key": "age", "trait_value": 18}, {"trait_key": "plan", "trait_value": "gold"}]);
    for (kind, key) in [(false, CLIENT_KEY), (true, &*format!("ser.{CLIENT_KEY}"))] {
        for identifier in ["alice", "bob", "carol"] {
            let body = json!({"identifier": identifier, "traits": traits});
            let served = app.send(Request::post("/api/v1/identities/", body.to_string()).key(key));
            let served = served_flags(&served.json()["flags"]);
            assert!(!served.is_empty());
            let asked = json!({"identifier": identifier, "traits": traits, "server_side": kind});
            assert_eq!(flags(&explained(&app, &asked)), served, "{identifier}");
        }
    }
}

/// An empty identifier is an identity, to which segments and splits apply: `identities/` answers to it so.
#[test]
fn an_empty_identifier_is_explained_as_it_is_served() {
    let mut document = document();
    // All of a split whatever its place is, for no two such identities without traits have the same.
    let everybody = json!({"property_": null, "operator": "PERCENTAGE_SPLIT", "value": "100"});
    let rule = &mut document["project"]["segments"].as_array_mut().unwrap();
    rule.last_mut().unwrap()["rules"][0]["rules"][0]["conditions"]
        .as_array_mut()
        .unwrap()
        .push(everybody);
    let app = app(&[(CLIENT_KEY, Some(document))]);
    let shop = |flags: &[Value]| flags.iter().find(|flag| flag[0] == "shop").unwrap().clone();
    let none = explained(&app, &json!({"identifier": null, "traits": []}));
    let own = shop(&flags(&none));
    assert_eq!(none["identity"], Value::Null, "null is as if it were left out");
    for traits in [json!([]), json!([{"trait_key": "plan", "trait_value": "gold"}])] {
        let body = json!({"identifier": "", "traits": traits});
        let posted = Request::post("/api/v1/identities/", body.to_string()).key(CLIENT_KEY);
        let posted = shop(&served_flags(&app.send(posted).json()["flags"]));
        assert_ne!(posted, own, "flags/ answers otherwise");
        let explanation = explained(&app, &body);
        assert_eq!(shop(&flags(&explanation)), posted, "{traits}");
        assert_eq!(explanation["identity"]["is_transient"], json!(true));
        assert_eq!(explanation["notes"], json!([]));
    }
    let got = app.send(Request::get("/api/v1/identities/?identifier=").key(CLIENT_KEY));
    let got = shop(&served_flags(&got.json()["flags"]));
    let explanation = app.ask_admin(Request::get("/explain?identifier=")).json();
    assert_eq!(shop(&flags(&explanation)), got);
}
