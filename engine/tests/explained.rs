//! Explanations against the answers that they explain.

use engine::explain::{Explanation, Outcome, Question};
use engine::{Document, Environment, Identity, KeyKind};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What the feature says beside its flag, where a segment's override holds.
const OF_A_SEGMENT: &str = "TARGETING_MATCH; segment=";
const OF_AN_IDENTITY: &str = "TARGETING_MATCH; segment=identity_overrides";

#[derive(Deserialize)]
struct Flag<'a> {
    #[serde(borrow)]
    feature: Feature<'a>,
    enabled: bool,
    #[serde(borrow)]
    feature_state_value: &'a RawValue,
    #[serde(borrow)]
    variant: Option<&'a RawValue>,
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow)]
    id: &'a RawValue,
    name: String,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    flags: Vec<Flag<'a>>,
}

/// What a flag is, as a line.
fn row(
    name: &str,
    id: &str,
    enabled: bool,
    value: &str,
    variant: Option<&str>,
    reason: Option<&str>,
) -> String {
    format!("{name:?} {id} {enabled} {value} {variant:?} {reason:?}")
}

/// The explanation of an answer, and the answer where it says something else.
pub(crate) fn explained(
    environment: &Environment,
    document: &Document,
    kind: KeyKind,
    identity: Option<&Identity<'_>>,
) -> (Explanation, Option<String>) {
    let question = Question {
        kind,
        identity,
        feature: None,
    };
    let explanation = environment.explain(document, question).expect("it explains");
    let difference = difference(environment, &explanation, kind, identity);
    (explanation, difference)
}

fn difference(
    environment: &Environment,
    explanation: &Explanation,
    kind: KeyKind,
    identity: Option<&Identity<'_>>,
) -> Option<String> {
    let served = rows_served(environment, kind, identity);
    let rows = |is_told: fn(&[&str]) -> bool| -> Vec<String> {
        let features = explanation.features.iter();
        let told = features.filter(|feature| is_told(&feature.hidden));
        told.map(|feature| {
            row(
                &feature.name,
                feature.id.get(),
                feature.enabled,
                feature.value.get(),
                // serde reads null as none, of the answer too.
                feature
                    .variant
                    .as_deref()
                    .map(RawValue::get)
                    .filter(|variant| identity.is_some() && *variant != "null"),
                identity.map(|_| feature.reason.as_str()),
            )
        })
        .collect()
    };
    let told = rows(|hidden| hidden.is_empty());
    if told != served {
        return Some(format!(
            "told\n{}\nserved\n{}",
            told.join("\n"),
            served.join("\n")
        ));
    }
    // Whom a client-side key cannot see a server-side one does, where both take the same traits.
    if kind == KeyKind::Client && environment.takes_traits(KeyKind::Client) {
        let all = rows_served(environment, KeyKind::Server, identity);
        let hidden = rows(|hidden| hidden == ["server_key_only"]);
        if let Some(unknown) = hidden.iter().find(|row| !all.contains(row)) {
            return Some(format!(
                "hidden\n{unknown}\nserved by a server-side key\n{}",
                all.join("\n")
            ));
        }
    }
    inconsistency(explanation)
}

fn rows_served(environment: &Environment, kind: KeyKind, identity: Option<&Identity<'_>>) -> Vec<String> {
    let body = match identity {
        Some(identity) => environment.identity_answer(kind, identity),
        None => environment.flags(kind),
    };
    let flags: Vec<Flag<'_>> = match identity {
        Some(_) => serde_json::from_slice::<Body<'_>>(&body).expect("JSON").flags,
        None => serde_json::from_slice(&body).expect("JSON"),
    };
    flags
        .iter()
        .map(|flag| {
            row(
                &flag.feature.name,
                flag.feature.id.get(),
                flag.enabled,
                flag.feature_state_value.get(),
                flag.variant.map(RawValue::get),
                flag.reason.as_deref(),
            )
        })
        .collect()
}

/// Where an explanation contradicts itself.
fn inconsistency(explanation: &Explanation) -> Option<String> {
    for feature in &explanation.features {
        let winners: Vec<_> = feature
            .segments
            .iter()
            .filter(|segment| segment.outcome == Outcome::Wins)
            .collect();
        let is_of_a_segment = feature.reason.starts_with(OF_A_SEGMENT) && feature.reason != OF_AN_IDENTITY;
        let winner = winners.first().map(|winner| winner.name.as_str());
        let is_winner =
            |name: &str| winner == Some(name) || winner.is_some_and(|winner| winner.ends_with('…'));
        let is_another = is_of_a_segment && !feature.reason.strip_prefix(OF_A_SEGMENT).is_some_and(is_winner);
        if is_another || winners.len() > 1 {
            return Some(format!(
                "{:?} is {}, won by {winner:?}",
                feature.name, feature.reason
            ));
        }
        let is_split = feature.reason.starts_with("SPLIT");
        let splits = feature.split.as_ref().is_some_and(|split| !split.is_control);
        if is_split && !splits {
            return Some(format!(
                "{:?} is {}, without a split",
                feature.name, feature.reason
            ));
        }
    }
    let silent = explanation.segments.iter().find(|segment| {
        let says_nothing = segment.failed.is_empty() && segment.note.is_none();
        segment.matches == Some(false) && says_nothing
    });
    silent.map(|segment| format!("segment {:?} does not match, and nothing says why", segment.name))
}
