//! Go, Java and .NET.
use serde_json::{Value, json};

use super::{DOCUMENT, Exchange, FLAGS, IDENTITY, Sdk, app, is_identity, is_premium};

/// Go 5 (`resty` over `net/http`): the header names sorted, gzip by the transport.
pub(super) const GO: Sdk = Sdk {
    name: "Go",
    head: &[
        "Host: localhost:8000",
        "User-Agent: flagsmith-go-sdk/v5.1.0",
        "Accept: application/json",
        "X-Environment-Key: {key}",
        "Accept-Encoding: gzip",
    ],
    head_with_body: &["Content-Type: application/json"],
};

#[test]
fn go() {
    let app = app();
    let traits = json!([
        {"trait_key": "plan", "trait_value": "premium"},
        {"trait_key": "age", "trait_value": 32, "transient": true},
    ]);
    GO.run(
        &app,
        &[
            Exchange::get("GetEnvironmentFlags", "/api/v1/flags/").needs(FLAGS),
            // `traits` has `omitempty`.
            Exchange::post(
                "GetIdentityFlags",
                "/api/v1/identities/",
                json!({"identifier": "bob"}),
            )
            .needs(IDENTITY),
            Exchange::post(
                "GetIdentityFlags with traits",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": traits, "transient": true}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("the segment", is_premium),
                ("FeatureName and reason of each flag", |identity: &Value| {
                    let flags = identity["flags"].as_array().unwrap();
                    flags.iter().all(|flag| flag["reason"].is_string())
                }),
            ]),
            // It unmarshals `updated_at` as `time.Time`, which is RFC 3339 with a zone, and listens to `api_key`.
            Exchange::get("UpdateEnvironment", "/api/v1/environment-document/")
                .by_server()
                .needs(DOCUMENT),
        ],
    );
}

/// It unmarshals whatever comes into a map of strings where the status is an error, and fails on anything else in it.
#[test]
fn go_reads_an_error_as_a_map_of_strings() {
    let app = app();
    let as_client = Exchange::get("UpdateEnvironment", "/api/v1/environment-document/");
    let refusal = GO.ask(&mut app.connect(), &as_client);
    assert_eq!(refusal.status, 401);
    let refusal = super::decoded(&refusal);
    assert!(
        refusal.as_object().unwrap().values().all(Value::is_string),
        "{refusal}"
    );
    assert!(!refusal["detail"].as_str().unwrap().is_empty());
}

/// Java 8 (OkHttp): the SDK's own headers first, those of the client behind them.
pub(super) const JAVA: Sdk = Sdk {
    name: "Java",
    head: &[
        "X-Environment-Key: {key}",
        "Accept: application/json",
        "Host: localhost:8000",
        "Connection: Keep-Alive",
        "Accept-Encoding: gzip",
        "User-Agent: flagsmith-java-sdk/8.1.0",
    ],
    head_with_body: &["Content-Type: application/json; charset=utf-8"],
};

#[test]
fn java() {
    let app = app();
    JAVA.run(
        &app,
        &[
            // It parses any 2xx, and asks three times for anything else.
            Exchange::get("getEnvironmentFlags", "/api/v1/flags/").needs(FLAGS),
            Exchange::post(
                "getIdentityFlags",
                "/api/v1/identities/",
                json!({"identifier": "bob"}),
            )
            .needs(IDENTITY),
            // Jackson leaves out what is null: the key stays alone.
            Exchange::post(
                "getIdentityFlags with an unset trait",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": [{"trait_key": "plan"}]}),
            )
            .needs(IDENTITY),
            Exchange::post(
                "getIdentityFlags of a transient identity",
                "/api/v1/identities/",
                json!({"identifier": "bob", "transient": true,
                    "traits": [{"trait_key": "plan", "trait_value": "premium", "transient": true}]}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("the segment", is_premium),
                ("transient traits", |identity: &Value| {
                    identity["traits"][0]["transient"] == json!(true)
                }),
            ]),
            // A null in the place of a list is an exception.
            Exchange::get("updateEnvironment", "/api/v1/environment-document/")
                .by_server()
                .needs(DOCUMENT),
        ],
    );
}

/// .NET 9 (`HttpClient`): paths without a slash at their end, no coding offered.
pub(super) const DOT_NET: Sdk = Sdk {
    name: ".NET",
    head: &[
        "Host: localhost:8000",
        "X-Environment-Key: {key}",
        "User-Agent: flagsmith-dotnet-sdk/9.0.0",
    ],
    head_with_body: &["Content-Type: application/json; charset=utf-8"],
};

#[test]
fn dot_net() {
    let app = app();
    let premium = json!({
        "identifier": "bob",
        "traits": [{"trait_key": "plan", "trait_value": "premium", "transient": false}],
        "transient": false,
    });
    DOT_NET.run(
        &app,
        &[
            Exchange::get("GetEnvironmentFlags", "/api/v1/flags").needs(FLAGS),
            Exchange::post(
                "GetIdentityFlags",
                "/api/v1/identities",
                json!({"identifier": "bob", "traits": [], "transient": false}),
            )
            .needs(IDENTITY),
            Exchange::post("GetIdentityFlags with traits", "/api/v1/identities", premium)
                .needs(&[("an identity", is_identity), ("the segment", is_premium)]),
            Exchange::get("local evaluation", "/api/v1/environment-document/")
                .by_server()
                .needs(DOCUMENT),
        ],
    );
}

/// .NET Framework's client asks before it sends a body.
#[test]
fn dot_net_framework_waits_before_its_body() {
    let app = app();
    let mut connection = app.connect();
    let body = br#"{"identifier":"bob","traits":[],"transient":false}"#;
    connection.write(
        format!(
            "POST /api/v1/identities HTTP/1.1\r\nX-Environment-Key: client-key\r\nContent-Type: application/json; charset=utf-8\r\n\
             Host: localhost:8000\r\nContent-Length: {}\r\nExpect: 100-continue\r\nConnection: Keep-Alive\r\n\r\n",
            body.len()
        )
        .as_bytes(),
    );
    assert_eq!(connection.read_head().status, 100);
    connection.write(body);
    let answer = connection.read(false);
    assert_eq!(answer.status, 200);
    assert!(is_identity(&answer.json()));
}
