//! What holds of every answer.

use std::collections::BTreeSet;

use engine::{Environment, Flag, FlagFeature, Identity, KeyKind};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

use super::{compiled, config, documents};
use crate::tree::Tree;

/// A document, what was compiled of it, its features' names in order, and the ids of its server-key-only features.
struct Compiled {
    environment: Environment,
    names: Vec<String>,
    hidden: BTreeSet<String>,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let all = documents().into_iter().map(|document| {
        let mut names = Vec::new();
        for state in document.get("feature_states").expect("feature states").elements() {
            let name = state
                .get("feature")
                .and_then(|feature| feature.get("name"))
                .and_then(Tree::string)
                .expect("a name");
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let hidden = document
            .get("project")
            .and_then(|project| project.get("server_key_only_feature_ids"));
        let hidden = hidden
            .map(Tree::elements)
            .unwrap_or_default()
            .iter()
            .map(Tree::to_json)
            .collect();
        let environment = compiled(document.to_json().as_bytes()).expect("recorded documents compile");
        Compiled {
            environment,
            names,
            hidden,
        }
    });
    all.collect()
});

/// Traits of scalar types that the HTTP surface takes, as JSON.
fn traits() -> impl Strategy<Value = Vec<(String, String)>> {
    let key = prop_oneof![
        prop::sample::select(
            &[
                "age", "score", "plan", "country", "version", "beta", "email", "x-y"
            ][..]
        )
        .prop_map(str::to_owned),
        "[a-zé$. ]{0,12}",
    ];
    let value = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        (-100i64..100).prop_map(|value| value.to_string()),
        any::<f64>()
            .prop_filter("JSON has no NaN", |value| value.is_finite())
            .prop_map(|value| format!("{value:?}")),
        prop_oneof![any::<String>(), "[0-9.]{1,8}", "[a-z]{0,8}"]
            .prop_filter("2000 characters at most", |text| text.chars().count() <= 2000)
            .prop_map(|text| serde_json::to_string(&text).expect("strings are JSON")),
    ];
    vec((key, value), 0..8)
}

fn body_of(identifier: &str, traits: &[(String, String)]) -> String {
    let traits: Vec<_> = traits
        .iter()
        .map(|(key, value)| {
            format!(
                r#"{{"trait_key":{},"trait_value":{value}}}"#,
                serde_json::to_string(key).unwrap()
            )
        })
        .collect();
    format!(
        r#"{{"identifier":{},"traits":[{}]}}"#,
        serde_json::to_string(identifier).unwrap(),
        traits.join(",")
    )
}

fn answer(environment: &Environment, kind: KeyKind, body: &str) -> String {
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("the body is good");
    String::from_utf8(environment.identity_answer(kind, &identity)).expect("JSON is UTF-8")
}

/// A flag as the API answers it, out of its parts.
fn json_of(flag: &Flag<'_>) -> String {
    let FlagFeature { id, name, r#type } = flag.feature;
    let text = |text: &str| serde_json::to_string(text).expect("strings are JSON");
    let variant = flag.variant.map(|variant| format!(r#","variant":{variant}"#));
    let metadata = flag.metadata.map(|metadata| format!(r#","metadata":{metadata}"#));
    format!(
        r#"{{"feature":{{"id":{id},"name":{},"type":{}}},"enabled":{},"feature_state_value":{}{},"reason":{}{}}}"#,
        text(name),
        text(r#type),
        flag.enabled,
        flag.value,
        variant.unwrap_or_default(),
        text(&flag.reason.to_string()),
        metadata.unwrap_or_default(),
    )
}

/// The flags' names and the ids of their features.
fn flags_of(answer: &Tree) -> Vec<(String, String)> {
    let features = answer.elements().iter().filter_map(|flag| flag.get("feature"));
    features
        .map(|feature| {
            (
                feature.get("name").and_then(Tree::string).unwrap(),
                feature.get("id").unwrap().to_json(),
            )
        })
        .collect()
}

/// Whether the names come in the order of `all`, each once.
fn in_order(names: &[(String, String)], all: &[String]) -> bool {
    let mut rest = all.iter();
    names.iter().all(|(name, _)| rest.any(|other| other == name))
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn flags_come_in_document_order_and_hide_server_key_only_features(
        which in any::<Index>(), identifier in "[a-z0-9]{1,6}", traits in traits(),
    ) {
        let Compiled { environment, names, hidden } = &COMPILED[which.index(COMPILED.len())];
        let body = body_of(&identifier, &traits);
        for kind in [KeyKind::Client, KeyKind::Server] {
            let defaults = Tree::parse(&String::from_utf8(environment.flags(kind)).unwrap());
            let answer = Tree::parse(&answer(environment, kind, &body));
            for flags in [flags_of(&defaults), flags_of(answer.get("flags").unwrap())] {
                prop_assert!(in_order(&flags, names), "{flags:?} are not in the order of {names:?}");
                if kind == KeyKind::Client {
                    prop_assert!(flags.iter().all(|(_, id)| !hidden.contains(id)), "{flags:?} show one of {hidden:?}");
                }
            }
        }
    }

    #[test]
    fn the_parts_of_flags_make_the_answer(which in any::<Index>(), identifier in "[a-z0-9]{1,6}", traits in traits()) {
        let Compiled { environment, .. } = &COMPILED[which.index(COMPILED.len())];
        let body = body_of(&identifier, &traits);
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("the body is good");
        for kind in [KeyKind::Client, KeyKind::Server] {
            let mut flags = Vec::new();
            environment.evaluate(kind, &identity, |flag| flags.push(json_of(&flag)));
            let flags = format!(r#","flags":[{}]}}"#, flags.join(","));
            let answer = answer(environment, kind, &body);
            prop_assert!(answer.ends_with(&flags), "{flags} in {answer}");
        }
    }

    #[test]
    fn identical_requests_get_identical_answers(which in any::<Index>(), identifier in "[a-z0-9]{1,6}", traits in traits()) {
        let Compiled { environment, .. } = &COMPILED[which.index(COMPILED.len())];
        let body = body_of(&identifier, &traits);
        prop_assert_eq!(answer(environment, KeyKind::Client, &body), answer(environment, KeyKind::Client, &body));
        prop_assert_eq!(environment.flags(KeyKind::Client), environment.flags(KeyKind::Client));
    }

    #[test]
    fn the_echo_keeps_types_and_order(which in any::<Index>(), identifier in "[a-z0-9]{1,6}", traits in traits()) {
        let Compiled { environment, .. } = &COMPILED[which.index(COMPILED.len())];
        let answer = Tree::parse(&answer(environment, KeyKind::Client, &body_of(&identifier, &traits)));
        prop_assert_eq!(answer.get("identifier").and_then(Tree::string), Some(identifier));
        let echoed: Vec<_> = answer.get("traits").unwrap().elements().iter().map(|sent| {
            (sent.get("trait_key").and_then(Tree::string).unwrap(), canonical(sent.get("trait_value").unwrap()))
        }).collect();
        let sent: Vec<_> = traits.iter().filter(|(_, value)| value != "null")
            .map(|(key, value)| (key.trim().to_owned(), canonical(&Tree::parse(value)))).collect();
        prop_assert_eq!(echoed, sent);
    }

    #[test]
    fn one_flag_is_the_same_as_among_all(which in any::<Index>(), identifier in "[a-z0-9]{1,6}", traits in traits()) {
        let Compiled { environment, names, .. } = &COMPILED[which.index(COMPILED.len())];
        let body = body_of(&identifier, &traits);
        for kind in [KeyKind::Client, KeyKind::Server] {
            let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
            let all = Tree::parse(&answer(environment, kind, &body));
            let all = all.get("flags").unwrap().elements();
            for name in names {
                let one = environment.identity_flag(kind, &identity, name).map(|one| String::from_utf8(one).unwrap());
                let among_all = all.iter().find(|flag| {
                    flag.get("feature").and_then(|feature| feature.get("name")).and_then(Tree::string).as_ref() == Some(name)
                });
                prop_assert_eq!(one.as_deref().map(|one| Tree::parse(one).to_json()), among_all.map(Tree::to_json));
            }
        }
    }
}

/// Strings by their text, numbers by value and kind: `1` is not `1.0`.
fn canonical(value: &Tree) -> String {
    let json = value.to_json();
    match value.string() {
        Some(text) => format!("{text:?}"),
        None if json.contains(['.', 'e'])
            && json.starts_with(['-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) =>
        {
            format!("{:?}", json.parse::<f64>().unwrap())
        }
        None => json,
    }
}
