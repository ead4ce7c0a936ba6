//! Answers in gzip: they hold what the plain ones do.
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{compile, document, segment, state, with};
use crate::{Body, Environment, Identity, KeyKind, LightWork};

fn decoded(gzip: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    MultiGzDecoder::new(gzip).read_to_end(&mut body).expect("gzip");
    body
}

/// The answer to an identity in gzip.
fn gzip_of(environment: &Environment, kind: KeyKind, identity: &Identity<'_>) -> Vec<u8> {
    match environment.identity_answer_gzip(kind, identity, 0) {
        Body::Gzip(gzip) => gzip,
        Body::Plain(_) => panic!("a plain answer"),
    }
}

fn library(body: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory").len()
}

fn value(feature: u64) -> Value {
    match feature % 5 {
        0 => json!("on"),
        1 => json!(42),
        2 => json!(true),
        3 => json!("a longer value of a feature flag"),
        _ => Value::Null,
    }
}

/// Flagsmith's sizing profile, with fewer conditions: segments that override the features whose ids `overrides` tells.
fn sizing(features: u64, segments: u64, overrides: impl Fn(u64) -> Vec<u64>) -> Environment {
    let states: Vec<Value> = (1..=features)
        .map(|id| state(id, &format!("feature_{id}"), value(id)))
        .collect();
    let segments: Vec<Value> = (1..=segments)
        .map(|place| {
            let name = format!("segment_{place}");
            let states = overrides(place).into_iter().map(|id| {
                let value = json!(format!("segment_{place}_value_{id}"));
                with(
                    state(id, &format!("feature_{id}"), value),
                    "feature_segment",
                    json!({"priority": place}),
                )
            });
            segment(place, &name, &name, "yes", states.collect())
        })
        .collect();
    compile(&document(json!(states), json!(segments)))
}

/// An identity of these segments.
fn body(segments: &[u64]) -> String {
    let mut traits = vec![
        json!({"trait_key": "trait_0", "trait_value": 15}),
        json!({"trait_key": "trait_1", "trait_value": "3"}),
        json!({"trait_key": "plan", "trait_value": "pro"}),
    ];
    traits.extend(
        segments
            .iter()
            .map(|place| json!({"trait_key": format!("segment_{place}"), "trait_value": "yes"})),
    );
    json!({"identifier": "somebody_else", "traits": traits}).to_string()
}

/// The sizes of the answer: plain, ours, the library's.
fn sizes(environment: &Environment, segments: &[u64]) -> (usize, usize, usize) {
    let body = body(segments);
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let plain = environment.identity_answer(KeyKind::Client, &identity);
    let gzip = gzip_of(environment, KeyKind::Client, &identity);
    assert_eq!(decoded(&gzip), plain);
    (plain.len(), gzip.len(), library(&plain))
}

/// Fails where ours is longer than so many times the library's.
fn is_at_most(times: f64, environment: &Environment, segments: &[u64]) {
    let (plain, own, library) = sizes(environment, segments);
    let ratio = own as f64 / library as f64;
    println!(
        "{plain} bytes: {own} in gzip, {library} by the library: {ratio:.3}; ready {}",
        environment.gzip_memory()
    );
    assert!(ratio <= times, "{ratio} times as long, {plain} bytes");
}

/// The most that an answer of up to three overridden runs may take, and any.
const FEW_RUNS: f64 = 1.2;
const MANY_RUNS: f64 = 1.4;

#[test]
fn answers_are_not_much_longer_than_the_librarys() {
    is_at_most(FEW_RUNS, &sizing(10, 0, |_| Vec::new()), &[]);
    let environment = sizing(50, 15, |_| (1..=50).collect());
    is_at_most(FEW_RUNS, &environment, &[]);
    is_at_most(FEW_RUNS, &environment, &[7]);
    is_at_most(FEW_RUNS, &environment, &[7, 9]);
}

#[test]
fn overrides_in_runs_cost_little() {
    let environment = sizing(50, 15, |place| vec![place]);
    for segments in [&[7][..], &[7, 12], &[3, 7, 12]] {
        is_at_most(FEW_RUNS, &environment, segments);
    }
    let environment = sizing(10, 3, |place| vec![2 * place]);
    is_at_most(FEW_RUNS, &environment, &[2]);
    is_at_most(FEW_RUNS, &environment, &[1, 2, 3]);
    let environment = sizing(50, 2, |place| (0..25).map(|id| 2 * id + place).collect());
    is_at_most(MANY_RUNS, &environment, &[1]);
    is_at_most(MANY_RUNS, &environment, &[1, 2]);
    let all: Vec<u64> = (1..=15).collect();
    let of_one = |place| (1..=50).filter(|id| id % 15 + 1 == place).collect();
    is_at_most(MANY_RUNS, &sizing(50, 15, of_one), &all);
}

/// A document whose one identity overrides every `step`th of so many features.
fn with_own_overrides(features: u64, step: u64) -> Environment {
    let states: Vec<Value> = (1..=features)
        .map(|id| state(id, &format!("feature_{id}"), value(id)))
        .collect();
    let own: Vec<Value> = (1..=features / step)
        .map(|number| {
            let id = number * step;
            state(id, &format!("feature_{id}"), json!(format!("own_{number}")))
        })
        .collect();
    let mut document = document(json!(states), json!([]));
    document["identity_overrides"] = json!([{"identifier": "somebody_else", "identity_features": own}]);
    compile(&document)
}

#[test]
fn what_identities_override_costs_little() {
    is_at_most(FEW_RUNS, &with_own_overrides(50, 16), &[]);
    is_at_most(MANY_RUNS, &with_own_overrides(50, 1), &[]);
    is_at_most(FEW_RUNS, &with_own_overrides(10, 3), &[]);
    is_at_most(MANY_RUNS, &with_own_overrides(10, 1), &[]);
}

#[test]
fn a_light_answer_is_the_same_or_none() {
    let environment = sizing(10, 3, |place| vec![place]);
    let body = body(&[2]);
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let answer = environment.identity_answer_gzip(KeyKind::Server, &identity, 0);
    assert_eq!(
        environment.light_identity_answer_gzip(KeyKind::Server, &identity, 0, LightWork::Ample),
        Ok(answer)
    );
}

#[test]
fn short_answers_are_plain() {
    let environment = sizing(10, 3, |place| vec![place]);
    let body = body(&[2]);
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let plain = environment.identity_answer(KeyKind::Client, &identity);
    let answer = |least| environment.identity_answer_gzip(KeyKind::Client, &identity, least);
    // The most that an answer may have tells where it is shorter; where that is not enough, its length does.
    for least in [plain.len() + 1, usize::MAX] {
        assert_eq!(answer(least), Body::Plain(plain.clone()));
    }
    assert_ne!(answer(plain.len()), Body::Plain(plain));
}

#[test]
fn what_sends_much_is_answered_plainly() {
    let environment = sizing(10, 0, |_| Vec::new());
    let traits: Vec<_> = (0..8)
        .map(|key| json!({"trait_key": key.to_string(), "trait_value": "v".repeat(1_500)}))
        .collect();
    let body = json!({"identifier": "a", "traits": traits}).to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let plain = environment.identity_answer(KeyKind::Server, &identity);
    assert_eq!(
        environment.identity_answer_gzip(KeyKind::Server, &identity, 0),
        Body::Plain(plain)
    );
}

/// Documents of some features with values that recur, of which segments override some and a client-side key may not see others.
fn with_hidden_features(rng: &mut fastrand::Rng) -> Environment {
    let text = |rng: &mut fastrand::Rng| match rng.u8(0..4) {
        0 => json!("a value that several features have"),
        1 => json!("another value of several"),
        2 => Value::Null,
        _ => json!(format!("own {}", rng.u8(..))),
    };
    let features = rng.u64(3..24);
    let some = |rng: &mut fastrand::Rng| (1..=features).filter(|_| rng.u8(0..3) == 0).collect::<Vec<_>>();
    let named = |id: u64, value| state(id, &format!("feature_{id}"), value);
    let states: Vec<Value> = (1..=features).map(|id| named(id, text(rng))).collect();
    let segments: Vec<Value> = (1..=2)
        .map(|place| {
            let name = format!("segment_{place}");
            let states = some(rng).into_iter().map(|id| {
                with(
                    named(id, text(rng)),
                    "feature_segment",
                    json!({"priority": place}),
                )
            });
            segment(place, &name, &name, "yes", states.collect())
        })
        .collect();
    let own: Vec<Value> = some(rng).into_iter().map(|id| named(id, text(rng))).collect();
    let mut document = document(json!(states), json!(segments));
    document["project"]["server_key_only_feature_ids"] = json!(some(rng));
    if rng.bool() {
        document["identity_overrides"] = json!([{"identifier": "somebody_else", "identity_features": own}]);
    }
    compile(&document)
}

#[test]
fn hidden_features_are_no_source_of_what_is_shown() {
    let mut rng = fastrand::Rng::with_seed(7);
    let mut in_gzip = 0;
    for _ in 0..400 {
        let environment = with_hidden_features(&mut rng);
        for segments in [&[][..], &[1], &[1, 2]] {
            let body = body(segments);
            let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
            for kind in [KeyKind::Client, KeyKind::Server] {
                if let Body::Gzip(gzip) = environment.identity_answer_gzip(kind, &identity, 0) {
                    assert_eq!(decoded(&gzip), environment.identity_answer(kind, &identity));
                    in_gzip += 1;
                }
            }
        }
    }
    assert!(in_gzip > 1_000, "{in_gzip}");
}

/// What an answer is in: gzip of no more than so many times the library's, or plain, which the library compresses.
fn is_short_or_plain(times: f64, environment: &Environment, body: &Value) {
    let body = body.to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let plain = environment.identity_answer(KeyKind::Client, &identity);
    match environment.identity_answer_gzip(KeyKind::Client, &identity, 0) {
        Body::Gzip(gzip) => {
            assert_eq!(decoded(&gzip), plain);
            let ratio = gzip.len() as f64 / library(&plain) as f64;
            assert!(ratio <= times, "{ratio} times as long, {} bytes", plain.len());
        }
        Body::Plain(body) => assert_eq!(body, plain),
    }
}

#[test]
fn long_values_are_left_to_the_library() {
    let long = |bytes: usize| {
        let members: Vec<_> = (0..bytes / 24)
            .map(|member| format!("\"member {member}\":{}", member * 7919))
            .collect();
        json!(format!("{{{}}}", members.join(",")))
    };
    for (features, bytes) in [
        (1, 20_000),
        (2, 20_000),
        (1, 60_000),
        (5, 1_000),
        (40, 300),
        (3, 500_000),
    ] {
        let states: Vec<Value> = (1..=features)
            .map(|id| state(id, &format!("feature_{id}"), long(bytes)))
            .collect();
        let environment = compile(&document(json!(states), json!([])));
        is_short_or_plain(MANY_RUNS, &environment, &json!({"identifier": "a"}));
    }
}

#[test]
fn what_is_just_too_much_is_left_to_the_library_wherever_it_stands() {
    let mut in_gzip = 0;
    for length in 4_030..4_130 {
        let long = || json!("x".repeat(length));
        let short = || json!("a plain banner");
        for (first, second, third) in [
            (long(), short(), short()),
            (short(), long(), short()),
            (short(), short(), long()),
        ] {
            let states = [first, second, third].into_iter().zip(1..);
            let states: Vec<Value> = states
                .map(|(value, id)| state(id, &format!("feature_{id}"), value))
                .collect();
            let own = |id: usize| with(states[id].clone(), "feature_segment", json!({"priority": 1}));
            let overrides = segment(1, "segment_1", "segment_1", "yes", json!([own(0), own(2)]));
            let environment = compile(&document(json!(states), json!([overrides])));
            for segments in [&[][..], &[1]] {
                let body = body(segments);
                let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
                if let Body::Gzip(gzip) = environment.identity_answer_gzip(KeyKind::Client, &identity, 0) {
                    assert_eq!(
                        decoded(&gzip),
                        environment.identity_answer(KeyKind::Client, &identity)
                    );
                    in_gzip += 1;
                }
            }
        }
    }
    assert!(
        (100..500).contains(&in_gzip),
        "{in_gzip} on one side of the bound"
    );
}

#[test]
fn what_makes_gzip_long_is_left_to_the_library() {
    let environment = sizing(20, 0, |_| Vec::new());
    let traits = |count: usize, value: &str| {
        let traits = (0..count).map(|key| json!({"trait_key": format!("k{key}"), "trait_value": value}));
        json!({"identifier": "a", "traits": traits.collect::<Vec<_>>()})
    };
    for body in [
        traits(110, "v"),
        traits(40, "a value"),
        traits(1, &"\u{3042}\u{3044}".repeat(600)),
    ] {
        is_short_or_plain(MANY_RUNS, &environment, &body);
    }
    let environment = sizing(1, 0, |_| Vec::new());
    let body = json!({"identifier": "z".repeat(1_153)}).to_string();
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let answer = environment.identity_answer_gzip(KeyKind::Client, &identity, 0);
    assert!(matches!(answer, Body::Plain(_)), "gzip longer than the body");
}
