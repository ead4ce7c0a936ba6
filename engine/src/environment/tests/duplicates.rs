//! Objects of a document that have a member twice.
use super::*;

/// The document with a member before each, of the same name (or one that spells it with an escape) and of no use.
fn doubled(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().enumerate().map(|(place, (name, value))| {
                let earlier = if place % 2 == 0 {
                    format!("{:?}", name)
                } else {
                    let first = name.chars().next().unwrap();
                    format!(r#""\u{:04x}{}""#, u32::from(first), &name[first.len_utf8()..])
                };
                format!(r#"{earlier}:[{{"junk":7}}],{name:?}:{}"#, doubled(value))
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(doubled).collect();
            format!("[{}]", elements.join(","))
        }
        other => other.to_string(),
    }
}

/// Every part that the engine reads, all of whose members matter.
fn whole_document() -> Value {
    let metadata = json!({"experiment": {"id": 1}});
    let options = json!([
        {"id": 1, "percentage_allocation": 50, "multivariate_feature_option": {"value": "o", "key": "k"}},
        {"id": null, "mv_fs_value_uuid": "00000000-0000-0000-0000-000000000002", "percentage_allocation": 50.0,
         "multivariate_feature_option": {"value": "p", "key": null}},
    ]);
    let features = json!([
        with(state(1, "a", json!("a")), "metadata", metadata),
        multivariate(2, "b", json!("control"), options),
        with(state(3, "off", json!(3)), "enabled", json!(false)),
        state(4, "hidden", json!(4)),
    ]);
    let rules = json!([{"type": "ALL", "conditions": [], "rules": [
        {"type": "ANY", "conditions": [{"property_": "t", "operator": "EQUAL", "value": "1"}], "rules": []}]}]);
    let segments = json!([
        segment_of(
            1,
            "first",
            rules.clone(),
            json!([prioritised(state(1, "a", json!("first")), json!(2))])
        ),
        segment_of(
            2,
            "second",
            rules,
            json!([prioritised(state(1, "a", json!("second")), json!(1))])
        ),
    ]);
    let mut document = document(features, segments);
    document["identity_overrides"] = json!([identity_override("i", json!([state(2, "b", json!("own"))]))]);
    document["project"]["server_key_only_feature_ids"] = json!([4]);
    document["project"]["hide_disabled_flags"] = json!(true);
    document["project"]["organisation"] = json!({"stop_serving_flags": true});
    document
}

#[test]
fn are_read_as_their_last() {
    let plain = whole_document();
    let page = Bytes::from(doubled(&plain));
    let (environment, warnings) = Environment::compile(&Document::from_pages(vec![page]).unwrap()).unwrap();
    let expected = compile(&plain);
    assert_eq!(warnings, []);
    assert!(environment.stops_serving_flags());
    for kind in [KeyKind::Client, KeyKind::Server] {
        assert_eq!(text(environment.flags(kind)), text(expected.flags(kind)));
        for identifier in ["i", "j", "k", "l", "m"] {
            for sent in [json!(1), json!(2)] {
                let body = identity(identifier, &[("t", sent)]);
                assert_eq!(answer(&environment, kind, &body), answer(&expected, kind, &body));
            }
        }
    }
}
