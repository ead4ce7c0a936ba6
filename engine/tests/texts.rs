//! What people read: explanations of the cases that come to support, as they are written. `fixtures/explained` holds each; a person
//! has read them. `EDGE_PROXY_WRITE_TEXTS=1` writes them anew.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use engine::explain::{ExplainError, Explanation, Outcome, Question};
use engine::{Document, Environment, Identity, KeyKind};

fn support() -> (Document, Environment) {
    let page = Bytes::from_static(include_bytes!("fixtures/support.json"));
    let document = Document::from_pages(vec![page]).expect("a document");
    let environment = Environment::compile(&document).expect("it compiles").0;
    (document, environment)
}

/// Explains what an identity gets; `traits` is JSON, a list of traits.
fn explain(
    identifier: &str,
    traits: &str,
    feature: Option<&str>,
    kind: KeyKind,
) -> Result<Explanation, ExplainError> {
    let (document, environment) = support();
    let body = format!(r#"{{"identifier":{identifier:?},"traits":{traits}}}"#);
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    environment.explain(
        &document,
        Question {
            kind,
            identity: Some(&identity),
            feature,
        },
    )
}

fn of_client(identifier: &str, traits: &str, feature: Option<&str>) -> Explanation {
    explain(identifier, traits, feature, KeyKind::Client).expect("it explains")
}

fn one_trait(key: &str, value: &str) -> String {
    format!(r#"[{{"trait_key":{key:?},"trait_value":{value}}}]"#)
}

/// Checks a text against the one that is kept under this name.
fn is_as_kept(name: &str, explanation: &Explanation) {
    is_kept(&format!("{name}.txt"), &explanation.to_string());
}

fn is_kept(file: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/explained")
        .join(file);
    if std::env::var_os("EDGE_PROXY_WRITE_TEXTS").is_some() {
        write(&path, text);
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(text == kept, "{file} reads\n{text}\nand was\n{kept}");
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("it is written");
}

#[test]
fn everything_of_one_identity() {
    let traits = r#"[{"trait_key":"plan","trait_value":"pro"},{"trait_key":"age","trait_value":"17"},
        {"trait_key":"beta","trait_value":true},{"trait_key":"country","trait_value":"DE"}]"#;
    let explanation = of_client("alice@example.com", traits, None);
    is_as_kept("everything", &explanation);
    let checkout = &explanation.features[0];
    let outcomes: Vec<_> = checkout
        .segments
        .iter()
        .map(|own| (&*own.name, own.outcome))
        .collect();
    assert_eq!(
        outcomes,
        [
            ("vip customers", Outcome::Wins),
            ("beta testers", Outcome::Loses),
            ("not in Germany", Outcome::DoesNotMatch)
        ]
    );
    assert_eq!(
        checkout.segments[1].lost_to.as_deref(),
        Some("segment \"vip customers\"")
    );
}

#[test]
fn a_trait_of_the_wrong_type() {
    for (name, value) in [
        ("age-as-words", "\"eighteen\""),
        ("age-as-a-sentence", "\"17 years\""),
        ("age-too-low-as-text", "\"17\""),
        ("age-after-a-blank", "\" 18\""),
    ] {
        is_as_kept(
            name,
            &of_client("bob", &one_trait("age", value), Some("alcohol_shop")),
        );
    }
    // Text that looks like a number is read as one: neither the type nor the spelling is at fault.
    for value in ["\"18\"", "18", "18.5"] {
        let explanation = of_client("bob", &one_trait("age", value), Some("alcohol_shop"));
        assert!(explanation.features[0].enabled, "{value}");
    }
    let sent = of_client("bob", &one_trait("plan", "1.0"), Some("checkout_v2"));
    is_as_kept("plan-as-a-number", &sent);
}

#[test]
fn a_trait_whose_name_is_misspelt() {
    is_as_kept(
        "misspelt-trait",
        &of_client("bob", &one_trait("Age", "18"), Some("alcohol_shop")),
    );
    let failed = of_client("bob", &one_trait("aeg", "18"), Some("alcohol_shop"));
    assert!(
        !failed.to_string().contains("misspelt"),
        "of three letters nothing is near"
    );
    let failed = of_client("bob", &one_trait("plann", "\"pro\""), Some("checkout_v2")).to_string();
    assert!(
        failed.contains("plan is not set; \"plann\" is: misspelt?"),
        "{failed}"
    );
}

/// A percentage that is no number splits nothing, whatever there is to split by.
#[test]
fn a_percentage_that_is_no_number() {
    for (property, traits, says) in [
        ("plan", "[]", "there is no plan to split by"),
        (
            "plan",
            r#"[{"trait_key":"plan","trait_value":"pro"}]"#,
            "the percentage \"half\" is no number, so it holds for nobody",
        ),
        (
            "",
            "[]",
            "the percentage \"half\" is no number, so it holds for nobody",
        ),
    ] {
        let page = format!(
            r#"{{"id":1,"api_key":"key","name":"Split","feature_states":[],"project":{{"id":1,"name":"p","segments":[{{"id":1,
            "name":"half","feature_states":[],"rules":[{{"type":"ALL","conditions":[{{"property_":"{property}",
            "operator":"PERCENTAGE_SPLIT","value":"half"}}]}}]}}]}}}}"#
        );
        let document = Document::from_pages(vec![Bytes::from(page)]).expect("a document");
        let environment = Environment::compile(&document).expect("it compiles").0;
        let body = format!(r#"{{"identifier":"bob","traits":{traits}}}"#);
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
        let question = Question {
            kind: KeyKind::Client,
            identity: Some(&identity),
            feature: None,
        };
        let explanation = environment.explain(&document, question).expect("it explains");
        let failed = explanation.segments.iter().flat_map(|segment| &segment.failed);
        let told: Vec<&str> = failed.map(|condition| &*condition.says).collect();
        assert_eq!(told, [says], "{property:?} {traits}");
    }
}

#[test]
fn an_identifier_in_another_case() {
    is_as_kept(
        "identifier-in-another-case",
        &of_client("dana@example.com", "[]", Some("greeting")),
    );
    is_as_kept(
        "identity-override",
        &of_client("Dana@example.com", "[]", Some("greeting")),
    );
}

#[test]
fn a_feature_for_server_side_keys() {
    is_as_kept(
        "server-key-only",
        &of_client("bob", "[]", Some("internal_limits")),
    );
    let explanation = explain("bob", "[]", Some("internal_limits"), KeyKind::Server).expect("it explains");
    assert_eq!(explanation.features[0].hidden, [""; 0]);
}

#[test]
fn a_percentage_just_outside() {
    // Of 3,000 such identifiers these fall nearest to 10 %.
    for (name, identifier) in [("just-outside", "user-665"), ("just-inside", "user-291")] {
        let explanation = of_client(identifier, "[]", Some("new_search"));
        let split = explanation.segments[0].splits[0]
            .split
            .expect("there is an identity");
        assert!((split.bucket - split.limit).abs() < 0.02, "{}", split.bucket);
        assert_eq!(split.bucket > split.limit, name == "just-outside");
        is_as_kept(name, &explanation);
    }
}

#[test]
fn who_is_in_a_cohort_cannot_be_known() {
    is_as_kept("cohort", &of_client("bob@shop.test", "[]", Some("early_access")));
}

#[test]
fn without_an_identity() {
    let (document, environment) = support();
    let question = Question {
        kind: KeyKind::Client,
        identity: None,
        feature: None,
    };
    let explanation = environment.explain(&document, question).expect("it explains");
    is_as_kept("without-an-identity", &explanation);
}

#[test]
fn an_unknown_feature_has_a_neighbour() {
    let error = explain("bob", "[]", Some("checkout-v2"), KeyKind::Client).unwrap_err();
    assert_eq!(
        error,
        ExplainError::UnknownFeature(Some("checkout_v2".to_owned()))
    );
    let error = explain("bob", "[]", Some("nothing like it"), KeyKind::Client).unwrap_err();
    assert_eq!(error, ExplainError::UnknownFeature(None));
}

#[test]
fn the_json_is_what_is_documented() {
    let explanation = of_client(
        "alice@example.com",
        &one_trait("plan", "\"free\""),
        Some("checkout_v2"),
    );
    let json = serde_json::to_string_pretty(&explanation).expect("JSON");
    is_kept("checkout.json", &format!("{json}\n"));
}
