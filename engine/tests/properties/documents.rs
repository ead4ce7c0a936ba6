//! No document makes anything panic, and whatever is answered is JSON.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;

use super::json::{changed, changes, value};
use super::{config, documents, exercise_document};
use crate::tree::Tree;

static DOCUMENTS: LazyLock<Vec<Tree>> = LazyLock::new(documents);

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_bytes_as_document_panic(bytes in any::<Vec<u8>>()) {
        exercise_document(&bytes);
    }

    #[test]
    fn no_json_value_as_document_panics(json in value()) {
        exercise_document(json.as_bytes());
    }

    #[test]
    fn no_changed_document_panics(which in any::<Index>(), changes in changes()) {
        let document = DOCUMENTS[which.index(DOCUMENTS.len())].clone();
        exercise_document(changed(document, changes).as_bytes());
    }

    #[test]
    fn no_changed_condition_panics(operator in operator(), condition_value in value(), rule_type in rule_type(), property in value()) {
        let condition = format!(r#"{{"operator":{operator},"value":{condition_value},"property_":{property}}}"#);
        let rule = format!(r#"{{"type":{rule_type},"conditions":[{condition}]}}"#);
        exercise_document(with_rules(&rule).as_bytes());
    }
}

fn operator() -> impl Strategy<Value = String> {
    let operators: &[&str] = &[
        "EQUAL",
        "NOT_EQUAL",
        "GREATER_THAN",
        "LESS_THAN_INCLUSIVE",
        "CONTAINS",
        "NOT_CONTAINS",
        "IN",
        "REGEX",
        "MODULO",
        "IS_SET",
        "IS_NOT_SET",
        "PERCENTAGE_SPLIT",
    ];
    prop_oneof![9 => prop::sample::select(operators).prop_map(|name| format!("{name:?}")), 1 => value()]
}

fn rule_type() -> impl Strategy<Value = String> {
    prop_oneof![9 => prop::sample::select(&["\"ALL\"", "\"ANY\"", "\"NONE\""][..]).prop_map(str::to_owned), 1 => value()]
}

/// A document with one segment of these rules, which overrides a feature.
pub(crate) fn with_rules(rules: &str) -> String {
    let feature = r#"{"id":1,"name":"f1","type":"STANDARD"}"#;
    let state = format!(r#"{{"feature":{feature},"enabled":true,"django_id":1,"feature_state_value":"v"}}"#);
    let segment = format!(r#"{{"id":1,"name":"segment","rules":[{rules}],"feature_states":[{state}]}}"#);
    format!(
        r#"{{"id":1,"api_key":"key","name":"environment","feature_states":[{state}],"identity_overrides":[],
            "project":{{"id":1,"name":"project","hide_disabled_flags":false,"segments":[{segment}]}}}}"#
    )
}
