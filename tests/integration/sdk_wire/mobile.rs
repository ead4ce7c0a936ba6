//! iOS, Kotlin, Flutter and React Native: all with a client-side key, none with the document.
use serde_json::{Value, json};

use super::{Exchange, FLAGS, IDENTITY, Sdk, app, is_identity, is_premium};

/// iOS 3 (`URLSession`): Content-Type on GET too.
pub(super) const IOS: Sdk = Sdk {
    name: "iOS",
    head: &[
        "Host: localhost:8000",
        "X-Environment-Key: {key}",
        "Content-Type: application/json",
        "Accept: */*",
        "User-Agent: flagsmith-swift-ios-sdk/3.8.4",
        "Accept-Language: en-GB,en;q=0.9",
        "Accept-Encoding: gzip, deflate",
        "Connection: keep-alive",
    ],
    head_with_body: &[],
};

/// It decodes `identifier`, `traits` and `flags` of whatever comes, and takes the header's number for a `Double`.
#[test]
fn ios() {
    let app = app();
    IOS.run(
        &app,
        &[
            Exchange::get("getFeatureFlags", "/api/v1/flags/").needs(FLAGS),
            Exchange::get("getIdentity", "/api/v1/identities/?identifier=bob%40example.com").needs(&[
                ("an identity", is_identity),
                ("the identifier", |identity: &Value| {
                    identity["identifier"] == "bob@example.com"
                }),
            ]),
            // The identifier is in the query too, and `flags` is encoded as an empty list.
            Exchange::post(
                "setTraits",
                "/api/v1/identities/?identifier=bob",
                json!({"traits": [{"trait_key": "plan", "trait_value": "premium", "transient": false}],
                    "identifier": "bob", "transient": false, "flags": []}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("the segment", is_premium),
                ("the traits that were set", |identity: &Value| {
                    identity["traits"][0]["trait_value"] == "premium"
                }),
            ]),
        ],
    );
    has_the_time(&IOS);
}

/// Kotlin 2 (Retrofit over OkHttp): an `e` in lower case in the key's header, a time of 4 s for all of a call.
pub(super) const KOTLIN: Sdk = Sdk {
    name: "Kotlin",
    head: &[
        "X-environment-key: {key}",
        "User-Agent: flagsmith-kotlin-android-sdk/1.9.0",
        "Host: localhost:8000",
        "Connection: Keep-Alive",
        "Accept-Encoding: gzip",
    ],
    head_with_body: &[
        "Content-Type: application/json; charset=utf-8",
        "Accept: application/json",
    ],
};

/// A body that is null, or of another shape, is a failure; `traits` and `flags` are never null.
#[test]
fn kotlin() {
    let app = app();
    KOTLIN.run(
        &app,
        &[
            Exchange::get("getFeatureFlags", "/api/v1/flags/").needs(FLAGS),
            Exchange::get("getFeatureFlags of an identity", "/api/v1/identities/?identifier=bob").needs(IDENTITY),
            Exchange::get(
                "getFeatureFlags of a transient identity",
                "/api/v1/identities/?identifier=bob&transient=true",
            )
            .needs(IDENTITY),
            Exchange::post(
                "setTrait",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "premium"}], "transient": false}),
            )
            .needs(&[("an identity", is_identity), ("the segment", is_premium)]),
        ],
    );
    has_the_time(&KOTLIN);
}

/// Flutter 6 (Dio over `dart:io`): names in lower case, exactly 200.
pub(super) const FLUTTER: Sdk = Sdk {
    name: "Flutter",
    head: &[
        "user-agent: flagsmith-flutter-sdk/6.0.3",
        "accept: application/json",
        "accept-encoding: gzip",
        "x-environment-key: {key}",
        "content-type: application/json",
        "host: localhost:8000",
    ],
    head_with_body: &[],
};

/// It casts: a trait that is echoed as null throws.
#[test]
fn flutter() {
    let app = app();
    FLUTTER.run(
        &app,
        &[
            Exchange::get("getFeatureFlags", "/api/v1/flags/").needs(FLAGS),
            Exchange::get("getTraits", "/api/v1/identities/?identifier=bob&transient=true").needs(IDENTITY),
            Exchange::post(
                "getFeatureFlags of an identity",
                "/api/v1/identities/",
                json!({"identifier": "bob"}),
            )
            .needs(IDENTITY),
            Exchange::post(
                "updateTraits",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": [
                    {"trait_key": "plan", "trait_value": "premium"},
                    {"trait_key": "unset", "trait_value": null},
                ]}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("the segment", is_premium),
                ("no trait that is null", |identity: &Value| {
                    identity["traits"] == json!([{"trait_key": "plan", "trait_value": "premium"}])
                }),
            ]),
        ],
    );
}

/// React Native (the JavaScript SDK over `fetch`, which is OkHttp on Android): no Origin, as it is no browser.
pub(super) const REACT_NATIVE: Sdk = Sdk {
    name: "React Native",
    head: &[
        "accept: */*",
        "x-environment-key: {key}",
        "flagsmith-sdk-user-agent: flagsmith-js-sdk/12.4.0",
        "cache-control: no-cache",
        "Host: localhost:8000",
        "Connection: Keep-Alive",
        "Accept-Encoding: gzip",
        "User-Agent: okhttp/4.12.0",
    ],
    head_with_body: &["content-type: application/json; charset=utf-8"],
};

/// It keeps the identifier and the traits that are echoed, and no others; a header that is no number rejects the answer.
#[test]
fn react_native() {
    let app = app();
    REACT_NATIVE.run(
        &app,
        &[
            Exchange::get("getFlags", "/api/v1/flags/").needs(FLAGS),
            Exchange::get("identify", "/api/v1/identities/?identifier=bob&transient=true").needs(IDENTITY),
            Exchange::post(
                "setTraits",
                "/api/v1/identities/",
                json!({"identifier": "bob", "traits": [{"trait_key": "plan", "trait_value": "premium"}]}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("the segment", is_premium),
                ("the traits, echoed", |identity: &Value| {
                    identity["traits"] == json!([{"trait_key": "plan", "trait_value": "premium"}])
                }),
            ]),
            Exchange::post(
                "setContext without an identifier",
                "/api/v1/identities/",
                json!({"identifier": null, "transient": null, "traits": [{"trait_key": "plan", "trait_value": "premium"}]}),
            )
            .needs(&[
                ("an identity", is_identity),
                ("an identifier to go on with", |identity: &Value| {
                    identity["identifier"].as_str().is_some_and(|made| made.len() == 64)
                }),
            ]),
        ],
    );
    has_the_time(&REACT_NATIVE);
}

/// What it compares events to comes with flags and identities, as a number.
fn has_the_time(sdk: &Sdk) {
    let app = app();
    for path in ["/api/v1/flags/", "/api/v1/identities/?identifier=bob"] {
        let answer = sdk.check(
            &mut app.connect(),
            &Exchange::get("the time of the document", path),
        );
        let time = answer.header("x-flagsmith-document-updated-at").unwrap();
        assert!(
            time.contains('.') && time.parse::<f64>().is_ok(),
            "{}: {time}",
            sdk.name
        );
    }
}
