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
    let matches = |kind: &str| {
        let rule = json!({"type": kind, "conditions": [condition], "rules": []});
        // A percentage split hashes the segment's id.
        let probe = json!({"id": segment["id"], "name": "probe", "rules": [rule], "feature_states": []});
        let (_, environment) = compile(&world.document(&world.features, &[probe]));
        let body = world.body();
        let names = environment.matching_segments(Some(&identity(&body)));
        names == ["probe"]
    };
    match (matches("ALL"), matches("NONE")) {
        (true, false) => Alone::Holds,
        (false, true) => Alone::DoesNotHold,
        (false, false) => Alone::Raises,
        (true, true) => panic!("a condition that holds and does not: {condition}"),
    }
}
