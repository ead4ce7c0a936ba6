//! Conditions, each asked alone: in a segment of its own.
use serde_json::{Value, json};

use super::world::{World, compile, identity};

/// What comes of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Alone {
    Holds,
    DoesNotHold,
    Raises,
}

/// Asks a condition of a segment alone.
pub(super) fn alone(world: &World, segment: &Value, condition: &Value) -> Alone {
    let probe = |id: &Value, kind: &str| {
        let rule = json!({"type": kind, "conditions": [condition], "rules": []});
        json!({"id": id, "name": kind, "rules": [rule], "feature_states": []})
    };
    let matching = |probes: &[Value]| -> Vec<String> {
        let (_, environment) = compile(&world.document(&world.features, probes));
        let body = world.body();
        let names = environment.matching_segments(Some(&identity(&body)));
        names.into_iter().map(str::to_owned).collect()
    };
    let id = &segment["id"];
    // A percentage split hashes the segment's id, which no two have.
    let names = match condition["operator"] == "PERCENTAGE_SPLIT" {
        true => [matching(&[probe(id, "ALL")]), matching(&[probe(id, "NONE")])].concat(),
        false => matching(&[probe(&json!("all"), "ALL"), probe(&json!("none"), "NONE")]),
    };
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ALL"] => Alone::Holds,
        ["NONE"] => Alone::DoesNotHold,
        [] => Alone::Raises,
        _ => panic!("a condition that holds and does not: {condition}"),
    }
}
