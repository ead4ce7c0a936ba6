//! Identities × documents: no pair within the limits takes more steps than stated, and steps are counted in one budget.

use engine::{Document, Environment, Identity, KeyKind, MOST_STEPS};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::config;

/// The conditions that take most: operator, property, value.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("REGEX", "t", "[a-z0-9]*!"),
    ("REGEX", "t", r"(?=(\w|\w)*\1!)"),
    ("REGEX", "t", r"(?i)(?:\b|\B)(?:\w\B)*!"),
    ("REGEX", "u", "(?>(?:(a))*)!"),
    ("PERCENTAGE_SPLIT", "", "0"),
    ("PERCENTAGE_SPLIT", "t", "0"),
    ("CONTAINS", "t", "aaaaaaaaaaaaaaaaaaaaaaab"),
    ("IN", "u", "a,b"),
    ("EQUAL", "u", "1.1.1:semver"),
    ("IS_SET", "$..x", ""),
    ("IS_SET", "$.identity.traits[?match(@,'a*b')]", ""),
    ("IS_SET", "$.identity.traits[?search(@,@)==@]", ""),
    ("IS_SET", "$.identity.traits[?match(@,@)]", ""),
    ("IS_SET", "$.identity.traits[?$.identity.traits[?@==1.5]]", ""),
    ("IS_SET", "$.identity.traits[?$..x==length(@)]", ""),
    ("EQUAL", "$.flags.f1.value", "x"),
    ("EQUAL", "$.flags.f2.value", "x"),
];

fn state(id: usize) -> Value {
    json!({"feature": {"id": id, "name": format!("f{id}"), "type": "STANDARD"}, "enabled": true, "django_id": id,
        "feature_state_value": "v", "multivariate_feature_state_values": [{"id": 1, "percentage_allocation": 50,
            "multivariate_feature_option": {"value": "x", "key": "k"}}]})
}

/// An environment with a segment for each of these lists of conditions.
fn environment(segments: &[Vec<usize>]) -> Environment {
    let segments = segments.iter().zip(1_usize..).map(|(conditions, id)| {
        let conditions = conditions.iter().map(|index| {
            let (operator, property, value) = CONDITIONS[index % CONDITIONS.len()];
            json!({"operator": operator, "property_": property, "value": value})
        });
        let rules = json!([{"type": "NONE", "conditions": conditions.collect::<Vec<_>>()}]);
        json!({"id": id, "name": format!("s{id}"), "rules": rules, "feature_states": [state(id % 3 + 1)]})
    });
    let project = json!({"id": 1, "segments": segments.collect::<Vec<_>>()});
    let document = json!({"id": 1, "api_key": "key", "feature_states": [state(1), state(2), state(3)], "project": project});
    let document = Document::from_pages(vec![document.to_string().into()]).expect("it is a document");
    Environment::compile(&document).expect("it compiles").0
}

/// How many steps an identity takes, with its answer.
fn ask(environment: &Environment, body: &str) -> (Vec<u8>, u32) {
    let identity = Identity::from_json(body.as_bytes(), || [7; 16]).expect("the body is within the limits");
    environment.identity_answer_counted(KeyKind::Server, &identity)
}

/// Texts that engines find hard, up to the longest.
fn text() -> impl Strategy<Value = String> {
    let unit = prop::sample::select(&["a", "ab", "7", "𐐨", "é ", "1.", r"\p{L}", "[a", "(?i)"][..]);
    let length = prop_oneof![3 => 0..40_usize, 1 => 1500..2000_usize];
    (unit, length).prop_map(|(unit, length)| unit.repeat(length).chars().take(length).collect())
}

prop_compose! {
    fn body()(identifier in text(), t in text(), u in text(), others in prop_oneof![3 => 0..10_usize, 1 => 900..998_usize], other in text()) -> String {
        // A thousand of the longest are more than a body may be.
        let other: String = other.chars().take(200).collect();
        let others = (0..others).map(|number| (format!("o{number}"), format!("{other}{number}")));
        let traits: Vec<Value> = [("t".to_owned(), t), ("u".to_owned(), u)]
            .into_iter()
            .chain(others)
            .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
            .collect();
        json!({"identifier": format!("i{identifier}").chars().take(2000).collect::<String>(), "traits": traits}).to_string()
    }
}

/// Whether a condition takes the same steps whatever else is in the document. Flags that are read are resolved once, and `$..`
/// searches the other segments too.
fn is_alone(index: usize) -> bool {
    let (_, property, _) = CONDITIONS[index];
    !property.starts_with("$.flags") && !property.contains("$..")
}

fn segments() -> impl Strategy<Value = Vec<Vec<usize>>> {
    vec(vec(0..CONDITIONS.len(), 1..4), 1..6)
}

proptest! {
    // Most cases take whole budgets, which is long in an unoptimised build.
    #![proptest_config(proptest::test_runner::Config { cases: config().cases.div_ceil(8), ..config() })]

    #[test]
    fn no_pair_takes_more_steps_than_stated(segments in segments(), copies in 1..40_usize, body in body(), other in body()) {
        let copied: Vec<Vec<usize>> = segments.iter().map(|conditions| conditions.repeat(copies)).collect();
        let asked = environment(&copied);
        let (answer, steps) = ask(&asked, &body);
        prop_assert!(steps <= MOST_STEPS);
        let cut = asked.exhausted_evaluations();
        // A segment is cut only where the steps for conditions are spent, and is told of.
        prop_assert!(cut == 0 || steps >= MOST_STEPS / 5 * 4, "{steps} steps, {cut} segments cut");
        prop_assert_eq!(asked.take_exhausted().is_empty(), cut == 0);
        // What was asked before changes neither the answer nor the steps.
        ask(&asked, &other);
        prop_assert_eq!(&ask(&asked, &body), &(answer.clone(), steps));
        prop_assert_eq!(ask(&environment(&copied), &body), (answer, steps));
    }

    #[test]
    fn the_steps_of_segments_add_up(segments in segments(), body in body()) {
        let segments: Vec<Vec<usize>> = segments
            .into_iter()
            .map(|conditions| conditions.into_iter().filter(|index| is_alone(*index)).collect())
            .collect();
        // The multivariate features cost each the same: they are in every environment.
        let none = ask(&environment(&[]), &body).1;
        let each: Vec<u32> = segments.iter().map(|own| ask(&environment(std::slice::from_ref(own)), &body).1 - none).collect();
        let together = ask(&environment(&segments), &body).1 - none;
        let sum = each.iter().sum::<u32>();
        let most = each.iter().copied().max().unwrap_or(0);
        prop_assert!((most..=sum).contains(&together), "{together} of {each:?}");
        // The identity's part of the context, which paths share, is made once.
        let context = 64 * 1000 + u32::try_from(body.len()).unwrap();
        let conditions = MOST_STEPS / 5 * 4;
        prop_assert!(together + context * 6 >= sum.min(conditions), "{together} of {each:?}");
    }
}
