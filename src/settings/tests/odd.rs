//! Every option given every kind of odd value, from the file and from its variable: an answer or an error of one
//! line that shows nothing, never a panic.
use serde_json::{Map, Value, json};

use super::super::schema::{Known, OPTIONS};
use super::{ConfigFile, assert_is_discreet, with};

fn odd_values() -> Vec<Value> {
    let deep = (0..100).fold(json!("secret"), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(0.1),
        json!(u64::MAX),
        json!(i64::MIN),
        json!(f64::MAX),
        json!(f64::MIN_POSITIVE),
        json!(""),
        json!("secret"),
        json!("secret\nsecret"),
        json!("\u{0}\u{1b}[31m\u{2028}"),
        json!("1e400"),
        json!("http://secret:secret@:99999/"),
        json!("http://[::1"),
        json!("é".repeat(10_000)),
        json!([]),
        json!([null, 1, "secret", {}, []]),
        json!([{"client_side_key": [], "server_side_key": {}, "server_side_keys": [null]}]),
        json!([{"client_side_key": "secret", "server_side_keys": {}, "document_path": "\u{0}"}]),
        json!({}),
        json!({"secret": {"secret": 1}, "": null, "a.b": 1}),
        deep,
    ]
}

/// The option's path and all below it.
fn paths(known: &Known, above: &[&'static str], all: &mut Vec<Vec<&'static str>>) {
    let path: Vec<&'static str> = above.iter().copied().chain([known.name]).collect();
    all.push(path.clone());
    known.children.iter().for_each(|child| paths(child, &path, all));
}

fn nested(path: &[&'static str], value: &Value) -> Value {
    path.iter().rev().fold(value.clone(), |inner, name| {
        Value::Object(Map::from_iter([((*name).to_owned(), inner)]))
    })
}

fn check(file: &ConfigFile, variables: &[(&str, &str)]) -> bool {
    match file.load(variables) {
        Ok(loaded) => {
            loaded
                .notices
                .iter()
                .filter(|notice| !notice.message.contains("unknown option"))
                .for_each(|notice| assert_is_discreet(&notice.message));
            assert!(serde_json::from_str::<Value>(&loaded.settings.effective_json()).is_ok());
            true
        }
        Err(error) => {
            assert_is_discreet(&error.to_string());
            false
        }
    }
}

#[test]
fn odd_values_are_answered_or_refused_in_one_line() {
    let mut all = Vec::new();
    OPTIONS.iter().for_each(|known| paths(known, &[], &mut all));
    let (mut accepted, mut refused) = (0, 0);
    for path in &all {
        for value in odd_values() {
            let mut count = |is_accepted| if is_accepted { accepted += 1 } else { refused += 1 };
            count(check(&ConfigFile::of(&with(nested(path, &value))), &[]));
            let (name, below) = path.split_first().unwrap();
            let variable = match nested(below, &value) {
                Value::String(text) => text,
                other => other.to_string(),
            };
            let of_another_kind = ConfigFile::of(&with(json!({*name: []})));
            check(&of_another_kind, &[(name, &variable)]);
            count(check(&ConfigFile::of(&with(json!({}))), &[(name, &variable)]));
        }
    }
    // Both happen, or the values are not odd enough.
    assert!(
        accepted > all.len() && refused > all.len(),
        "{accepted} accepted, {refused} refused"
    );
}
