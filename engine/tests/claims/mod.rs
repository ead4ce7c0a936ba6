//! Whatever an explanation claims holds: of generated documents every claim is asked of the engine again, in a document that is made for
//! it.
//!
//! # Layout
//! - `world`: documents and identities; `generated` and `alike`: those that are generated. `alone`: conditions, each asked alone.
//! - `rules`: places and outcomes of conditions, against rules evaluated here. `sentences`: what is said of a condition.
//! - `features`: what is said of a feature, and where it is split.
mod alike;
mod alone;
mod features;
mod generated;
mod rules;
mod sentences;
mod world;

use engine::KeyKind;
use engine::explain::Explanation;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::explained::explained;
use alike::conditions_on_one_trait;
use generated::world;
use serde_json::{Value, json};
use world::World;

/// Explains the answer of a world's identity, or of nobody. What it says is what is served.
fn explain(world: &World, kind: KeyKind, has_identity: bool) -> Explanation {
    let (document, environment) = world.compile();
    let body = world.body();
    let identity = world::identity(&body);
    let identity = has_identity.then_some(&identity);
    let (explanation, difference) = explained(&environment, &document, kind, identity);
    assert_eq!(difference, None);
    explanation
}

proptest! {
    // Each case asks the engine some hundred times: 2,000 would take minutes.
    #![proptest_config(Config { failure_persistence: None, cases: Config::default().cases.min(600), ..Config::default() })]

    #[test]
    fn every_claim_holds(world in world()) {
        for kind in [KeyKind::Server, KeyKind::Client] {
            let explanation = explain(&world, kind, true);
            let seen = world.as_seen_by(kind);
            rules::check(&seen, &explanation);
            sentences::check(&seen, &explanation);
            features::check(&seen, &explanation);
        }
        features::check(&world, &explain(&world, KeyKind::Client, false));
    }

    #[test]
    fn what_surprises_is_so(world in conditions_on_one_trait()) {
        let explanation = explain(&world, KeyKind::Server, true);
        rules::check(&world, &explanation);
        sentences::check(&world, &explanation);
    }
}

/// Percentages next to this one, and as people may write it.
fn beside(place: f64) -> Vec<f64> {
    let rounded = [1e2, 1e3, 1e4, 1e5, 1e6].map(|unit| (place * unit).round() / unit);
    let mut beside = vec![place, place.next_down(), place.next_up()];
    for step in [1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12] {
        beside.extend([place - step, place + step]);
    }
    beside.extend(rounded);
    beside
}

/// However near to the end of what holds.
#[test]
fn where_an_identity_falls_is_told_however_near_to_an_end() {
    let split = |limit: f64| json!({"type": "ALL", "conditions": [{"property_": "", "operator": "PERCENTAGE_SPLIT", "value": limit}]});
    for number in 0..40 {
        let identifier = format!("x{number}");
        let first = World::plain(&identifier, Vec::new(), &[split(50.0)]);
        let first = explain(&first, KeyKind::Server, true);
        let bucket = first.segments[0].splits[0].split.expect("an identity").bucket;
        for limit in beside(bucket) {
            let world = World::plain(&identifier, Vec::new(), &[split(limit)]);
            sentences::check(&world, &explain(&world, KeyKind::Server, true));
        }
        let feature = |below: f64| -> Vec<Value> {
            let option = |id: u32, weight: f64| json!({"id": id, "percentage_allocation": weight, "multivariate_feature_option": {"value": id, "key": "k"}});
            vec![json!({
                "feature": {"id": 1, "name": "f", "type": "STANDARD"}, "enabled": true, "django_id": 7, "feature_state_value": "c",
                "multivariate_feature_state_values": [option(1, below), option(2, (100.0 - below) / 2.0)],
            })]
        };
        let first = explain(
            &World::plain(&identifier, feature(50.0), &[]),
            KeyKind::Server,
            true,
        );
        let split = first.features[0].split.as_ref().expect("options");
        for below in beside(split.bucket.expect("an identity")) {
            let world = World::plain(&identifier, feature(below), &[]);
            features::check(&world, &explain(&world, KeyKind::Server, true));
        }
    }
}
