//! Compares the engine with what Flagsmith's Python pipeline answered (`engine/oracle/oracle.py`).
//!
//! A case is a line {"document", "identities"}; its answer a line of results, in the same order.

pub(crate) mod live;
pub(crate) mod shrink;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::explained::explained;
use bytes::Bytes;
use engine::{Document, Environment, Identity, KeyKind};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// Lines {"document", "identities", "answer"}, recorded by `engine/oracle/record.py`.
pub(crate) const CASES: &str = include_str!("../fixtures/recorded-cases.jsonl");

/// One document and the identities to evaluate against it: each as its JSON text, which keeps numbers exact.
#[derive(Deserialize)]
pub(crate) struct Case<'a> {
    #[serde(borrow)]
    pub document: &'a RawValue,
    #[serde(borrow)]
    pub identities: Vec<&'a RawValue>,
}

/// What the oracle says to a [`Case`].
#[derive(Deserialize)]
pub(crate) struct Answer {
    /// The flags without an identity.
    defaults: Option<Vec<FlagRow>>,
    /// The deliberate differences that the defaults need.
    default_rules: Vec<String>,
    identities: Vec<IdentityAnswer>,
}

impl Answer {
    /// The names of the segments that match an identity; `None`: the pipeline raises.
    pub(crate) fn segments_of(&self, identity: usize) -> Option<&[String]> {
        self.identities.get(identity)?.segments.as_deref()
    }
}

#[derive(Deserialize)]
struct IdentityAnswer {
    flags: Option<Vec<FlagRow>>,
    segments: Option<Vec<String>>,
    /// What the pipeline raised, where no rule covers it.
    raised: Option<String>,
    rules: Vec<String>,
}

/// Name, feature id, type, enabled, value, variant, server-key-only, reason, metadata.
#[derive(Deserialize)]
struct FlagRow(
    String,
    Box<RawValue>,
    String,
    bool,
    Box<RawValue>,
    Option<String>,
    bool,
    String,
    Option<Value>,
);

/// A flag as the engine answers it.
#[derive(Deserialize)]
struct Flag<'a> {
    #[serde(borrow)]
    feature: Feature<'a>,
    enabled: bool,
    #[serde(borrow)]
    feature_state_value: &'a RawValue,
    variant: Option<String>,
    reason: Option<String>,
    metadata: Option<Value>,
}

#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    name: String,
    r#type: String,
}

#[derive(Deserialize)]
struct IdentityBody<'a> {
    #[serde(borrow)]
    flags: Vec<Flag<'a>>,
}

/// How many results were compared, and how many needed which deliberate difference.
#[derive(Default)]
pub(crate) struct Tally {
    pub pairs: usize,
    pub segments: usize,
    rules: BTreeMap<String, usize>,
    /// What flags of identities say beside their values.
    said: BTreeMap<&'static str, usize>,
}

/// The reasons by their starts, and the metadata.
pub(crate) const SAID: [&str; 7] = [
    "STATIC",
    "DEFAULT",
    "TARGETING_MATCH; segment=identity_overrides",
    "TARGETING_MATCH",
    "SPLIT; weight=",
    "ERROR; code=CIRCULAR_DEPENDENCY",
    "metadata",
];

impl Tally {
    pub(crate) fn add(&mut self, answer: &Answer) {
        self.pairs += answer.identities.len();
        for rule in &answer.default_rules {
            *self
                .rules
                .entry(format!("without an identity: {rule}"))
                .or_default() += 1;
        }
        for identity in &answer.identities {
            self.segments += identity.segments.as_ref().map_or(0, Vec::len);
            for rule in &identity.rules {
                *self.rules.entry(rule.clone()).or_default() += 1;
            }
            for FlagRow(.., reason, metadata) in identity.flags.iter().flatten() {
                let said = SAID.into_iter().find(|said| reason.starts_with(said));
                for said in said.into_iter().chain(metadata.as_ref().map(|_| "metadata")) {
                    *self.said.entry(said).or_default() += 1;
                }
            }
        }
    }

    /// How many flags said this, one of [`SAID`].
    pub(crate) fn said(&self, what: &str) -> usize {
        self.said.get(what).copied().unwrap_or(0)
    }

    pub(crate) fn count(&self, rule: &str) -> usize {
        self.rules.get(rule).copied().unwrap_or(0)
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} pairs agree, {} segments matched; deliberate differences:",
            self.pairs, self.segments
        )?;
        for (rule, count) in &self.rules {
            write!(f, "\n{count:8}  {rule}")?;
        }
        write!(f, "\nflags say:")?;
        for (said, count) in &self.said {
            write!(f, "\n{count:8}  {said}")?;
        }
        Ok(())
    }
}

/// A result that differs: which identity (`None`: the defaults) and both sides.
pub(crate) struct Difference {
    pub identity: Option<usize>,
    pub what: &'static str,
    pub ours: String,
    pub theirs: String,
}

/// Everything in which the engine's answers to a case differ from the oracle's.
pub(crate) fn compare(case: &Case<'_>, answer: &Answer) -> Vec<Difference> {
    let document = read(case.document.get());
    let environment = Environment::compile(&document).unwrap().0;
    let mut differences = Vec::new();
    let mut check = |identity, what, ours: String, theirs: String| {
        if ours != theirs {
            differences.push(Difference {
                identity,
                what,
                ours,
                theirs,
            });
        }
    };
    let defaults = answer
        .defaults
        .as_ref()
        .expect("the pipeline answers every generated document");
    for kind in [KeyKind::Server, KeyKind::Client] {
        let ours = environment.flags(kind);
        check(
            None,
            "flags/",
            text_of_flags(&serde_json::from_slice::<Vec<Flag<'_>>>(&ours)),
            text_of_rows(defaults, kind, false),
        );
        let (_, difference) = explained(&environment, &document, kind, None);
        check(
            None,
            "explained flags/",
            difference.unwrap_or_default(),
            String::new(),
        );
    }
    assert_eq!(case.identities.len(), answer.identities.len());
    for (number, (identity, theirs)) in case.identities.iter().zip(&answer.identities).enumerate() {
        let (Some(flags), Some(segments)) = (&theirs.flags, &theirs.segments) else {
            check(
                Some(number),
                "identities/",
                "an answer".to_owned(),
                format!("raised {:?}", theirs.raised),
            );
            continue;
        };
        let Ok(identity) = Identity::from_json(identity.get().as_bytes(), || [0; 16]) else {
            check(
                Some(number),
                "identities/",
                "refused".to_owned(),
                "an answer".to_owned(),
            );
            continue;
        };
        for kind in [KeyKind::Server, KeyKind::Client] {
            let ours = environment.identity_answer(kind, &identity);
            let ours = serde_json::from_slice::<IdentityBody<'_>>(&ours).map(|body| body.flags);
            check(
                Some(number),
                "identities/",
                text_of_flags(&ours),
                text_of_rows(flags, kind, true),
            );
        }
        let ours = environment.matching_segments(Some(&identity));
        check(
            Some(number),
            "segments",
            format!("{ours:?}"),
            format!("{segments:?}"),
        );
        // Explaining takes longer than answering: one identity of three, as both kinds in turn.
        if number % 3 > 0 {
            continue;
        }
        let kind = [KeyKind::Server, KeyKind::Client][number % 2];
        let (explanation, difference) = explained(&environment, &document, kind, Some(&identity));
        let difference = difference.unwrap_or_default();
        check(Some(number), "explained identities/", difference, String::new());
        if environment.takes_traits(kind) {
            let told = explanation.segments.iter();
            let told = told.filter(|segment| segment.matches == Some(true));
            let told: Vec<_> = told.map(|segment| &segment.name).collect();
            check(
                Some(number),
                "explained segments",
                format!("{told:?}"),
                format!("{segments:?}"),
            );
        }
    }
    differences
}

pub(crate) fn read(document: &str) -> Document {
    let pages = vec![Bytes::copy_from_slice(document.as_bytes())];
    Document::from_pages(pages).expect("generated documents are environment documents")
}

pub(crate) fn compile(document: &str) -> Environment {
    Environment::compile(&read(document)).unwrap().0
}

fn text_of_flags(flags: &Result<Vec<Flag<'_>>, serde_json::Error>) -> String {
    let flags = match flags {
        Ok(flags) => flags,
        Err(error) => return format!("not the JSON of flags: {error}"),
    };
    let mut text = String::new();
    for Flag {
        feature: Feature { id, name, r#type },
        enabled,
        feature_state_value,
        variant,
        reason,
        metadata,
    } in flags
    {
        let value = canonical(feature_state_value.get());
        let _ = writeln!(
            text,
            "{name:?} {id} {} {enabled} {value} {variant:?} {reason:?} {metadata:?}",
            r#type
        );
    }
    text
}

/// `flags/` says neither the reason nor the metadata.
fn text_of_rows(rows: &[FlagRow], kind: KeyKind, of_identity: bool) -> String {
    let mut text = String::new();
    for FlagRow(name, id, feature_type, enabled, value, variant, server_only, reason, metadata) in rows {
        if kind == KeyKind::Client && *server_only {
            continue;
        }
        let value = canonical(value.get());
        let reason = Some(reason).filter(|_| of_identity);
        let metadata = metadata.as_ref().filter(|_| of_identity);
        let _ = writeln!(
            text,
            "{name:?} {id} {feature_type} {enabled} {value} {variant:?} {reason:?} {metadata:?}"
        );
    }
    text
}

/// A scalar in one spelling: Python writes `1.50` as `1.5` and escapes what we do not. Integers stay exact, and apart from
/// floats.
pub(crate) fn canonical(json: &str) -> String {
    match json.as_bytes().first() {
        Some(b'"') => format!(
            "{:?}",
            serde_json::from_str::<String>(json).expect("a JSON string")
        ),
        Some(b'-' | b'0'..=b'9') if json.contains(['.', 'e', 'E']) => {
            format!("{:?}", json.parse::<f64>().expect("a JSON number"))
        }
        _ if json == "-0" => "0".to_owned(),
        _ => json.to_owned(),
    }
}
