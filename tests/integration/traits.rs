//! Identities with their traits, from the wire to the flags.
use serde_json::{Value, json};

use crate::harness::{App, CLIENT_KEY, Options, Request, SERVER_KEY, fixture, spawn_app};

fn identify(app: &App, key: &str, body: &Value) -> Value {
    let response = app.send(Request::post("/api/v1/identities/", body.to_string()).key(key));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

fn value_of<'a>(answer: &'a Value, name: &str) -> &'a Value {
    let flags = answer["flags"].as_array().unwrap();
    &flags.iter().find(|flag| flag["feature"]["name"] == name).unwrap()["feature_state_value"]
}

#[test]
fn a_trait_brings_the_identity_into_its_segment() {
    let app = spawn_app(Options::default());
    let premium = json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "premium"}]});
    let answer = identify(&app, CLIENT_KEY, &premium);
    assert_eq!(value_of(&answer, "banner"), "premium banner");
    assert_eq!(answer["identifier"], "bob");
    assert_eq!(answer["traits"], premium["traits"]);

    let plain = identify(&app, CLIENT_KEY, &json!({"identifier": "bob"}));
    assert_eq!(
        value_of(&plain, "banner"),
        "plain banner",
        "nothing is remembered"
    );
    assert_eq!(plain["traits"], json!([]));
}

#[test]
fn traits_are_echoed_as_they_were_sent() {
    let app = spawn_app(Options::default());
    let sent = json!([
        {"trait_key": "text", "trait_value": "007"},
        {"trait_key": "integer", "trait_value": 7},
        {"trait_key": "float", "trait_value": 1.5},
        {"trait_key": "boolean", "trait_value": true, "transient": true},
        {"trait_key": "unset", "trait_value": null},
    ]);
    let answer = identify(&app, CLIENT_KEY, &json!({"identifier": "bob", "traits": sent}));
    let mut expected = sent.as_array().unwrap().clone();
    expected.pop();
    assert_eq!(answer["traits"], Value::Array(expected));
}

/// Node drops `undefined` and keeps the key, Java drops null; for core a null unsets the trait.
#[test]
fn a_trait_without_a_value_is_null_and_takes_nothing_from_the_identity() {
    let app = spawn_app(Options::default());
    for valueless in [
        json!({"trait_key": "unset"}),
        json!({"trait_key": "unset", "trait_value": null}),
        json!({"trait_key": "unset", "transient": true}),
        json!({"trait_key": "unset", "value": 1}),
    ] {
        let premium = json!({"trait_key": "plan", "trait_value": "premium"});
        for traits in [json!([valueless, premium]), json!([premium, valueless])] {
            let answer = identify(&app, CLIENT_KEY, &json!({"identifier": "bob", "traits": traits}));
            assert_eq!(value_of(&answer, "banner"), "premium banner", "{valueless}");
            assert_eq!(answer["traits"], json!([premium]), "{valueless}");
        }
        let alone = identify(
            &app,
            CLIENT_KEY,
            &json!({"identifier": "bob", "traits": [valueless]}),
        );
        assert_eq!(alone["traits"], json!([]), "{valueless}");
    }
}

#[test]
fn an_identity_override_beats_the_rest_with_get_and_post() {
    let app = spawn_app(Options::default());
    assert_eq!(
        value_of(
            &identify(&app, CLIENT_KEY, &json!({"identifier": "alice"})),
            "zebra"
        ),
        "for alice"
    );
    for path in [
        "?identifier=alice",
        "?identifier=bob&identifier=alice",
        "?identifier=alice&transient=true",
    ] {
        let response = app.get(&format!("/api/v1/identities/{path}"));
        assert_eq!(value_of(&response.json(), "zebra"), "for alice", "{path}");
        assert_eq!(response.json()["traits"], json!([]), "{path}");
    }
    let flag = app.get("/api/v1/identities/?identifier=alice&feature=zebra");
    assert_eq!(flag.json()["feature_state_value"], "for alice");
    assert_eq!(
        app.get("/api/v1/identities/?identifier=alice&feature=ZEBRA")
            .status,
        404
    );
    assert_eq!(
        app.get("/api/v1/identities/?identifier=alice&feature=internal")
            .status,
        404
    );
}

#[test]
fn a_query_is_decoded_as_a_form() {
    let app = spawn_app(Options::default());
    for (query, expected) in [
        ("identifier=a+b", "a b"),
        ("identifier=a%2Bb%40example.com", "a+b@example.com"),
        ("identifier=%C3%A9", "é"),
        ("identifier=%FF", "\u{fffd}"),
        ("identifier=+alice+", " alice "),
    ] {
        let response = app.get(&format!("/api/v1/identities/?{query}"));
        assert_eq!(response.json()["identifier"], expected, "{query}");
    }
}

#[test]
fn without_an_identifier_the_identity_is_anonymous() {
    let app = spawn_app(Options::default());
    let is_random = |answer: &Value| {
        let identifier = answer["identifier"].as_str().unwrap();
        identifier.len() == 32 && identifier.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let first = app.get("/api/v1/identities/").json();
    let second = app.get("/api/v1/identities/?identifier=").json();
    assert!(is_random(&first) && is_random(&second));
    assert_ne!(first["identifier"], second["identifier"]);

    let body = json!({"traits": [{"trait_key": "plan", "trait_value": "premium"}]});
    let traited = identify(&app, CLIENT_KEY, &body);
    assert_eq!(traited["identifier"].as_str().unwrap().len(), 64);
    assert_eq!(
        traited["identifier"],
        identify(&app, CLIENT_KEY, &body)["identifier"]
    );
    assert_eq!(traited["traits"][0]["transient"], true);
    assert_eq!(value_of(&traited, "banner"), "premium banner");
}

#[test]
fn an_empty_body_is_an_anonymous_identity() {
    let app = spawn_app(Options::default());
    let response = app.send(Request::post("/api/v1/identities/", String::new()).key(CLIENT_KEY));
    assert_eq!(response.status, 200, "{}", response.text());
    let answer = response.json();
    assert_eq!(answer["identifier"].as_str().unwrap().len(), 32);
    assert_eq!(answer["traits"], json!([]));
    assert_eq!(value_of(&answer, "banner"), "plain banner");
}

#[test]
fn flags_of_identities_alone_say_why() {
    let app = spawn_app(Options::default());
    let premium = json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "premium"}]});
    let answer = identify(&app, CLIENT_KEY, &premium);
    let reason_of = |name: &str| {
        let flags = answer["flags"].as_array().unwrap();
        let flag = flags.iter().find(|flag| flag["feature"]["name"] == name);
        flag.unwrap()["reason"].clone()
    };
    assert_eq!(reason_of("zebra"), "DEFAULT");
    let banner = reason_of("banner");
    assert!(
        banner.as_str().unwrap().starts_with("TARGETING_MATCH; segment="),
        "{banner}"
    );
    assert!(!app.get("/api/v1/flags/").text().contains("reason"));
}

#[test]
fn client_traits_count_only_where_the_environment_allows_them() {
    let mut strict = fixture();
    strict["allow_client_traits"] = json!(false);
    let app = spawn_app(Options {
        document: Some(strict.to_string()),
        ..Options::default()
    });
    let body = json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "premium"}]});
    let client = identify(&app, CLIENT_KEY, &body);
    assert_eq!(
        (value_of(&client, "banner"), &client["traits"]),
        (&json!("plain banner"), &json!([]))
    );
    let server = identify(&app, SERVER_KEY, &body);
    assert_eq!(
        (value_of(&server, "banner"), &server["traits"]),
        (&json!("premium banner"), &body["traits"])
    );
}

#[test]
fn a_multivariate_flag_names_its_variant() {
    let app = spawn_app(Options::default());
    let answer = identify(&app, CLIENT_KEY, &json!({"identifier": "bob"}));
    let colour = answer["flags"]
        .as_array()
        .unwrap()
        .iter()
        .find(|flag| flag["feature"]["name"] == "colour")
        .unwrap();
    assert_eq!(
        (&colour["feature_state_value"], &colour["variant"]),
        (&json!("blue"), &json!("the-blue-one"))
    );
    assert!(answer["flags"][0].get("variant").is_none());
    assert!(
        answer["flags"]
            .as_array()
            .unwrap()
            .iter()
            .all(|flag| flag["feature"]["name"] != "internal")
    );
}

#[test]
fn what_is_past_a_limit_is_refused_with_the_number() {
    let app = spawn_app(Options::default());
    let many: Vec<Value> = (0..1001)
        .map(|number| json!({"trait_key": format!("k{number}"), "trait_value": 1}))
        .collect();
    let long = "x".repeat(2001);
    let path = format!("/api/v1/identities/?identifier={long}");
    for (response, limit) in [
        (app.get(&path), "2000"),
        (
            app.send(
                Request::post("/api/v1/identities/", json!({"identifier": long}).to_string()).key(CLIENT_KEY),
            ),
            "2000",
        ),
        (
            app.send(
                Request::post("/api/v1/identities/", json!({"traits": many}).to_string()).key(CLIENT_KEY),
            ),
            "1000",
        ),
    ] {
        assert_eq!(response.status, 400);
        let body = response.json();
        assert!(body["message"].as_str().unwrap().contains(limit), "{body}");
        assert!(
            !response.text().contains("xxx"),
            "an identifier is never repeated"
        );
    }
    let path = format!(
        "/api/v1/identities/?identifier={}",
        "é".repeat(2000).replace('é', "%C3%A9")
    );
    assert_eq!(app.get(&path).status, 200, "characters count, not bytes");
}
