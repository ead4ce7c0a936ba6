//! What is said of a feature: which segments had a say, and where the identity falls among its options.
use engine::explain::{ExplainedFeature, ExplainedSplit, Explanation, Outcome};
use serde_json::{Value, json};

use super::world::{World, compile, identity};
use engine::KeyKind;

pub(super) fn check(world: &World, explanation: &Explanation) {
    for feature in &explanation.features {
        check_candidates(explanation, feature);
        match &feature.split {
            Some(split) if split.bucket.is_some() => {
                check_split(feature, split);
                check_bucket(world, split, feature);
            }
            Some(split) => {
                assert!(explanation.identity.is_none() && split.is_control);
                assert!(feature.because.ends_with("without an identity the control value"));
            }
            None => assert!(!feature.because.contains(" falls at ")),
        }
    }
}

fn check_candidates(explanation: &Explanation, feature: &ExplainedFeature) {
    let says = &feature.because;
    let matching = |outcome: Outcome| matches!(outcome, Outcome::Wins | Outcome::Loses);
    for candidate in &feature.segments {
        let segment = explanation.segments.iter().find(|own| own.id == candidate.id);
        let matches = segment.expect("it is explained").matches;
        assert_eq!(matches, Some(matching(candidate.outcome)), "{says}");
        assert_eq!(
            candidate.lost_to.is_some(),
            candidate.outcome == Outcome::Loses,
            "{says}"
        );
    }
    let priorities = feature.segments.iter();
    let priorities: Vec<f64> = priorities
        .map(|candidate| candidate.priority.unwrap_or(f64::INFINITY))
        .collect();
    assert!(priorities.is_sorted(), "{priorities:?}");
    let count = |wanted: Outcome| {
        feature
            .segments
            .iter()
            .filter(|own| own.outcome == wanted)
            .count()
    };
    let of_a_segment = says.starts_with("segment ");
    assert_eq!(count(Outcome::Wins), usize::from(of_a_segment), "{says}");
    if of_a_segment {
        let first = feature.segments.iter().find(|own| matching(own.outcome));
        assert_eq!(first.map(|own| own.outcome), Some(Outcome::Wins), "{says}");
        let losers = count(Outcome::Loses);
        let claimed = match says.split_once(" and goes before the ") {
            None => 0,
            Some((_, rest)) if rest.starts_with("other one") => 1,
            Some((_, rest)) => rest
                .split(' ')
                .next()
                .expect("a number")
                .parse()
                .expect("a number"),
        };
        assert_eq!(claimed, losers, "{says}");
    }
    if says.contains("does not match") || says.starts_with("none of the") {
        assert_eq!(count(Outcome::DoesNotMatch), feature.segments.len(), "{says}");
    }
    if says.starts_with("nothing overrides it") || says.starts_with("no segment overrides it") {
        assert!(feature.segments.is_empty(), "{says}");
    }
}

fn check_split(feature: &ExplainedFeature, split: &ExplainedSplit) {
    let says = &feature.because;
    let bucket = split.bucket.expect("there is an identity");
    let holds = |option: &&engine::explain::ExplainedOption| option.from <= bucket && bucket < option.below;
    let first = split.options.iter().position(|option| holds(&option));
    let chosen = split.options.iter().position(|option| option.is_chosen);
    assert_eq!(first, chosen, "{says}");
    assert_eq!(split.is_control, chosen.is_none(), "{says}");
    let number = |text: &str| text.parse::<f64>().expect("a number");
    let (_, rest) = says.split_once(" falls at ").expect("it is said");
    let (place, rest) = rest.split_once(" %, ").expect("it is said");
    let place = number(place);
    assert!((place - bucket).abs() < 0.01, "{says}");
    match chosen {
        Some(chosen) => {
            assert_eq!(feature.value.get(), split.options[chosen].value.get(), "{says}");
            let (_, range) = rest.rsplit_once('(').expect("a range");
            let (from, below) = range.split_once(" up to ").expect("a range");
            let below = below.split(' ').next().expect("a number");
            assert!(number(from) <= place && place < number(below), "{says}");
        }
        None => {
            let (_, end) = rest.split_once("the options' ").expect("it is said");
            let end = number(end.split(' ').next().expect("a number"));
            let negative = split.options.iter().any(|option| option.from > option.below);
            assert!(place >= end || negative, "{says}");
        }
    }
}

/// The place is what the engine hashes: an option that ends there is not chosen, and one that ends behind it is.
fn check_bucket(world: &World, split: &ExplainedSplit, feature: &ExplainedFeature) {
    let bucket = split.bucket.expect("there is an identity");
    let django_ids = |states: &[Value]| -> Vec<Value> {
        let named = states
            .iter()
            .filter(|state| state["feature"]["name"] == *feature.name);
        named.map(|state| state["django_id"].clone()).collect()
    };
    let mut ids = django_ids(&world.features);
    for segment in &world.segments {
        ids.extend(django_ids(segment["feature_states"].as_array().expect("states")));
    }
    ids.extend(world.own_states().iter().map(|state| state["django_id"].clone()));
    let body = world.body();
    let is_chosen = |id: &Value, end: f64| {
        let option = json!({"id": 1, "percentage_allocation": end, "multivariate_feature_option": {"value": "chosen", "key": null}});
        let state = json!({
            "feature": {"id": 9, "name": "probe", "type": "STANDARD"}, "enabled": true, "django_id": id,
            "feature_state_value": "control", "multivariate_feature_state_values": [option],
        });
        let (_, environment) = compile(&world.document(&[state], &[]));
        let mut chosen = false;
        environment.evaluate(KeyKind::Server, &identity(&body), |flag| {
            chosen |= &*flag.feature.name == "probe" && flag.value == "\"chosen\"";
        });
        chosen
    };
    // Of whichever of its feature states holds.
    let reproduces = |id: &Value| !is_chosen(id, bucket) && is_chosen(id, bucket.next_up());
    assert!(ids.iter().any(reproduces), "{}", feature.because);
}
