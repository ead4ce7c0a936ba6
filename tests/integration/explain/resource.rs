//! `/explain` of the admin port.
use serde_json::{Value, json};

use super::served::flags;
use super::{document, other_document};
use crate::harness::{
    App, CLIENT_KEY, Connection, Options, Proxy, ProxyOptions, Request, Response, SERVER_KEY, spawn_app,
};

pub(super) const OTHER_KEY: &str = "other-client-key";

/// A proxy of these environments: documents by the client-side keys that are configured for them.
pub(super) fn app(environments: &[(&str, Option<Value>)]) -> App {
    let pairs = environments.iter().map(|(key, _)| {
        json!({"client_side_key": key, "server_side_key": format!("ser.{key}"), "document_path": format!("{key}.json")})
    });
    let app = spawn_app(Options {
        document: None,
        config: json!({"admin": {"port": 0}, "environment_key_pairs": pairs.collect::<Vec<_>>()}),
        ..Options::default()
    });
    let folder = app.document_path();
    let folder = folder.parent().unwrap();
    for (key, document) in environments {
        if let Some(document) = document {
            app.until_published(|| {
                std::fs::write(folder.join(format!("{key}.json")), document.to_string()).unwrap()
            });
        }
    }
    app
}

pub(super) fn one() -> App {
    app(&[(CLIENT_KEY, Some(document()))])
}

fn explain(app: &App, body: &Value) -> Response {
    app.ask_admin(Request::post("/explain", body.to_string()))
}

pub(super) fn explained(app: &App, body: &Value) -> Value {
    let answer = explain(app, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn refused(answer: &Response) -> (u16, String) {
    let json = answer.json();
    let message = json["message"].as_str().expect("a message");
    (answer.status, message.to_owned())
}

#[test]
fn a_get_says_the_same_as_a_post_and_text_is_for_who_accepts_it() {
    let app = one();
    let body = json!({"environment": "Test environment", "identifier": "carol", "traits": {"age": 17, "plan": "gold"}, "feature": "shop"});
    let posted = explained(&app, &body);
    let query = "/explain?environment=Test+environment&identifier=carol&trait=age%3D17&trait=plan%3Dgold&feature=shop";
    let got = app.ask_admin(Request::get(query));
    assert_eq!(got.header("content-type"), Some("application/json"));
    assert_eq!(got.header("cache-control"), Some("no-store"));
    assert_eq!(got.json(), posted);
    let failed = &posted["segments"][0]["failed"][0];
    assert_eq!(failed["says"], "age is 17, a number");
    assert_eq!(
        (&failed["rule"], &failed["condition"]),
        (&json!("1.1"), &json!(1))
    );
    // Text, where the document has a number; features have theirs as it is.
    assert_eq!(posted["segments"][0]["id"], "51");
    assert_eq!(posted["features"][0]["segments"][0]["id"], "51");
    assert_eq!(posted["features"][0]["id"], 50);
    assert_eq!(posted["source"]["kind"], "running_proxy");
    assert_eq!(posted["environment_id"], "1");

    let text = app.ask_admin(Request::get(query).header("Accept", "text/plain"));
    assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
    for line in [
        "environment 1, its document of ",
        "Test environment, as a client-side key sees it",
        "shop  on   \"closed\"  DEFAULT",
        "age GREATER_THAN_INCLUSIVE \"18\", in rule 1.1 (ALL > ANY)",
    ] {
        assert!(text.text().contains(line), "{}", text.text());
    }
}

#[test]
fn an_environment_is_known_by_name_id_and_client_side_key() {
    let app = app(&[
        (CLIENT_KEY, Some(document())),
        (OTHER_KEY, Some(other_document("Staging", OTHER_KEY))),
        ("third", None),
    ]);
    for (asked, id) in [
        ("Test environment", "1"),
        ("staging", "2"),
        ("2", "2"),
        (OTHER_KEY, "2"),
    ] {
        let explanation = explained(&app, &json!({"environment": asked}));
        assert_eq!(explanation["environment_id"], id, "{asked}");
    }
    let all = "1 (\"Test environment\"), 2 (\"Staging\"), 3 (without a document yet)";
    // The third may be the one that is meant: its document would name it.
    let why = "; environment 3 (without a document yet): it has no document yet";
    for (body, expected) in [(json!({"environment": "Production"}), 404), (json!({}), 409)] {
        let answer = explain(&app, &body);
        assert_eq!(answer.json()["about"], "environment");
        let (status, message) = refused(&answer);
        assert_eq!(status, expected);
        assert!(message.contains(&format!("{all}{why}")), "{message}");
    }
    let (status, message) = refused(&explain(&app, &json!({"environment": "3"})));
    assert_eq!(status, 503);
    assert!(message.contains("no document yet"), "{message}");
}

/// No document, no name: what has become of the fetches is the answer.
#[test]
fn where_no_document_names_an_environment_it_is_said_why() {
    let app = app(&[("third", None), ("fourth", None)]);
    // Its first look at the file has failed.
    let says_why = |app: &App| {
        let (_, message) = refused(&explain(app, &json!({"environment": "1"})));
        !message.contains("/status")
    };
    app.wait_until_answered(says_why);
    for asked in ["Production", "1"] {
        let answer = explain(&app, &json!({"environment": asked}));
        assert_eq!(answer.json()["about"], "document");
        let (status, message) = refused(&answer);
        assert_eq!(status, 503, "{message}");
        assert!(
            message.starts_with("environment 1 (without a document yet): "),
            "{message}"
        );
        assert!(message.contains("check document_path"), "{message}");
    }
}

/// As `identities/` reads such a query, as Django does, it is another identity's.
#[test]
fn a_query_that_is_no_utf_8_is_refused() {
    let app = one();
    for query in ["identifier=%ff", "identifier=a&trait=plan%3D%ff", "feature=%C3"] {
        let answer = app.ask_admin(Request::get(&format!("/explain?{query}")));
        assert_eq!(answer.json()["about"], "question");
        let (status, message) = refused(&answer);
        assert_eq!(status, 400, "{query}");
        assert!(message.contains("no UTF-8"), "{message}");
    }
    let replaced = app.ask_admin(Request::get("/explain?identifier=%EF%BF%BD"));
    assert_eq!(replaced.json()["identity"]["identifier"], "\u{fffd}");
}

#[test]
fn an_override_of_another_environment_is_found() {
    let app = app(&[
        (CLIENT_KEY, Some(document())),
        (OTHER_KEY, Some(other_document("Staging", OTHER_KEY))),
    ]);
    let explanation = explained(
        &app,
        &json!({"environment": "Test environment", "identifier": "bob"}),
    );
    assert_eq!(explanation["identity"]["overrides"], json!([]));
    assert_eq!(explanation["overridden_elsewhere"], json!(["2 (\"Staging\")"]));
    let notes = explanation["notes"].to_string();
    assert!(notes.contains("overrides in environment 2"), "{notes}");
    let explanation = explained(&app, &json!({"environment": "Staging", "identifier": "bob"}));
    assert_ne!(explanation["identity"]["overrides"], json!([]));
    assert_eq!(explanation["overridden_elsewhere"], json!([]));
    let explanation = explained(&app, &json!({"environment": "Staging", "identifier": "Bob"}));
    assert_eq!(explanation["identity"]["nearest"]["identifier"], "bob");
}

#[test]
fn what_is_wrong_is_said() {
    let app = one();
    for (body, status, says) in [
        ("{", 400, "must be a JSON object"),
        (r#"{"identifer":"a"}"#, 400, "identifier and feature"),
        (r#"{"traits":7}"#, 400, "traits must be"),
        (r#"{"traits":[{"trait_value":7}]}"#, 400, "trait_key"),
        (r#"{"feature":"shopp"}"#, 404, "it has \"shop\": misspelt?"),
        (r#"{"feature":"nothing"}"#, 404, "no feature of this name"),
    ] {
        let (code, message) = refused(&app.ask_admin(Request::post("/explain", body)));
        assert_eq!(code, status, "{body}");
        assert!(message.contains(says), "{body}: {message}");
    }
    let (code, message) = refused(&app.ask_admin(Request::get("/explain?identifer=s3cret")));
    assert_eq!(code, 400);
    assert!(
        message.contains("the parameters are") && !message.contains("s3cret"),
        "{message}"
    );
    let long = "x".repeat(4 * 1024 * 1024);
    assert_eq!(app.ask_admin(Request::post("/explain", long)).status, 413);
    assert_eq!(app.ask_admin(Request::put("/explain", "{}")).status, 405);
    assert_eq!(app.get("/explain").status, 404, "it is not on the public port");
}

#[test]
fn a_heavy_question_holds_up_no_flag_and_is_bounded() {
    let mut document = test_support::documents::with_heavy_segment();
    document["api_key"] = json!(CLIENT_KEY);
    let app = app(&[(CLIENT_KEY, Some(document))]);
    let mut body: Value = serde_json::from_str(&test_support::documents::heavy_identity()).unwrap();
    body.as_object_mut()
        .unwrap()
        .retain(|name, _| name == "identifier" || name == "traits");
    let explanation = explained(&app, &body);
    let notes: Vec<&str> = explanation["segments"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|segment| segment["note"].as_str())
        .collect();
    assert!(
        notes
            .iter()
            .any(|note| note.contains("more work than one request may")),
        "{notes:?}"
    );
    // Such an identity gives way to everything else, so that on a busy machine its turn may not come in time.
    app.wait_until_answered(|app| {
        let identity = Request::post("/api/v1/identities/", body.to_string()).key(CLIENT_KEY);
        let served = app.send(identity);
        if served.status == 503 {
            return false;
        }
        let served = served.json()["flags"].as_array().unwrap().len();
        assert_eq!(served, flags(&explanation).len());
        true
    });
}

#[test]
fn nothing_that_is_asked_is_in_the_log() {
    let proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "DEBUG", "enable_access_log": true}),
        config: json!({"admin": {"port": 0}}),
        ..ProxyOptions::default()
    });
    let body = json!({"identifier": "s3cret-name", "traits": {"s3cret-key": "s3cret-value"}, "environment": CLIENT_KEY});
    let answer = proxy.ask_admin(Request::post("/explain", body.to_string()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let query =
        format!("/explain?environment={CLIENT_KEY}&identifier=s3cret-name&trait=s3cret-key%3Ds3cret-value");
    let answer = proxy.ask_admin(Request::get(&query));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(proxy.ask_admin(Request::get("/explain?s3cret=1")).status, 400);
    // What comes after is in the log, and so would be what came before.
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert_eq!(Connection::open(proxy.address).send(&flags).status, 200);
    proxy.program().wait_for_lines(1, |line| {
        line.contains("access: request") && line.contains("flags")
    });
    let written = proxy.written();
    for secret in ["s3cret", CLIENT_KEY, SERVER_KEY] {
        assert!(!written.contains(secret), "{written}");
    }
}
