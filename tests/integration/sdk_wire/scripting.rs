//! Ruby, PHP and Elixir.
use serde_json::{Value, json};

use super::{DOCUMENT, Exchange, FLAGS, IDENTITY, Sdk, app, is_identity, is_premium};

/// Ruby 4 (Faraday over `Net::HTTP`, which offers gzip itself): a connection for each request, Content-Type on GET too.
pub(super) const RUBY: Sdk = Sdk {
    name: "Ruby",
    head: &[
        "Accept-Encoding: gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
        "Accept: application/json",
        "Content-Type: application/json",
        "X-Environment-Key: {key}",
        "User-Agent: flagsmith-ruby-sdk/4.3.0",
        "Connection: close",
        "Host: localhost:8000",
    ],
    head_with_body: &[],
};

/// It follows no redirect, and parses only what says that it is JSON.
#[test]
fn ruby() {
    let app = app();
    let premium = json!({
        "identifier": "bob",
        "transient": false,
        "traits": [{"trait_key": "plan", "trait_value": "premium"}],
    });
    RUBY.run(
        &app,
        &[
            Exchange::get("get_environment_flags", "/api/v1/flags/").needs(FLAGS),
            Exchange::post("get_identity_flags", "/api/v1/identities/", premium)
                .needs(&[("an identity", is_identity), ("the segment", is_premium)]),
            Exchange::get("update_environment", "/api/v1/environment-document/")
                .by_server()
                .needs(DOCUMENT),
        ],
    );
}

/// PHP 5 (Guzzle): no coding offered, exactly 200, Content-Type on GET too.
pub(super) const PHP: Sdk = Sdk {
    name: "PHP",
    head: &[
        "Host: localhost:8000",
        "Accept: application/json",
        "Content-Type: application/json",
        "X-Environment-Key: {key}",
        "User-Agent: flagsmith-php-sdk/5.1.0",
    ],
    head_with_body: &[],
};

#[test]
fn php() {
    let app = app();
    PHP.run(
        &app,
        &[
            Exchange::get("getEnvironmentFlags", "/api/v1/flags/").needs(FLAGS),
            Exchange::post(
                "getIdentityFlags",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": []}),
            )
            .needs(IDENTITY),
            Exchange::post(
                "getIdentityFlags with traits",
                "/api/v1/identities/",
                json!({"identifier": "bob", "transient": true, "traits": [
                    {"trait_key": "plan", "trait_value": "premium"},
                    {"trait_key": "unset", "trait_value": null},
                    {"trait_key": "once", "trait_value": "no-persist", "transient": true},
                ]}),
            )
            .needs(&[("an identity", is_identity), ("the segment", is_premium)]),
            Exchange::get("updateEnvironment", "/api/v1/environment-document/")
                .by_server()
                .needs(DOCUMENT),
        ],
    );
}

/// It throws `detail` where the status is not 200, and decodes the body with exceptions on.
#[test]
fn php_throws_what_detail_says() {
    let app = app();
    let unreadable = Exchange::post("getIdentityFlags", "/api/v1/identities/", json!([1]));
    let refusal = PHP.ask(&mut app.connect(), &unreadable);
    assert_eq!(refusal.status, 400);
    assert!(!refusal.json()["detail"].as_str().unwrap().is_empty());
}

/// Elixir 2 (Tesla over `httpc`): names in lower case, an empty `te`.
pub(super) const ELIXIR: Sdk = Sdk {
    name: "Elixir",
    head: &[
        "connection: keep-alive",
        "host: localhost:8000",
        "te: ",
        "user-agent: flagsmith-elixir-sdk/2.3.1",
        "x-environment-key: {key}",
    ],
    head_with_body: &["content-type: application/json"],
};

/// Its traits are `{"value","type"}`; every 2xx is good.
#[test]
fn elixir() {
    let app = app();
    let traits = json!([
        {"trait_key": "plan", "trait_value": {"value": "premium", "type": "string"}},
        {"trait_key": "age", "trait_value": {"value": 32, "type": "integer"}},
        {"trait_key": "ratio", "trait_value": {"value": 1.5, "type": "decimal"}},
        {"trait_key": "beta", "trait_value": {"value": true, "type": "boolean"}},
    ]);
    ELIXIR.run(
        &app,
        &[
            Exchange::get("get_environment_flags", "/api/v1/flags/").needs(FLAGS),
            Exchange::post(
                "get_identity_flags",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": traits}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("the segment", is_premium),
                ("the values alone", |identity: &Value| {
                    let values = identity["traits"].as_array().unwrap();
                    let values: Vec<_> = values.iter().map(|each| each["trait_value"].clone()).collect();
                    json!(values) == json!(["premium", 32, 1.5, true])
                }),
            ]),
            Exchange::get("get_environment", "/api/v1/environment-document/")
                .by_server()
                .needs(DOCUMENT),
        ],
    );
}
