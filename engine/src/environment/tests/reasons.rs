//! What flags of identities say beside their values: `reason` and `metadata`.
use super::*;

/// Core's metadata of a feature state in an experiment.
fn experiment(id: u64) -> Value {
    json!({"experiment": {"id": id, "name": "a \"b\" },{", "in_experiment": true}})
}

fn marked(state: Value, id: u64) -> Value {
    with(state, "metadata", experiment(id))
}

/// One feature for each reason; each feature state has metadata of its own.
fn environment() -> Environment {
    let options = |percentage: f64| {
        json!([
            option(1, json!("o"), json!("blue"), json!(percentage)),
            option(2, json!({"}": "]"}), json!(null), json!(0))
        ])
    };
    let features = json!([
        marked(state(1, "static", json!("},\"")), 1),
        marked(state(2, "default", json!({"a": [{"]": "}"}]})), 2),
        marked(state(3, "segment", json!(1.5)), 3),
        marked(multivariate(4, "split", json!("c"), options(50.0)), 4),
        marked(multivariate(5, "control", json!("c"), options(0.0)), 5),
        marked(state(6, "own", json!(null)), 6),
        marked(state(7, "other's", json!(true)), 7),
    ]);
    let segments = json!([
        segment(
            1,
            "in \"it\"",
            "plan",
            "pro",
            json!([
                marked(state(3, "segment", json!([])), 33),
                state(6, "own", json!(6))
            ])
        ),
        segment(
            2,
            "not in",
            "plan",
            "free",
            json!([marked(state(2, "default", json!(0)), 22)])
        ),
    ]);
    let mut document = document(features, segments);
    document["identity_overrides"] = json!([
        identity_override("i", json!([marked(state(6, "own", json!("mine")), 66)])),
        identity_override("j", json!([state(7, "other's", json!(0))])),
    ]);
    compile(&document)
}

#[test]
fn are_part_of_the_answer() {
    let environment = environment();
    let body = identity("i", &[("plan", json!("pro"))]);
    let answer = answer(&environment, KeyKind::Client, &body);
    let reason = |reason: &str| json!(reason);
    let expected = [
        ("static", reason("STATIC"), experiment(1)),
        ("default", reason("DEFAULT"), experiment(2)),
        (
            "segment",
            reason("TARGETING_MATCH; segment=in \"it\""),
            experiment(33),
        ),
        ("split", reason("SPLIT; weight=50.0"), experiment(4)),
        ("control", reason("STATIC"), experiment(5)),
        (
            "own",
            reason("TARGETING_MATCH; segment=identity_overrides"),
            json!(null),
        ),
        ("other's", reason("DEFAULT"), experiment(7)),
    ];
    let flags = answer["flags"].as_array().unwrap();
    assert_eq!(flags.len(), expected.len());
    for (flag, (name, reason, metadata)) in flags.iter().zip(expected) {
        assert_eq!(
            (&flag["feature"]["name"], &flag["reason"], &flag["metadata"]),
            (&json!(name), &reason, &metadata)
        );
    }
    assert!(!flags[5].as_object().unwrap().contains_key("metadata"));
    let variants: Vec<_> = [3, 4].map(|place: usize| &flags[place]["variant"]).into();
    assert_eq!(variants, ["blue", "control"]);
}

/// Whoever makes a flag's bytes, they say the same.
#[test]
fn are_the_same_in_every_form() {
    let environment = environment();
    for (identifier, plan) in [("i", "pro"), ("j", "free"), ("k", ""), ("l", "pro")] {
        let body = identity(identifier, &[("plan", json!(plan))]);
        let answer = answer(&environment, KeyKind::Server, &body);
        let body = body.to_string();
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
        let flags = evaluated(&environment, &identity);
        for (flag, answered) in flags.iter().zip(answer["flags"].as_array().unwrap()) {
            let metadata = flag
                .metadata
                .map_or(json!(null), |json| serde_json::from_str(json).unwrap());
            let value: Value = serde_json::from_str(flag.value).unwrap();
            assert_eq!(
                (&answered["feature_state_value"], &answered["metadata"]),
                (&value, &metadata)
            );
            assert_eq!(answered["reason"], flag.reason.to_string());
            let single = environment
                .identity_flag(KeyKind::Server, &identity, &flag.feature.name)
                .unwrap();
            assert_eq!(&serde_json::from_slice::<Value>(&single).unwrap(), answered);
        }
    }
}

#[test]
fn are_never_part_of_flags_without_an_identity() {
    let environment = environment();
    let flags: Value = serde_json::from_slice(&environment.flags(KeyKind::Server)).unwrap();
    let values = ["},\"", "", "", "c", "c", "", ""];
    for (place, (flag, value)) in flags.as_array().unwrap().iter().zip(values).enumerate() {
        let mut members: Vec<_> = flag.as_object().unwrap().keys().collect();
        members.sort_unstable();
        assert_eq!(members, ["enabled", "feature", "feature_state_value"], "{place}");
        if !value.is_empty() {
            assert_eq!(flag["feature_state_value"], value);
        }
        let name = flag["feature"]["name"].as_str().unwrap();
        let single = environment.flag(KeyKind::Server, name).unwrap();
        assert_eq!(&serde_json::from_slice::<Value>(&single).unwrap(), flag);
    }
}

#[test]
fn metadata_is_passed_through_whole_or_left_out() {
    let page = |metadata: &str| {
        format!(
            r#"{{"id":1,"name":"N","api_key":"key","project":{{}},"feature_states":[
            {{"feature":{{"id":1,"name":"a"}},"enabled":true,"feature_state_value":1{metadata}}}]}}"#
        )
    };
    let cases = [
        ("", ""),
        (r#","metadata":null"#, ""),
        (r#","metadata":{}"#, ""),
        (r#","metadata":{ }"#, ""),
        (r#","metadata":[1]"#, ""),
        (r#","metadata":"x""#, ""),
        (r#","metadata":7"#, ""),
        (
            r#","metadata":{ "b" : [ 1.50, "a b" ], "a" : { } }"#,
            r#","metadata":{"b":[1.50,"a b"],"a":{}}"#,
        ),
    ];
    for (metadata, expected) in cases {
        let document = Document::from_pages(vec![Bytes::from(page(metadata))]).unwrap();
        let (environment, warnings) = Environment::compile(&document).unwrap();
        assert_eq!(warnings, []);
        let identity = Identity::from_query(Some("i"), || [0; 16]).unwrap();
        let flag = environment
            .identity_flag(KeyKind::Client, &identity, "a")
            .map(text);
        let feature =
            r#""feature":{"id":1,"name":"a","type":"STANDARD"},"enabled":true,"feature_state_value":1"#;
        assert_eq!(
            flag,
            Some(format!(r#"{{{feature},"reason":"STATIC"{expected}}}"#))
        );
        assert_eq!(
            text(environment.flags(KeyKind::Client)),
            format!("[{{{feature}}}]")
        );
    }
}

/// What the engine does not know stays in the served document and disturbs nothing.
#[test]
fn need_no_member_that_is_known() {
    let unknown = json!({"deep": [[{"x": null}]], "enabled": 1});
    let state = with(marked(state(1, "a", json!(1)), 1), "unknown", unknown.clone());
    let mut own = segment(
        1,
        "s",
        "t",
        "1",
        json!([with(state.clone(), "enabled", json!(false))]),
    );
    own["unknown"] = unknown.clone();
    own["rules"][0]["unknown"] = unknown.clone();
    own["rules"][0]["conditions"][0]["unknown"] = unknown.clone();
    let mut document = document(json!([state]), json!([own]));
    document["unknown"] = unknown.clone();
    document["project"]["unknown"] = unknown;
    let flags = answer(
        &compile(&document),
        KeyKind::Client,
        &identity("i", &[("t", json!(1))]),
    )["flags"]
        .take();
    assert_eq!(
        (&flags[0]["enabled"], &flags[0]["metadata"]),
        (&json!(false), &experiment(1))
    );
    let read = Document::from_pages(vec![Bytes::from(document.to_string())]).unwrap();
    let served: Value = serde_json::from_slice(&read.to_json(crate::UpdatedAt::from_micros(0))).unwrap();
    for (member, value) in document.as_object().unwrap() {
        assert_eq!(&served[member], value, "{member}");
    }
}
