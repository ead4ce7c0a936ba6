//! Explanations of large documents say as much as people and tools can use, and no more.

use std::fmt::Write as _;

use bytes::Bytes;
use engine::explain::{Explanation, Outcome, Question};
use engine::{Document, Environment, Identity, KeyKind};

const FEATURES: usize = 30;
const SEGMENTS: usize = 1100;
const IDENTITIES: usize = 20_000;

fn state(id: usize, value: &str, priority: usize) -> String {
    format!(
        r#"{{"feature":{{"id":{id},"name":"feature_{id}","type":"STANDARD"}},"enabled":true,"django_id":{id},
        "feature_state_value":"{value}","feature_segment":{{"priority":{priority}}}}}"#
    )
}

fn list(count: usize, element: impl Fn(usize) -> String) -> String {
    let mut list = String::new();
    for number in 0..count {
        let comma = if number == 0 { "" } else { "," };
        let _ = write!(list, "{comma}{}", element(number));
    }
    list
}

/// Every segment overrides every feature; the last one, of the weakest priority, matches.
fn large() -> (Document, Environment) {
    let segment = |id: usize| {
        let conditions = list(50, |number| {
            format!(r#"{{"property_":"plan","operator":"EQUAL","value":"{id}-{number}"}}"#)
        });
        let states = list(FEATURES, |feature| state(feature, "override", id));
        format!(
            r#"{{"id":{id},"name":"segment {id} {:x>300}","rules":[{{"type":"ANY","conditions":[{conditions}]}}],"feature_states":[{states}]}}"#,
            ""
        )
    };
    let page = format!(
        r#"{{"id":1,"api_key":"key","name":"Large","feature_states":[{}],"identity_overrides":[{}],"project":{{"id":1,"name":"p","segments":[{}]}}}}"#,
        list(FEATURES, |id| state(id, "default", 0)),
        list(IDENTITIES, |id| format!(
            r#"{{"identifier":"someone-{}@example.com","identity_features":[{}]}}"#,
            "abcdefghij".repeat(1 + id % 3).split_at(id % 7).1,
            state(id % FEATURES, "own", 0)
        )),
        list(SEGMENTS, segment),
    );
    let document = Document::from_pages(vec![Bytes::from(page)]).expect("a document");
    let environment = Environment::compile(&document).expect("it compiles").0;
    (document, environment)
}

#[test]
fn what_is_beyond_is_counted() {
    let (document, environment) = large();
    let last = SEGMENTS - 1;
    let body = format!(
        r#"{{"identifier":"nobody@example.com","traits":[{{"trait_key":"plan","trait_value":"{last}-7"}}]}}"#
    );
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let explain = |feature: Option<&str>| -> Explanation {
        let question = Question {
            kind: KeyKind::Client,
            identity: Some(&identity),
            feature,
        };
        environment.explain(&document, question).expect("it explains")
    };

    let all = explain(None);
    assert_eq!(all.features.len(), FEATURES);
    for feature in &all.features {
        // The winner stands behind those that are told.
        assert_eq!(feature.segments.len(), 21);
        assert_eq!(feature.segments_left_out, SEGMENTS - 21);
        let winner = feature.segments.last().expect("segments");
        assert_eq!((winner.outcome, winner.id.as_str()), (Outcome::Wins, "1099"));
    }
    assert_eq!(
        (all.segments.len(), all.segments_left_out),
        (1000, SEGMENTS - 1000)
    );
    let first = &all.segments[0];
    assert_eq!((first.failed.len(), first.failed_left_out), (5, 45));
    let text = all.to_string();
    assert!(text.len() < 2_000_000, "{} bytes of text", text.len());
    let json = serde_json::to_vec(&all).expect("JSON");
    assert!(json.len() < 6_000_000, "{} bytes of JSON", json.len());

    let one = explain(Some("feature_7"));
    assert_eq!(one.features.len(), 1);
    assert_eq!(one.features[0].segments.len(), 1001);
    assert_eq!(one.features[0].segments_left_out, SEGMENTS - 1001);
}

/// Traits that are not set are looked for among those that were sent, with one effort for all conditions together: there may be
/// five of each of a thousand segments, and a thousand traits.
#[test]
fn misspelt_traits_are_looked_for_with_a_bounded_effort() {
    const UNSET: usize = 5000;
    let name = "abcdefghijklmnopqrstuvwxyz".repeat(3);
    let segment = |id: usize| {
        let conditions = list(5, |_| {
            format!(r#"{{"property_":"{name}_misspelt","operator":"EQUAL","value":"x"}}"#)
        });
        format!(
            r#"{{"id":{id},"name":"segment {id}","rules":[{{"type":"ANY","conditions":[{conditions}]}}],"feature_states":[{}]}}"#,
            state(1, "override", id)
        )
    };
    let page = format!(
        r#"{{"id":1,"api_key":"key","name":"Unset","feature_states":[{}],"project":{{"id":1,"name":"p","segments":[{}]}}}}"#,
        state(1, "default", 0),
        list(UNSET / 5, segment),
    );
    let document = Document::from_pages(vec![Bytes::from(page)]).expect("a document");
    let environment = Environment::compile(&document).expect("it compiles").0;
    let body = format!(r#"{{"identifier":"a","traits":[{{"trait_key":"{name}_mispelt","trait_value":1}}]}}"#);
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).expect("an identity");
    let question = Question {
        kind: KeyKind::Client,
        identity: Some(&identity),
        feature: None,
    };
    let explanation = environment.explain(&document, question).expect("it explains");
    let failed = explanation.segments.iter().flat_map(|segment| &segment.failed);
    let says: Vec<&str> = failed.map(|condition| &*condition.says).collect();
    assert_eq!(says.len(), UNSET);
    let told = says.iter().filter(|says| says.ends_with("misspelt?")).count();
    assert!((1000..UNSET).contains(&told), "{told} are told");
    assert!(says.iter().all(|says| says.contains("is not set")));
}
