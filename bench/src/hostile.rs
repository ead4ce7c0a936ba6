//! Identities within the accepted limits that take as much work as they can, each with a document that lets them.
use serde_json::{Value, json};
use test_support::documents as parts;

use crate::documents::CLIENT_KEY;

/// A document and the body of an identity.
#[derive(Debug, Clone)]
pub struct Hostile {
    /// What takes the work.
    pub name: &'static str,
    /// The document.
    pub document: Vec<u8>,
    /// The body of `POST identities/`.
    pub body: String,
}

/// As many conditions as take a whole budget of what they do, and then some.
const MANY: usize = 2_000;
/// The longest trait value and identifier, in characters.
const LONGEST: usize = 2_000;
/// What stands for the longest integer, which no [`Value`] holds.
const DIGITS: &str = "digits";
/// The most traits.
const TRAITS: usize = 1_000;

/// One pair for each kind of work that is counted.
pub fn all() -> Vec<Hostile> {
    [
        regexes(),
        texts(),
        paths(),
        patterns(),
        vec![percentages(), cycles(), wide_cycles(), reads()],
    ]
    .concat()
}

/// `REGEX` conditions: on automata, then on the backtracking engine.
fn regexes() -> Vec<Hostile> {
    let ascii = "a".repeat(LONGEST);
    let wide = "𐐨".repeat(LONGEST);
    [
        ("an automaton over ASCII", "[a-m]*!", &ascii),
        ("an automaton over wide characters", ".*!", &wide),
        ("a catastrophic pattern", r"(?=(a|a)*\1b)", &ascii),
        ("a run, taken and given back", "(?=a*b)", &ascii),
        ("a lazy run", "(?=a*?b)", &ascii),
        ("a run of wide characters", r"(?=\w*b)", &wide),
        ("a class that no wide character is in", r"(?=(?:\W|\w)*b)", &wide),
        ("letters compared without case", r"(?i)(𐐀+)\1*b", &wide),
        ("boundaries of words", r"(?:\b|\B)(?:\w\B)*!", &wide),
        ("atomic groups", "(?>(?>(?>(?:(a))*)))b", &ascii),
    ]
    .map(|(name, pattern, text)| on_trait(name, "REGEX", pattern, json!(text)))
    .into()
}

/// Conditions on long texts and integers.
fn texts() -> Vec<Hostile> {
    let ascii = "a".repeat(LONGEST);
    let wide = "𐐨".repeat(LONGEST);
    let (part, wide_part) = (format!("{}b", "a".repeat(999)), format!("{}b", "𐐨".repeat(999)));
    let nearly = format!("b{}", "a".repeat(998)).repeat(2);
    let version = format!("1.1.1-{}", "a".repeat(1_900));
    let digits = |number| condition("EQUAL", &format!("t{number}"), "1");
    let integers = traits(|_| json!("7".repeat(1_000)));
    vec![
        on_trait("a text looked for in a text", "CONTAINS", &part, json!(ascii)),
        on_trait(
            "a text looked for where it nearly is",
            "CONTAINS",
            &part,
            json!(nearly),
        ),
        on_trait(
            "a text looked for in a wide text",
            "CONTAINS",
            &wide_part,
            json!(wide),
        ),
        on_trait(
            "a text looked up in a list",
            "IN",
            "a,b,c,d,e,f,g,h,i,j,k",
            json!(wide),
        ),
        on_trait("a version", "EQUAL", "1.1.1-a:semver", json!(version)),
        on_trait("an integer of 4,300 digits", "IN", "1", json!(DIGITS)),
        pair(
            "integers of 1,000 digits",
            (0..TRAITS).map(digits).collect(),
            integers,
        ),
    ]
}

/// Conditions that read paths.
fn paths() -> Vec<Hostile> {
    let long_names = (0..TRAITS).map(|number| (format!("{number:0>200}"), json!(number)));
    let gone = format!("$.identity.traits[?$.identity.traits['{:0>200}']==1]", "gone");
    let nested = "$.identity.traits[?$.identity.traits[?@==1.5]]";
    let compared = "$.identity.traits[?@!=$.identity.traits.t0]";
    let numbers = || traits(|number| json!(number));
    let texts = || traits(|_| json!("a".repeat(950)));
    let wide = || traits(|_| json!("é".repeat(480)));
    vec![
        on_path("a path that visits traits", nested, numbers()),
        on_path("a path that descends", "$..x", numbers()),
        on_path("a path that compares names", &gone, long_names.collect()),
        on_path("a path that compares texts", compared, texts()),
        on_path(
            "a path that counts characters",
            "$.identity.traits[?length(@)==1]",
            wide(),
        ),
    ]
}

/// Paths whose functions match patterns.
fn patterns() -> Vec<Hostile> {
    let searched = traits(|_| json!("b".repeat(950)));
    let large = r"$.identity.traits[?match(@,'\\p{L}+[ab]{9}\\p{L}+!')]";
    let sent = "$.identity.traits[?match(@,@)]";
    let letters = traits(|number| json!(format!(r"\p{{L}}{number}")));
    let repeated = traits(|number| json!(format!("[a-z]{{9{number}}}a{{1{number}}}")));
    let upper = traits(|number| json!(format!("{}{number}", r"\p{Lu}".repeat(40))));
    let long = traits(|number| json!(format!("{}{number}", r"\p{L}".repeat(40))));
    vec![
        on_path(
            "a path with a pattern",
            "$.identity.traits[?search(@,'b[ab]*c')]",
            searched,
        ),
        on_path(
            "a path with a large pattern",
            large,
            traits(|_| json!("é".repeat(400))),
        ),
        on_path("patterns that are sent", sent, letters),
        on_path("repetitions that are sent", sent, repeated),
        on_path("long patterns that are sent", sent, upper),
        on_path("longer patterns that are sent", sent, long),
    ]
}

fn on_trait(name: &'static str, operator: &str, value: &str, sent: Value) -> Hostile {
    pair(
        name,
        vec![condition(operator, "t", value); MANY],
        vec![("t".to_owned(), sent)],
    )
}

fn on_path(name: &'static str, path: &str, traits: Vec<(String, Value)>) -> Hostile {
    pair(name, vec![condition("IS_SET", path, ""); MANY], traits)
}

fn traits(value: impl Fn(usize) -> Value) -> Vec<(String, Value)> {
    (0..TRAITS)
        .map(|number| (format!("t{number}"), value(number)))
        .collect()
}

fn pair(name: &'static str, conditions: Vec<Value>, traits: Vec<(String, Value)>) -> Hostile {
    let traits: Vec<Value> = traits
        .into_iter()
        .map(|(key, value)| json!({"trait_key": key, "trait_value": value}))
        .collect();
    Hostile {
        name,
        document: document(vec![state(1)], vec![segment(1, conditions, 1)]),
        body: json!({"identifier": "somebody", "traits": traits})
            .to_string()
            .replace(&format!("\"{DIGITS}\""), &"7".repeat(4_300)),
    }
}

/// Percentage splits and multivariate features with the longest identifier.
fn percentages() -> Hostile {
    let features = (1..=200).map(|id| {
        let mut state = state(id);
        put(
            &mut state,
            "multivariate_feature_state_values",
            json!([{"id": 1, "percentage_allocation": 50.0,
            "multivariate_feature_option": {"value": "x", "key": "k"}}]),
        );
        state
    });
    Hostile {
        name: "percentages of the longest identifier",
        document: document(
            features.collect(),
            vec![segment(1, vec![condition("PERCENTAGE_SPLIT", "", "0"); MANY], 1)],
        ),
        body: json!({"identifier": "𐐨".repeat(LONGEST)}).to_string(),
    }
}

/// Flags that all read each other.
fn cycles() -> Hostile {
    const FLAGS: usize = 40;
    let reads: Vec<Value> = (1..=FLAGS)
        .map(|other| condition("EQUAL", &format!("$.flags.feature_{other}.value"), "x"))
        .collect();
    let segments = (1..=FLAGS).map(|id| segment(id, reads.clone(), id));
    Hostile {
        name: "flags that read each other",
        document: document((1..=FLAGS).map(state).collect(), segments.collect()),
        body: json!({"identifier": "somebody"}).to_string(),
    }
}

/// Two flags that read each other, each in many segments.
fn wide_cycles() -> Hostile {
    let reads = |other| condition("EQUAL", &format!("$.flags.feature_{other}.value"), "x");
    let idle = (3..=MANY).map(|id| segment(id, vec![condition("IS_SET", "t", "")], 1 + id % 2));
    let cyclic = [(1, 2), (2, 1)].map(|(id, other)| segment(id, vec![reads(other); MANY], id));
    Hostile {
        name: "flags of many segments that read each other",
        document: document(vec![state(1), state(2)], cyclic.into_iter().chain(idle).collect()),
        body: json!({"identifier": "somebody"}).to_string(),
    }
}

/// A flag that is read again and again.
fn reads() -> Hostile {
    let conditions = vec![condition("EQUAL", "$.flags.feature_1.value", "x"); MANY * 3];
    Hostile {
        name: "a flag that is read",
        document: document(vec![state(1), state(2)], vec![segment(1, conditions, 2)]),
        body: json!({"identifier": "somebody"}).to_string(),
    }
}

fn condition(operator: &str, property: &str, value: &str) -> Value {
    json!({"operator": operator, "property_": property, "value": value})
}

/// No condition of the rule decides alone, so that each is asked.
fn segment(id: usize, conditions: Vec<Value>, feature: usize) -> Value {
    json!({
        "id": id, "name": format!("segment_{id}"), "feature_states": [state(feature)],
        "rules": [{"type": "NONE", "conditions": conditions, "rules": []}],
    })
}

fn state(id: usize) -> Value {
    let mut state = parts::feature_state(id, &format!("feature_{id}"), json!("value"));
    put(&mut state, "django_id", json!(id));
    state
}

fn document(features: Vec<Value>, segments: Vec<Value>) -> Vec<u8> {
    let mut environment = parts::environment(CLIENT_KEY, "2026-11-20T10:00:00.123456+00:00", features);
    if let Some(project) = environment.get_mut("project") {
        put(project, "segments", json!(segments));
    }
    environment.to_string().into_bytes()
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}
