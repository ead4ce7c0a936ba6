//! Whatever an explanation claims holds: of generated documents every claim is asked of the engine again, in a document that is made for
//! it.
//!
//! # Layout
//! - `world`: generated documents and identities. `alone`: conditions, each asked alone.
//! - `rules`: places and outcomes of conditions, against rules evaluated here. `sentences`: what is said of a condition.
//! - `features`: what is said of a feature, and where it is split.
mod alone;
mod features;
mod rules;
mod sentences;
mod world;

use engine::KeyKind;
use engine::explain::Explanation;
use proptest::prelude::*;
use proptest::test_runner::Config;

use super::explained::explained;
use world::{World, world};

/// Explains the answer of a world's identity, or of nobody. What it says is what is served.
fn explain(world: &World, kind: KeyKind) -> Explanation {
    let (document, environment) = world.compile();
    let body = world.body();
    let (explanation, difference) = explained(&environment, &document, kind, Some(&world::identity(&body)));
    assert_eq!(difference, None);
    explanation
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_claim_holds(world in world()) {
        let explanation = explain(&world, KeyKind::Server);
        rules::check(&world, &explanation);
        sentences::check(&world, &explanation);
        features::check(&world, &explanation);
        features::check(&world, &explain(&world, KeyKind::Client));
    }
}
