//! Strategies for JSON text, and for what Python takes for JSON, good and bad.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::tree::Tree;

/// Literals that parsers stumble over: the limits of numbers, Python's own, lone surrogates, escapes.
const LITERALS: [&str; 40] = [
    "null",
    "true",
    "false",
    "0",
    "-0",
    "1",
    "-1",
    "0.0",
    "-0.0",
    "1e400",
    "-1e400",
    "1e-400",
    "1E5",
    "1.50",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "18446744073709551616",
    "100000000000000000000000000000000000000000000000000",
    "NaN",
    "Infinity",
    "-Infinity",
    "\"\"",
    "\" \"",
    r#""\ud800""#,
    r#""\udc00\ud800x""#,
    r#""\ud83d\ude00""#,
    r#""\u0000""#,
    r#""\\u12""#,
    "\"é\u{1F600}\"",
    "[]",
    "{}",
    "[null]",
    r#"{"":null}"#,
    r#"{"a":1,"a":2}"#,
    "\"$.identity.traits\"",
    "\"1.2.3:semver\"",
    "\"2|0\"",
    "\"[1,\"",
    "\"(a+)+$\"",
];

/// Any scalar.
pub(crate) fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => select(&LITERALS[..]).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("JSON has no NaN", |number| number.is_finite()).prop_map(|number| format!("{number:?}")),
        1 => "-?[1-9][0-9]{0,60}",
        2 => any::<String>().prop_map(|text| serde_json::to_string(&text).expect("strings are JSON")),
    ]
}

/// Any value, nested a little; [`super::edges`] nests deeply.
pub(crate) fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(4, 24, 4, |inner| {
        let name = prop_oneof![
            select(
                &[
                    "id",
                    "name",
                    "type",
                    "rules",
                    "conditions",
                    "value",
                    "property_",
                    "operator",
                    "feature",
                    "enabled"
                ][..]
            )
            .prop_map(str::to_owned),
            any::<String>(),
        ];
        let member = (name, inner.clone()).prop_map(|(name, value)| {
            format!(
                "{}:{value}",
                serde_json::to_string(&name).expect("strings are JSON")
            )
        });
        prop_oneof![
            vec(inner, 0..4).prop_map(|elements| format!("[{}]", elements.join(","))),
            vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

/// What is done to one part of a value.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Replace(String),
    /// Takes away a child of it.
    Remove(Index),
    /// Adds a child once more.
    Repeat(Index),
}

/// Changes of some parts of a value.
pub(crate) fn changes() -> impl Strategy<Value = Vec<(Index, Change)>> {
    let change = prop_oneof![
        3 => value().prop_map(Change::Replace),
        1 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Repeat),
    ];
    vec((any::<Index>(), change), 1..6)
}

/// The JSON of the value with the changes made.
pub(crate) fn changed(mut tree: Tree, changes: Vec<(Index, Change)>) -> String {
    for (place, change) in changes {
        let count = tree.count();
        let part = tree
            .part(place.index(count))
            .expect("the place is one of the tree's");
        match (change, part) {
            (Change::Replace(json), part) => *part = Tree::Leaf(json),
            (Change::Remove(child), Tree::List(elements)) if !elements.is_empty() => {
                elements.remove(child.index(elements.len()));
            }
            (Change::Remove(child), Tree::Object(members)) if !members.is_empty() => {
                members.remove(child.index(members.len()));
            }
            (Change::Repeat(child), Tree::List(elements)) if !elements.is_empty() => {
                elements.push(elements[child.index(elements.len())].clone());
            }
            (Change::Repeat(child), Tree::Object(members)) if !members.is_empty() => {
                members.push(members[child.index(members.len())].clone());
            }
            _ => {}
        }
    }
    tree.to_json()
}
