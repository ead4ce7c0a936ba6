//! Generated conditions on one trait, of which most have something to say of its value.
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::generated::OPERATORS;
use super::world::World;

/// Traits and what conditions compare them with, where each has something to say of the other.
fn alike() -> Vec<(&'static [&'static str], Vec<Value>, Vec<Value>)> {
    let texts = |texts: &[&str]| -> Vec<Value> { texts.iter().copied().map(Value::from).collect() };
    let comparisons = &OPERATORS[..6];
    let numbers = vec![
        json!(1),
        json!(2),
        json!("2"),
        json!(1.9),
        json!("1.9"),
        json!(true),
        json!("x"),
        json!(null),
    ];
    vec![
        (comparisons, numbers.clone(), numbers),
        (
            comparisons,
            texts(&["1.2.3", "1.3.0-rc", "v1.2.3", "1.2"]),
            texts(&["1.2.3:semver", "1.2:semver", "1.3.0-rc:semver"]),
        ),
        (
            comparisons,
            vec![json!(true), json!(false), json!("true")],
            vec![json!(true), json!(false), json!("False"), json!("no")],
        ),
        (
            comparisons,
            texts(&["pro", " pro", "Pro", "18 ", "None"]),
            vec![json!("pro"), json!("18"), json!(18), json!(null), json!([18])],
        ),
        (
            &["IN"],
            texts(&["pro", " pro", "Pro", "18", "018"]),
            texts(&[
                "pro,free",
                "free, pro",
                "[\"pro\"]",
                " [\"pro\"]",
                "[\"018\", 18]",
                "018,19",
            ]),
        ),
        (
            &["CONTAINS", "NOT_CONTAINS"],
            texts(&["a pro", "a Pro", "18", "1.3.0-rc", "None"]),
            vec![json!("pro"), json!("rc:semver"), json!(8), json!(null)],
        ),
        (
            &["MODULO", "REGEX", "LIKE"],
            vec![json!(3), json!(2.5), json!("4"), json!("x"), json!(true)],
            vec![
                json!("2|1"),
                json!("2"),
                json!("x|1"),
                json!(0),
                json!("^0"),
                json!(".*"),
            ],
        ),
    ]
}

/// Conditions, each of a segment of its own.
pub(super) fn conditions_on_one_trait() -> impl Strategy<Value = World> {
    let of_kind = |(operators, sent, values): (&'static [&'static str], Vec<Value>, Vec<Value>)| {
        let condition = (select(operators), select(values), any::<bool>());
        (select(sent), vec(condition, 1..5))
    };
    select(alike())
        .prop_flat_map(of_kind)
        .prop_map(|(sent, conditions)| {
            let rules = conditions.into_iter().map(|(operator, value, is_none)| {
            let kind = if is_none { "NONE" } else { "ALL" };
            json!({"type": kind, "conditions": [{"property_": "plan", "operator": operator, "value": value}]})
        });
            let mut world = World::plain("alice", Vec::new(), &rules.collect::<Vec<_>>());
            world.traits.push(("plan".to_owned(), sent));
            world
        })
}
