//! What a document's content digest depends on, and what not.

use bytes::Bytes;
use engine::{ContentDigest, Document, UpdatedAt};
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::LazyLock;

use super::{config, documents};
use crate::tree::Tree;

static DOCUMENTS: LazyLock<Vec<Tree>> = LazyLock::new(documents);

fn read(json: String) -> Document {
    Document::from_pages(vec![Bytes::from(json)]).expect("recorded documents can be read")
}

fn digest(document: &Tree) -> ContentDigest {
    read(document.to_json()).content()
}

/// The same value, the members of every object in reverse.
fn reversed(tree: &Tree) -> Tree {
    match tree {
        Tree::Leaf(json) => Tree::Leaf(json.clone()),
        Tree::List(elements) => Tree::List(elements.iter().map(reversed).collect()),
        Tree::Object(members) => Tree::Object(
            members
                .iter()
                .rev()
                .map(|(name, value)| (name.clone(), reversed(value)))
                .collect(),
        ),
    }
}

/// Replaces the members of that name, wherever they are; how many there were.
fn replace_members(tree: &mut Tree, name: &str, json: &str) -> usize {
    match tree {
        Tree::Leaf(_) => 0,
        Tree::List(elements) => elements
            .iter_mut()
            .map(|element| replace_members(element, name, json))
            .sum(),
        Tree::Object(members) => members
            .iter_mut()
            .map(|(member, value)| {
                if member == name {
                    *value = Tree::Leaf(json.to_owned());
                    return 1;
                }
                replace_members(value, name, json)
            })
            .sum(),
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_is_served_has_the_same_content(which in any::<Index>(), micros in 0..4_000_000_000_000_000i64) {
        let document = read(DOCUMENTS[which.index(DOCUMENTS.len())].to_json());
        let served = UpdatedAt::from_micros(micros);
        let again = read(String::from_utf8(document.to_json(served)).unwrap());
        prop_assert_eq!(again.content(), document.content());
        prop_assert_eq!(again.updated_at(), Some(served));
    }

    #[test]
    fn a_changed_value_changes_the_content(which in any::<Index>(), feature in any::<Index>(), flip in any::<bool>()) {
        let document = &DOCUMENTS[which.index(DOCUMENTS.len())];
        let mut other = document.clone();
        let Tree::Object(members) = &mut other else { unreachable!() };
        let states = members.iter_mut().find(|(name, _)| name == "feature_states").map(|(_, states)| states);
        let Some(Tree::List(states)) = states else { unreachable!() };
        let count = states.len();
        let state = &mut states[feature.index(count)];
        let (name, json) = if flip { ("enabled", "\"neither\"") } else { ("feature_state_value", "\"another value\"") };
        prop_assert_eq!(replace_members(state, name, json), 1);
        prop_assert_ne!(digest(&other), digest(document));
    }
}

#[test]
fn the_order_of_members_does_not_count() {
    for document in DOCUMENTS.iter() {
        assert_eq!(digest(&reversed(document)), digest(document));
    }
}

#[test]
fn moments_and_random_ids_do_not_count() {
    let mut replaced = (0, 0);
    for document in DOCUMENTS.iter() {
        let mut other = document.clone();
        replaced.0 += replace_members(&mut other, "updated_at", "\"2030-01-01T00:00:00Z\"");
        replaced.1 += replace_members(
            &mut other,
            "identity_uuid",
            "\"e9b4c2d4-0000-4000-8000-000000000000\"",
        );
        assert_eq!(digest(&other), digest(document));
    }
    assert!(
        replaced.0 > 0 && replaced.1 > 0,
        "no recorded document has these members"
    );
}

#[test]
fn the_order_of_elements_counts() {
    let document = DOCUMENTS
        .iter()
        .find(|document| document.get("feature_states").unwrap().elements().len() > 1)
        .unwrap();
    let mut other = document.clone();
    let Tree::Object(members) = &mut other else {
        unreachable!()
    };
    for (name, value) in members.iter_mut() {
        if let (Tree::List(states), "feature_states") = (value, name.as_str()) {
            states.reverse();
        }
    }
    assert_ne!(digest(&other), digest(document));
}
