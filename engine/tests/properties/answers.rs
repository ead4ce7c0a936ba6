//! The bytes of flags, whatever their values, metadata and segments' names are.

use engine::{Identity, KeyKind};
use proptest::prelude::*;
use serde_json::value::RawValue;

use super::json::value;
use super::{compiled, config};

/// Any value that is JSON to us too.
fn good() -> impl Strategy<Value = String> {
    value().prop_filter("Python's own", |json| {
        serde_json::from_str::<&RawValue>(json).is_ok()
    })
}

/// What is a feature state's metadata, or nothing of the kind.
fn metadata() -> impl Strategy<Value = String> {
    prop_oneof![
        good(),
        (any::<String>(), good()).prop_map(|(name, value)| format!("{{{}:{value}}}", string(&name))),
    ]
}

fn string(text: &str) -> String {
    serde_json::to_string(text).expect("strings are JSON")
}

fn state(id: u32, value: &str, metadata: &str, more: &str) -> String {
    format!(
        r#"{{"feature":{{"id":{id},"name":"f{id}","type":"STANDARD"}},"enabled":true,"django_id":{id},
        "feature_state_value":{value},"metadata":{metadata}{more}}}"#
    )
}

/// The start of a flag, its value and its variant, where it has one.
fn flag(id: u32, value: &str, variant: &str) -> String {
    let start = format!(r#"{{"feature":{{"id":{id},"name":"f{id}","type":"STANDARD"}},"enabled":true"#);
    format!(r#"{start},"feature_state_value":{value}{variant}"#)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn hold_every_part_as_it_came(
        values in prop::array::uniform5(good()), metadata in metadata(), name in any::<String>(),
    ) {
        let [default, segment, own, option, control] = &values;
        let is_metadata = metadata.starts_with('{') && metadata != "{}";
        let shown = if is_metadata { format!(r#","metadata":{metadata}"#) } else { String::new() };
        let options = |share: u32| format!(
            r#","multivariate_feature_state_values":[{{"id":1,"percentage_allocation":{share},"multivariate_feature_option":{{"value":{option},"key":{}}}}}]"#,
            string(&name),
        );
        let document = format!(
            r#"{{"id":1,"name":"N","api_key":"key","feature_states":[{},{},{},{},{}],"project":{{"segments":[
            {{"id":1,"name":{},"rules":[{{"type":"ALL"}}],"feature_states":[{}]}}]}},
            "identity_overrides":[{{"identifier":"i","identity_features":[{}]}}]}}"#,
            state(1, default, &metadata, ""), state(2, default, "null", ""), state(3, default, "null", ""),
            state(4, control, &metadata, &options(100)), state(5, control, &metadata, &options(0)), string(&name),
            state(2, segment, &metadata, ""), state(3, own, &metadata, ""),
        );
        let environment = compiled(document.as_bytes()).expect("a document");
        let variant = format!(r#","variant":{}"#, string(&name));
        let segment_reason = string(&format!("TARGETING_MATCH; segment={name}"));
        let flags = [
            format!(r#"{},"reason":"STATIC"{shown}}}"#, flag(1, default, "")),
            format!(r#"{},"reason":{segment_reason}{shown}}}"#, flag(2, segment, "")),
            format!(r#"{},"reason":"TARGETING_MATCH; segment=identity_overrides"}}"#, flag(3, own, "")),
            format!(r#"{},"reason":"SPLIT; weight=100"{shown}}}"#, flag(4, option, &variant)),
            format!(r#"{},"reason":"STATIC"{shown}}}"#, flag(5, control, r#","variant":"control""#)),
        ];
        let identity = Identity::from_query(Some("i"), || [0; 16]).expect("an identity");
        let answer = String::from_utf8(environment.identity_answer(KeyKind::Client, &identity)).expect("UTF-8");
        prop_assert_eq!(answer, format!(r#"{{"identifier":"i","traits":[],"flags":[{}]}}"#, flags.join(",")));
        let defaults = [(1, default), (2, default), (3, default), (4, control), (5, control)];
        let defaults = defaults.map(|(id, value)| format!("{}}}", flag(id, value, "")));
        let body = String::from_utf8(environment.flags(KeyKind::Client)).expect("UTF-8");
        prop_assert_eq!(body, format!("[{}]", defaults.join(",")));
        let mut parts = Vec::new();
        environment.evaluate(KeyKind::Client, &identity, |flag| {
            parts.push((flag.value.to_owned(), flag.metadata.map(str::to_owned)));
        });
        let metadata = is_metadata.then_some(metadata);
        let expected = [(default, &metadata), (segment, &metadata), (own, &None), (option, &metadata), (control, &metadata)];
        prop_assert_eq!(parts, expected.map(|(value, metadata)| (value.clone(), metadata.clone())));
    }
}
