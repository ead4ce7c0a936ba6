use proptest::prelude::*;

use super::{Node, PathError, Query};
use crate::condition::regex::Room;
use crate::condition::{Budget, Raised};
use crate::python::PyValue;

fn context() -> PyValue {
    let text = r#"{
        "environment": {"key": "e", "name": "n"},
        "identity": {"identifier": "i", "key": "k", "traits": {
            "zed": 1, "x-y": 2, "é": 2.5, "a b": "s", "off": false, "none": null, "empty": "", "zero": 0
        }},
        "features": {
            "f1": {"name": "f1", "enabled": true, "variants": [
                {"value": "x", "weight": 10}, {"value": "y", "weight": 20.0}, {"value": 1, "weight": true}
            ]},
            "f0": {"name": "f0", "enabled": false, "nested": [[1, 2], [3], [true, 2]]}
        },
        "segments": {}
    }"#;
    PyValue::from_json_text(text).unwrap()
}

fn outcome(path: &str, context: &PyValue) -> String {
    match Query::parse(path, &mut Room::default()) {
        Err(PathError::Syntax) => "trait".to_owned(),
        Err(PathError::Raised) => "raises".to_owned(),
        Ok(query) => match query.first(Node::Value(context), &Budget::new()) {
            Err(Raised) => "spent".to_owned(),
            Ok(None) => "nothing".to_owned(),
            Ok(Some(found)) => {
                let listed = PyValue::List(vec![found.clone()]).text();
                listed[1..listed.len() - 1].to_owned()
            }
        },
    }
}

#[test]
fn finds_what_the_reference_finds() {
    let context = context();
    for (path, expected) in RECORDED {
        assert_eq!(outcome(path, &context), expected, "{path}");
    }
}

#[test]
fn bounds_the_search() {
    let deep = format!("{}1{}", "[".repeat(99), "]".repeat(99));
    let wide = PyValue::from_json_text(&format!("[{}[7]]", "[0,1,2,3],".repeat(1000))).unwrap();
    let deep = PyValue::from_json_text(&deep).unwrap();
    let deeper = PyValue::List(vec![PyValue::List(vec![deep.clone()])]);
    assert_eq!(outcome("$..[?@==1]", &deep), "1");
    assert_eq!(
        outcome("$..[?@==1]", &deeper),
        "nothing",
        "the library gives up past 100 levels"
    );
    assert_eq!(outcome("$[?@[0]==7][0]", &wide), "7");
    assert_eq!(
        outcome("$[?$[?$[?@==9]]]", &wide),
        "spent",
        "a billion comparisons"
    );
}

#[test]
fn bounds_nesting() {
    let context = context();
    for (start, nested) in [
        ("$.a", "[?@"),
        ("$.a[?", "!"),
        ("$.a[?", "("),
        ("$.a[?", "length("),
        ("$.a[?", "@=="),
    ] {
        let path = format!("{start}{}", nested.repeat(100_000));
        assert_eq!(outcome(&path, &context), "raises", "{nested}");
    }
    assert_eq!(
        outcome(&format!("$.a{}", ".a".repeat(100_000)), &context),
        "nothing"
    );
}

proptest! {
    #[test]
    fn no_path_panics(path in r#"\$\.[a-c.\[\]'"?@$*:,0-9()!=<>&|\\ é-]{0,24}"#) {
        outcome(&path, &context());
    }
}

/// Paths with what `jsonpath-rfc9535` 0.2.0 finds first: the value's `repr`, `nothing`, `raises`, or `trait` where it is
/// no path.
#[rustfmt::skip]
const RECORDED: [(&str, &str); 104] = [
    ("$.identity.traits.*", "1"),
    ("$.identity.traits['a b']", "'s'"),
    ("$.identity.traits.x-y", "2"),
    ("$.identity.traits.é", "2.5"),
    ("$.identity.traits.😀", "trait"),
    ("$.identity.traits.-a", "trait"),
    ("$.identity.traits['\\u00e9']", "2.5"),
    ("$.identity.traits['\\ud83d']", "trait"),
    ("$.identity.traits[\"zed\"]", "1"),
    ("$.identity.traits['a\\'b']", "nothing"),
    ("$.identity.traits['a\\\"b']", "trait"),
    ("$.identity.traits['tab\\t']", "nothing"),
    ("$.identity.traits['none','zed']", "None"),
    ("$ .identity.key", "'k'"),
    ("$.identity .key", "'k'"),
    ("$. identity", "trait"),
    ("$.identity. key", "trait"),
    ("$.identity.key ", "trait"),
    ("$.identity[ 'key' ]", "'k'"),
    ("$.identity[]", "trait"),
    ("$.identity['key'", "trait"),
    ("$.identity['key',]", "trait"),
    ("$.identity.", "trait"),
    ("$..key", "'e'"),
    ("$.. key", "trait"),
    ("$..[0]", "{'value': 'x', 'weight': 10}"),
    ("$..*", "{'key': 'e', 'name': 'n'}"),
    ("$..", "trait"),
    ("$.features.*.name", "'f1'"),
    ("$.features..value", "'x'"),
    ("$.features.f1.variants[0].value", "'x'"),
    ("$.features.f1.variants[-1].value", "1"),
    ("$.features.f1.variants[3]", "nothing"),
    ("$.features.f1.variants[-4]", "nothing"),
    ("$.features.f1.variants[01]", "trait"),
    ("$.features.f1.variants[-0]", "trait"),
    ("$.features.f1.variants[1:].value", "'y'"),
    ("$.features.f1.variants[::-1].value", "1"),
    ("$.features.f1.variants[5:0:-2].value", "1"),
    ("$.features.f1.variants[:0:-1].value", "1"),
    ("$.features.f1.variants[1 : 2 : 1].value", "'y'"),
    ("$.features.f1.variants[::0]", "nothing"),
    ("$.features.f1.variants[9007199254740992]", "raises"),
    ("$.features.f1.variants[0,1].value", "'x'"),
    ("$.features.f1.variants['value']", "nothing"),
    ("$.features.f1.variants[?@.weight>10].value", "'y'"),
    ("$.features.f1.variants[?@.weight==20].value", "'y'"),
    ("$.features.f1.variants[?@.weight>=20.0].value", "'y'"),
    ("$.features.f1.variants[?@.weight==1].value", "nothing"),
    ("$.features.f1.variants[?@.weight==true].value", "1"),
    ("$.features.f1.variants[?@.weight<2].value", "1"),
    ("$.features.f1.variants[?@.value!='x'].value", "'y'"),
    ("$.features.f1.variants[?@.value>'x'].value", "'y'"),
    ("$.features.f1.variants[?@.missing].value", "nothing"),
    ("$.features.f1.variants[?!@.missing].value", "'x'"),
    ("$.features.f1.variants[?@.missing==null].value", "nothing"),
    ("$.features.f1.variants[?@.missing==@.other].value", "'x'"),
    ("$.features.f1.variants[?@.value=='y'||@.value=='x'].weight", "10"),
    ("$.features.f1.variants[?@.value=='y'&&@.weight==20].weight", "20.0"),
    ("$.features.f1.variants[?(@.value=='y'||@.weight==10)&&@.value!='x'].weight", "20.0"),
    ("$.features.f1.variants[?!(@.value=='x')].value", "'y'"),
    ("$.features.f1.variants[?!@.value=='x']", "nothing"),
    ("$.features.f1.variants[?'x'==@.value].weight", "10"),
    ("$.features.f1.variants[?'x']", "trait"),
    ("$.features.f1.variants[?@.value=1]", "trait"),
    ("$.features.f1.variants[?@.weight==1e1].value", "'x'"),
    ("$.features.f1.variants[?@.weight==01]", "trait"),
    ("$.features.f1.variants[?@.weight==1.]", "trait"),
    ("$.features.f1.variants[?@.weight>-1].value", "'x'"),
    ("$.features.f1.variants[?@['value']=='y'].weight", "20.0"),
    ("$.features.f1.variants[?$.environment.key=='e'].value", "'x'"),
    ("$.features.f1.variants[?@.*]", "{'value': 'x', 'weight': 10}"),
    ("$.features.f1.variants[?@.*==1]", "raises"),
    ("$.features.f1.variants[?@..value=='x']", "raises"),
    ("$.features.f1.variants[?length(@.value)==1].value", "'x'"),
    ("$.features.f1.variants[?length(@)==2].value", "'x'"),
    ("$.features.f1.variants[?length(@.weight)==1].value", "nothing"),
    ("$.features.f1.variants[?count(@.*)==2].value", "'x'"),
    ("$.features.f1.variants[?value(@..weight)==20].value", "'y'"),
    ("$.features.f1.variants[?match(@.value,'[xy]')].value", "'x'"),
    ("$.features.f1.variants[?search(@.value,'y')].value", "'y'"),
    ("$.features.f1.variants[?match(@.value,'(?:x)')]", "nothing"),
    ("$.features.f1.variants[?match(@.value,'.')].value", "'x'"),
    ("$.features.f1.variants[?match(@.value)]", "raises"),
    ("$.features.f1.variants[?length(@.value)]", "raises"),
    ("$.features.f1.variants[?match(@.value,'x')==true]", "raises"),
    ("$.features.f1.variants[?unknown(@)]", "raises"),
    ("$.features.f1.variants[?count(1)>0]", "raises"),
    ("$.identity.traits[?@]", "1"),
    ("$.identity.traits[?@==0]", "0"),
    ("$.identity.traits[?@==false]", "False"),
    ("$.identity.traits[?@==null]", "None"),
    ("$.identity.traits[?@<1]", "False"),
    ("$.features.f0.nested[?@==$.features.f0.nested[0]]", "[1, 2]"),
    ("$.features.f0.nested[2][?@==1]", "nothing"),
    ("$.features.f0.nested[?@[0]==true]", "[True, 2]"),
    ("$.features.f0.nested[?count(@[?@>0])==2]", "[1, 2]"),
    ("$.features.f0.nested[*][1]", "2"),
    ("$.features[?@.enabled==false].name", "'f0'"),
    ("$.features[?@.variants[?@.value=='y']].name", "'f1'"),
    ("$.features[?@.variants[?$.weight]].name", "nothing"),
    ("$.identity[?@.zed]", "{'zed': 1, 'x-y': 2, 'é': 2.5, 'a b': 's', 'off': False, 'none': None, 'empty': '', 'zero': 0}"),
    ("$.features[?(@.enabled)].name", "'f1'"),
    ("$.features[?((@.enabled)].name", "trait"),
];
