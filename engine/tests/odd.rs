//! What is said of odd documents and traits, word by word.

use bytes::Bytes;
use engine::explain::{Explanation, Question};
use engine::{Document, Environment, Identity, KeyKind};
use serde_json::{Value, json};

/// Explains what an identity with these traits gets where a segment of these rules overrides a feature.
fn explain(name: &str, rules: &Value, identifier: &str, traits: &Value) -> Explanation {
    let state = |id: u32, name: &str, value: &str| {
        json!({
            "feature": {"id": id, "name": name, "type": "STANDARD"}, "enabled": true, "django_id": id, "feature_state_value": value,
            "feature_segment": {"priority": 1},
        })
    };
    let mut split = state(3, "split", "control");
    split["multivariate_feature_state_values"] = json!([
        {"id": 1, "percentage_allocation": 100, "multivariate_feature_option": {"value": "all", "key": null}},
    ]);
    let document = json!({
        "id": 1, "api_key": "key", "name": name, "feature_states": [state(1, "f", "default"), state(2, "base", "18"), split],
        "project": {"id": 1, "name": "p", "segments": [
            {"id": 1, "name": "segment", "rules": rules, "feature_states": [state(1, "f", "override")]},
        ]},
    });
    let document = Document::from_pages(vec![Bytes::from(document.to_string())]).expect("a document");
    let environment = Environment::compile(&document).expect("it compiles").0;
    let body = json!({"identifier": identifier, "traits": traits}).to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let question = Question {
        kind: KeyKind::Server,
        identity: Some(&identity),
        feature: None,
    };
    environment.explain(&document, question).expect("it explains")
}

fn one(property: &str, operator: &str, value: &Value) -> Value {
    json!([{"type": "ALL", "conditions": [{"property_": property, "operator": operator, "value": value}]}])
}

fn trait_of(key: &str, value: &Value) -> Value {
    json!([{"trait_key": key, "trait_value": value}])
}

/// What is said of the one condition that fails.
fn failed(explanation: &Explanation) -> &str {
    &explanation.segments[0].failed[0].says
}

/// However a condition names what it asks about.
#[test]
fn text_is_read_as_a_number_wherever_it_is_found() {
    for (property, key) in [
        ("age", "age"),
        ("$.identity.traits.age", "age"),
        ("$.identity.traits['age']", "age"),
        ("$['identity'].traits.age", "$['identity'].traits.age"),
        ("$.identity..age", "age"),
        ("$.nope", "$.nope"),
        ("$.[bad", "$.[bad"),
        ("$.identity.identifier", ""),
        ("$.identity['identifier']", ""),
        ("$.environment.name", ""),
        ("$.flags.base.value", ""),
    ] {
        let rules = one(property, "EQUAL", &json!("99"));
        let traits = match key {
            "" => json!([]),
            key => trait_of(key, &json!("18")),
        };
        let explanation = explain("18", &rules, "18", &traits);
        assert_eq!(
            failed(&explanation),
            format!("{property} is \"18\", text that conditions read as the number 18")
        );
        let found = explanation.segments[0].failed[0].found.as_ref().expect("a value");
        assert!(found.is_text_read_as_number, "{property}");
        if !key.is_empty() {
            let number = explain("18", &rules, "18", &trait_of(key, &json!(18)));
            assert_eq!(failed(&number), format!("{property} is 18, a number"));
        }
    }
    let unset = explain(
        "a",
        &one("$.identity.traits['plan']", "EQUAL", &json!("x")),
        "b",
        &trait_of("plann", &json!("x")),
    );
    assert_eq!(
        failed(&unset),
        "$.identity.traits['plan'] is not set; \"plann\" is: misspelt?"
    );
}

#[test]
fn what_is_no_rule_and_no_condition_is_said_to_be_none() {
    for (rules, condition, says) in [
        (json!([7]), None, "the rule cannot be read"),
        (json!(7), None, "the rule cannot be read"),
        (
            json!([{"type": "ALL", "conditions": [7]}]),
            Some(1),
            "the condition cannot be read",
        ),
        (
            json!([{"type": "ALL", "conditions": [{"property_": "a", "operator": "EQUAL"}]}]),
            Some(1),
            "the condition cannot be read",
        ),
    ] {
        let explanation = explain("a", &rules, "b", &json!([]));
        let told = &explanation.segments[0].failed[0];
        assert_eq!(
            (told.condition, told.outcome),
            (condition, "cannot_be_evaluated"),
            "{rules}"
        );
        assert!(told.says.starts_with(says), "{rules}: {}", told.says);
        let text = explanation.to_string();
        assert!(text.contains("rule 1") && !text.contains("()"), "{text}");
    }
    // A condition of no known operator is one all the same.
    let rules = json!([{"type": "NONE", "conditions": [{"property_": "a", "operator": 7, "value": "x"}]}]);
    let explanation = explain("a", &rules, "b", &trait_of("a", &json!("x")));
    assert_eq!(
        explanation.segments[0].held[0].says,
        "a is \"x\", text, so it does not hold, and must not; no such operator is known here: the condition never holds"
    );
}

#[test]
fn what_has_no_name_is_told() {
    let explanation = explain("", &json!([]), "b", &json!([]));
    let text = explanation.to_string();
    assert!(
        text.starts_with("an environment without a name, as a server-side key sees it\n"),
        "{text}"
    );
    let split = &explanation.features[2];
    assert!(
        split
            .because
            .contains(" %, in the option of the value \"all\" (0 up to 100 %)"),
        "{}",
        split.because
    );
    assert!(text.contains("* 0 to 100 %  -  \"all\"\n"), "{text}");
}

/// It takes no value from the identity, wherever it stands.
#[test]
fn null_beside_a_value_does_not_count() {
    let sent = |values: [Value; 3]| values.map(|value| json!({"trait_key": "plan", "trait_value": value}));
    for values in [
        [json!("free"), json!("pro"), json!(null)],
        [json!(null), json!("free"), json!("pro")],
    ] {
        let rules = one("plan", "EQUAL", &json!("x"));
        let explanation = explain("a", &rules, "b", &json!(sent(values)));
        assert_eq!(failed(&explanation), "plan is \"pro\", text");
        let traits = &explanation.identity.as_ref().expect("an identity").traits;
        let told: Vec<(&str, bool)> = traits
            .iter()
            .map(|sent| (sent.value.get(), sent.counts))
            .collect();
        assert_eq!(told, [("\"free\"", false), ("\"pro\"", true), ("null", false)]);
        let text = explanation.to_string();
        for line in [
            "plan  \"free\"  text, and another value of the same key counts\n",
            "plan  \"pro\"   text\n",
            "plan  null    null, and another value of the same key counts\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
    }
    let explanation = explain(
        "a",
        &one("plan", "EQUAL", &json!("x")),
        "b",
        &trait_of("plan", &json!(null)),
    );
    assert_eq!(failed(&explanation), "plan is sent as null, which is not set");
    assert!(explanation.to_string().contains("plan  null  null\n"));
}

#[test]
fn percentages_beyond_numbers_take_in_nobody_or_everybody() {
    for (value, whom) in [("nan", "nobody"), ("inf", "everybody"), ("-inf", "nobody")] {
        let explanation = explain("a", &one("", "PERCENTAGE_SPLIT", &json!(value)), "b", &json!([]));
        let segment = &explanation.segments[0];
        assert_eq!(segment.matches, Some(whom == "everybody"));
        let told = segment
            .failed
            .iter()
            .chain(&segment.held)
            .next()
            .expect("a condition");
        assert!(
            told.says
                .ends_with(&format!(" %, and the percentage {value} takes {whom} in")),
            "{}",
            told.says
        );
        let json = serde_json::to_value(told).expect("JSON");
        assert_eq!(json["split"]["limit"], json!(null));
    }
}

#[test]
fn values_that_are_no_text_are_said_to_be_none() {
    for (operator, value, sent, says) in [
        (
            "NOT_EQUAL",
            json!(false),
            json!(true),
            "a boolean is compared with false as true, for it is no text",
        ),
        (
            "NOT_EQUAL",
            json!(18),
            json!("a"),
            "18 is no text, which the value found is: no comparison holds then, NOT_EQUAL neither",
        ),
        (
            "CONTAINS",
            json!(8),
            json!("a8"),
            "8 is no text, and no text contains it",
        ),
        (
            "NOT_CONTAINS",
            json!(8),
            json!("a8"),
            "8 is compared as the text \"8\"",
        ),
        (
            "GREATER_THAN",
            json!(1.9),
            json!(1),
            "1.9 is read as the whole number 1",
        ),
    ] {
        let explanation = explain("a", &one("plan", operator, &value), "b", &trait_of("plan", &sent));
        let said = failed(&explanation);
        assert!(said.contains(says), "{operator} {value}: {said}");
    }
}
