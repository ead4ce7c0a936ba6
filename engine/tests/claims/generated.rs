//! Generated documents and identities, full of what is odd.
use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::world::World;

/// The feature that segments override, and the one that conditions read, which they do not.
const OVERRIDDEN: &str = "feature";
const READ: &str = "base";

pub(super) const OPERATORS: [&str; 13] = [
    "EQUAL",
    "NOT_EQUAL",
    "GREATER_THAN",
    "GREATER_THAN_INCLUSIVE",
    "LESS_THAN",
    "LESS_THAN_INCLUSIVE",
    "CONTAINS",
    "NOT_CONTAINS",
    "IN",
    "REGEX",
    "MODULO",
    "PERCENTAGE_SPLIT",
    "LIKE",
];

const PROPERTIES: [&str; 21] = [
    "plan",
    "plan",
    "age",
    "age",
    "beta",
    "",
    "  ",
    "plna",
    "flagsmith_cohort_1",
    "$.nope",
    "$[bad",
    "$.[bad",
    "$.identity",
    "$.identity.identifier",
    "$.identity.traits.age",
    "$.identity.traits['plan']",
    "$.identity..age",
    "$.identity.key",
    "$.environment.name",
    "$.flags.base.value",
    "$.flags.base.enabled",
];

const KEYS: [&str; 13] = [
    "plan",
    "plan",
    "plan",
    "age",
    "age",
    "age",
    "beta",
    "Plan",
    "plann",
    "  ",
    "$.nope",
    "$.identity.traits.age",
    "flagsmith_cohort_1",
];

const TEXTS: [&str; 40] = [
    "",
    "pro",
    "Pro",
    " pro",
    "pro,free",
    "free, pro",
    "[\"pro\"]",
    " [\"pro\"]",
    "[18, \"a\"]",
    "[bad",
    "18",
    "18.0",
    "018",
    "1_8",
    " 18 ",
    "-5",
    "50",
    "10.002",
    "10.002000400080016",
    "1e5",
    "nan",
    "inf",
    "-inf",
    "true",
    "True",
    "false",
    "False",
    "None",
    "1.2.3:semver",
    "1.2:semver",
    "rc:semver",
    "1.2.3",
    "1.3.0-rc",
    "v1.2.3",
    "2|0",
    "0|0",
    "x|y",
    "p.*o$",
    "^p(",
    "99999999999999999999999999",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![8 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => "[a-z0-9.]{0,6}"]
}

/// A JSON value of a condition or a trait.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        8 => text().prop_map(Value::String),
        2 => (-5i64..120).prop_map(Value::from),
        1 => select(&[0.5, 1.9, 18.0, 50.5, 1e300, 99.99, i64::MAX as f64][..]).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => select(vec![json!([]), json!(["pro", 18]), json!([1.5, null]), json!({}), json!({"a": 1})]),
    ]
}

/// Percentages, many of them where something may fall, or next to that.
fn percentage() -> impl Strategy<Value = Value> {
    // `hashed_percentage` has this many places.
    let place = (0u32..=9998, -1i8..=1).prop_map(|(place, beside)| {
        let place = f64::from(place) / 9998.0 * 100.0;
        match beside {
            -1 => place.next_down(),
            1 => place.next_up(),
            _ => place,
        }
    });
    prop_oneof![
        2 => (0i64..=100).prop_map(Value::from),
        2 => (0i64..=100).prop_map(|percentage| Value::from(percentage.to_string())),
        2 => place.prop_map(Value::from),
        1 => value(),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let written = |(property, operator, value): (&str, &str, Value)| json!({"property_": property, "operator": operator, "value": value});
    let operator = prop_oneof![12 => select(&OPERATORS[..]), 1 => Just("IS_SET"), 1 => Just("IS_NOT_SET")];
    let plain = (select(&PROPERTIES[..]), operator, value()).prop_map(written);
    let by = prop_oneof![2 => Just(""), 1 => Just("plan"), 1 => select(&PROPERTIES[..])];
    let split = (by, Just("PERCENTAGE_SPLIT"), percentage()).prop_map(written);
    let plain = prop_oneof![5 => plain, 1 => split];
    let odd = select(vec![
        json!(7),
        json!([]),
        json!({}),
        json!({"property_": "plan", "operator": "EQUAL"}),
        json!({"property_": "plan", "operator": "IS_SET"}),
        json!({"property_": "plan", "operator": 7, "value": "pro"}),
        json!({"property_": ["plan"], "operator": "EQUAL", "value": "pro"}),
        json!({"property_": null, "property": "plan", "operator": "EQUAL", "value": "pro"}),
    ]);
    prop_oneof![30 => plain, 1 => odd]
}

fn rule_type() -> impl Strategy<Value = Value> {
    prop_oneof![20 => select(&["ALL", "ANY", "NONE"][..]).prop_map(Value::from), 1 => Just(json!("XOR")), 1 => Just(Value::Null)]
}

fn rule() -> impl Strategy<Value = Value> {
    let made = |(kind, conditions, rules): (Value, Vec<Value>, Vec<Value>)| json!({"type": kind, "conditions": conditions, "rules": rules});
    let leaf = (rule_type(), vec(condition(), 0..4), Just(Vec::new())).prop_map(made);
    let odd = select(vec![
        json!(7),
        json!(null),
        json!({"type": "ALL", "conditions": 7}),
        json!({"type": "ANY", "rules": {}}),
        json!({"type": "NONE"}),
        json!(["ALL", []]),
    ]);
    prop_oneof![20 => leaf, 1 => odd].prop_recursive(3, 12, 3, move |inner| {
        (rule_type(), vec(condition(), 0..3), vec(inner, 0..3)).prop_map(made)
    })
}

fn rules() -> impl Strategy<Value = Value> {
    prop_oneof![20 => vec(rule(), 1..3).prop_map(Value::from), 1 => select(vec![json!([]), json!(null), json!(7)])]
}

fn options() -> impl Strategy<Value = Vec<Value>> {
    let weight = prop_oneof![
        (0i64..60).prop_map(Value::from),
        select(&[0.5, 33.333_333, -5.0, 1e300][..]).prop_map(Value::from)
    ];
    let key = select(vec![json!(null), json!("first"), json!("second")]);
    let option = (weight, value(), key).prop_map(
        |(weight, value, key)| json!({"percentage_allocation": weight, "multivariate_feature_option": {"value": value, "key": key}}),
    );
    let options = prop_oneof![2 => Just(Vec::new()), 1 => vec(option, 1..4)];
    options.prop_map(|mut options| {
        for (id, option) in (1..).zip(&mut options) {
            option["id"] = Value::from(id);
        }
        options
    })
}

/// A feature state, without an order.
fn state(name: &'static str, id: i64) -> impl Strategy<Value = Value> {
    (any::<bool>(), value(), options(), 1i64..1000).prop_map(move |(enabled, value, options, django_id)| {
        json!({
            "feature": {"id": id, "name": name, "type": "STANDARD"}, "enabled": enabled, "django_id": django_id,
            "feature_state_value": value, "multivariate_feature_state_values": options,
        })
    })
}

fn segment() -> impl Strategy<Value = Value> {
    let priority = prop_oneof![
        4 => (-2i64..4).prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!(0.5)),
        1 => Just(json!("1")),
    ];
    (rules(), weighted(0.8, (state(OVERRIDDEN, 1), priority))).prop_map(|(rules, own)| {
        let states: Vec<Value> = own
            .map(|(mut state, priority)| {
                state["feature_segment"] = json!({"priority": priority});
                state
            })
            .into_iter()
            .collect();
        json!({"rules": rules, "feature_states": states})
    })
}

pub(super) fn world() -> impl Strategy<Value = World> {
    let traits = vec((select(&KEYS[..]).prop_map(str::to_owned), value()), 0..9);
    let identifier = prop_oneof![
        4 => select(&["alice", "bob", "18", "007", "é"][..]).prop_map(str::to_owned),
        1 => "x[0-9]{1,4}",
    ];
    let features = (state(OVERRIDDEN, 1), state(READ, 2), state("server", 3));
    let own = weighted(0.5, state(OVERRIDDEN, 1));
    let name = select(vec![json!("Odd"), json!("18"), json!(""), json!(null)]);
    let settings = (name, any::<bool>(), any::<bool>());
    (vec(segment(), 1..5), features, identifier, traits, own, settings).prop_map(
        |(mut segments, features, identifier, traits, own, (name, hides_disabled, takes_traits))| {
            for (number, segment) in (1..).zip(&mut segments) {
                segment["id"] = Value::from(number);
                segment["name"] = Value::from(format!("segment {number}"));
            }
            let own = own.into_iter();
            World {
                segments,
                features: vec![features.0, features.1, features.2],
                identifier,
                traits,
                name,
                overrides: own
                    .map(|state| json!({"identifier": "alice", "identity_features": [state]}))
                    .collect(),
                hides_disabled,
                takes_traits,
            }
        },
    )
}
