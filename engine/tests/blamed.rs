//! Explanations against Flagsmith's own Python pipeline, live: a condition that an explanation names is asked alone, in a segment
//! of its own, for the same identity.

use engine::explain::{ExplainedCondition, ExplainedSegment};
use engine::{Identity, KeyKind};

use super::explained::explained;
use super::oracle::live::{Oracle, generate, python};
use super::oracle::{Case, compile, read};
use super::tree::Tree;
use engine::Environment;

const DOCUMENTS: usize = 300;
const IDENTITIES_PER_DOCUMENT: usize = 6;
/// As many conditions as must have been asked, so that the test says something.
const LEAST_ASKED: usize = 2000;

/// Conditions on these see the other flags and segments of the document, and so another document where they are alone.
fn is_of_the_document(failure: &ExplainedCondition) -> bool {
    let property = failure.property.as_deref().unwrap_or_default();
    property.starts_with("$.") && !property.starts_with("$.identity.")
}

/// The condition that a failure names, as the document has it.
fn condition(segment: &Tree, failure: &ExplainedCondition) -> Option<Tree> {
    let mut places = failure
        .rule
        .split('.')
        .map(|place| place.parse::<usize>().expect("a place") - 1);
    let mut rule = segment.get("rules")?.elements().get(places.next()?)?;
    for place in places {
        rule = rule.get("rules")?.elements().get(place)?;
    }
    rule.get("conditions")?
        .elements()
        .get(failure.condition? as usize - 1)
        .cloned()
}

/// A segment of the document by its id: the last of several.
fn segment<'t>(document: &'t Tree, own: &ExplainedSegment) -> Option<&'t Tree> {
    let segments = document.get("project")?.get("segments")?.elements();
    segments.iter().rev().find(|segment| {
        segment
            .get("id")
            .is_some_and(|id| id.to_json() == own.id || id.string().as_deref() == Some(&own.id))
    })
}

fn leaf(json: String) -> Tree {
    Tree::Leaf(json)
}

fn alone(id: Tree, name: &str, condition: Tree) -> Tree {
    let rule = Tree::Object(vec![
        ("type".to_owned(), leaf("\"ALL\"".to_owned())),
        ("conditions".to_owned(), Tree::List(vec![condition])),
        ("rules".to_owned(), Tree::List(Vec::new())),
    ]);
    Tree::Object(vec![
        ("id".to_owned(), id),
        ("name".to_owned(), leaf(format!("{name:?}"))),
        ("rules".to_owned(), Tree::List(vec![rule])),
        ("feature_states".to_owned(), Tree::List(Vec::new())),
    ])
}

/// The conditions that an explanation names, each in a segment of its own, and which of these match.
#[derive(Default)]
struct Alone {
    segments: Vec<Tree>,
    matching: Vec<String>,
    ids: Vec<String>,
}

impl Alone {
    fn add(&mut self, document: &Tree, own: &ExplainedSegment, failure: &ExplainedCondition) {
        let Some(segment) = segment(document, own) else {
            return;
        };
        let Some(condition) = condition(segment, failure) else {
            return;
        };
        let splits = failure.operator.as_deref() == Some("PERCENTAGE_SPLIT");
        // What a percentage split hashes.
        let id = match segment.get("id") {
            Some(id) if splits => id.clone(),
            _ => leaf(format!("{}", 7_000_000 + self.segments.len())),
        };
        if self.ids.contains(&id.to_json()) {
            return;
        }
        self.ids.push(id.to_json());
        let name = format!("alone {}", self.segments.len());
        self.segments.push(alone(id, &name, condition));
        if failure.outcome == "holds" {
            self.matching.push(name);
        }
    }

    /// The document with these segments alone.
    fn document(&self, document: &Tree) -> Tree {
        let mut document = document.clone();
        let Tree::Object(members) = &mut document else {
            unreachable!("a document is an object")
        };
        for (name, value) in members {
            match (name.as_str(), value) {
                ("project", Tree::Object(project)) => {
                    for (name, value) in project {
                        if name == "segments" {
                            *value = Tree::List(self.segments.clone());
                        }
                    }
                }
                ("identity_overrides", value) => *value = Tree::List(Vec::new()),
                _ => {}
            }
        }
        document
    }
}

#[test]
fn a_condition_that_is_named_fails_alone() {
    let Some(python) = python() else { return };
    let mut oracle = Oracle::start(&python);
    let (mut asked, mut wrong, mut outcomes) = (0, Vec::new(), Vec::new());
    let arguments = ["7", &DOCUMENTS.to_string(), &IDENTITIES_PER_DOCUMENT.to_string()];
    generate(&python, &arguments, |line| {
        let case: Case<'_> = serde_json::from_str(line).expect("a case is JSON");
        let (document, tree) = (read(case.document.get()), Tree::parse(case.document.get()));
        let environment = Environment::compile(&document).unwrap().0;
        for sent in &case.identities {
            let Ok(identity) = Identity::from_json(sent.get().as_bytes(), || [0; 16]) else {
                continue;
            };
            let (explanation, difference) =
                explained(&environment, &document, KeyKind::Server, Some(&identity));
            assert_eq!(difference, None);
            let mut alone = Alone::default();
            for segment in &explanation.segments {
                let named = segment.failed.iter().chain(&segment.held);
                for failure in named.filter(|failure| !is_of_the_document(failure)) {
                    outcomes.push(failure.outcome);
                    alone.add(&tree, segment, failure);
                }
            }
            let document = alone.document(&tree).to_json();
            let answer = oracle.ask(&format!(
                r#"{{"document":{document},"identities":[{}]}}"#,
                sent.get()
            ));
            asked += alone.segments.len();
            let ours = compile(&document);
            let ours = ours.matching_segments(Some(&identity));
            let theirs = answer.segments_of(0).expect("the pipeline answers");
            if theirs != alone.matching || ours != theirs {
                wrong.push(format!(
                    "named {:?}, matching {theirs:?} (ours {ours:?}): {} {}",
                    alone.matching,
                    Tree::List(alone.segments).to_json(),
                    sent.get()
                ));
            }
        }
    });
    for wrong in wrong.iter().take(5) {
        eprintln!("--- {wrong}");
    }
    assert!(
        wrong.is_empty(),
        "{} explanations name a condition that does otherwise",
        wrong.len()
    );
    assert!(asked >= LEAST_ASKED, "{asked} conditions are too few");
    for outcome in ["does_not_hold", "holds", "cannot_be_evaluated"] {
        assert!(outcomes.contains(&outcome), "no generated case has {outcome}");
    }
    println!("{asked} conditions asked alone");
}
